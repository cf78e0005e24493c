//! `bridge files quarantine`.

use serde_json::Value;

use super::Which;
use crate::{failure::Failure, output::Out, system::Pipeline};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let doc = args.which.find(pipeline).await?;
    let lines = pipeline.quarantine(&doc).await?;
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).map_err(|error| Failure::World(error.to_string()))?;
        out.json(&row);
        let column = match row["column"].as_str().unwrap_or_default() {
            "" => String::new(),
            column => format!(", column {column}"),
        };
        let reason = row["reason"].as_str().unwrap_or_default();
        out.text(format_args!("line {} (record {}){column}: {reason}", row["line"], row["row"]));
    }
    if lines.is_empty() {
        out.text("no rows were set aside");
    }
    Ok(())
}
