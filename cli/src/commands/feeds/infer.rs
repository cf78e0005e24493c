//! `bridge feeds infer`.

use std::path::PathBuf;

use serde_json::json;

use super::{guess, sample};
use crate::{failure::Failure, output::Out};

/// A sample of the sample.
const ENOUGH: usize = 4 << 20;

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The sample
    path: PathBuf,
}

/// Runs it.
pub(crate) fn run(args: &Args, out: Out) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    sample::read(&args.path, |piece, _| {
        bytes.extend_from_slice(piece);
        Ok(bytes.len() < ENOUGH)
    })?;
    let name = args.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let feed = guess::feed(&name, &bytes).map_err(Failure::Wrong)?;
    let yaml = serde_norway::to_string(&feed).map_err(|error| Failure::World(error.to_string()))?;
    out.json(&json!({"feed": feed}));
    out.text(
        "# A proposal: look at each type, name the columns that identify a record, and write the mapping.",
    );
    out.text(yaml.trim_end());
    Ok(())
}
