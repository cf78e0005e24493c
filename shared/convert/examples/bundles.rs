//! Prints the bundle of every message in the files and folders named, one a line: input for a validator.
//!
//! `cargo run -p bridge-convert --example bundles -- shared/convert/tests/messages`
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing is what it is for")]

use std::{env, error::Error, fs, path::PathBuf};

use bridge_convert::{Converter, Profile};
use bridge_hl7v2::{
    Message,
    batch::{self, Part},
    charset::{Charset, Reading, Undeclared},
};
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

fn main() -> Result<(), Box<dyn Error>> {
    let mut profile = Profile::new(Uuid::from_u128(7), TimeZone::UTC, "https://fhir.example/r4");
    profile.endpoint = Some("https://fhir.example/r4".to_owned());
    let converter = Converter::new(profile);
    let reading = Reading::Declared { undeclared: Undeclared::Utf8Or(Charset::Windows1252) };
    for file in files(env::args().skip(1).map(PathBuf::from).collect())? {
        let bytes = fs::read(&file)?;
        for part in batch::split(&bytes) {
            let Part::Message(lines) = part else { continue };
            let Ok(message) = Message::parse_as(lines.bytes, reading) else { continue };
            let Ok(converted) = converter.convert(&message, Timestamp::UNIX_EPOCH) else { continue };
            eprintln!("{} line {}", file.display(), lines.line);
            println!("{}", String::from_utf8(converted.bundle)?);
        }
    }
    Ok(())
}

/// The `.hl7` files among and below `paths`, in order.
fn files(mut paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                paths.push(entry?.path());
            }
        } else if path.extension().is_some_and(|extension| extension == "hl7") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
