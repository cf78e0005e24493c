//! `bridge adapters check`.

use std::path::PathBuf;

use bridge_adapters::Catalog;
use serde_json::json;

use crate::{failure::Failure, output::Out};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of the adapters; each folder in it is one
    #[arg(default_value = "adapters")]
    folder: PathBuf,
}

/// Runs it: every mistake at its line.
pub(crate) fn run(args: &Args, out: Out) -> Result<(), Failure> {
    match Catalog::from_dir(&args.folder) {
        Ok(catalog) => {
            let names: Vec<&str> = catalog.names().collect();
            out.json(&json!({"adapters": names, "mistakes": 0}));
            out.text(format_args!("{} adapters, no mistakes", names.len()));
            Ok(())
        }
        Err(errors) => {
            for error in &errors {
                out.json(&json!({"file": error.file, "line": error.line, "text": error.fault.to_string()}));
                out.text(error);
            }
            Err(Failure::Unsound(format!("{} mistakes; they are named above", errors.len())))
        }
    }
}
