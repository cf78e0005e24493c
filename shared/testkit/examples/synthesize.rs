//! Writes a file of synthetic patients to standard output: `synthesize FORMAT MEGABYTES [SEED [DAY]]`.
//!
//! FORMAT is csv, ndjson or xml. The same seed gives the same patients; a day later each hundredth has changed.

use std::{io, process::ExitCode};

use bridge_testkit::rows::{Format, Sheet};

#[expect(clippy::print_stderr, reason = "standard output is the file")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, or: Option<u64>| arguments.get(at).map_or(or, |text| text.parse().ok());
    let format = arguments.first().and_then(|text| text.parse::<Format>().ok());
    let (Some(format), Some(megabytes), Some(seed), Some(day)) =
        (format, number(1, None), number(2, Some(1)), number(3, Some(0)))
    else {
        eprintln!("usage: synthesize csv|ndjson|xml MEGABYTES [SEED [DAY]]");
        return ExitCode::from(2);
    };
    match (Sheet { format, seed, day }).write_bytes(megabytes * 1_000_000, io::stdout().lock()) {
        Ok(rows) => {
            eprintln!("{rows} rows");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
