//! `bridge files retry`.

use serde_json::json;

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
    if doc.feed.is_empty() {
        return Err(Failure::Wrong(format!(
            "no feed took {}: declare one, and put the file again",
            doc.file
        )));
    }
    if !pipeline.retry_file(&doc.connection, &doc.file).await? {
        return Err(Failure::Wrong(format!(
            "{} is {}: there is nothing to read again",
            doc.file,
            doc.state.word()
        )));
    }
    out.json(&json!({"file": doc.file, "connection": doc.connection, "result": "queued"}));
    out.text(format_args!("{} is read again: see `bridge files status {}`", doc.file, doc.file));
    Ok(())
}
