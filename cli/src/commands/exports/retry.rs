//! `bridge exports retry`.

use bridge_core::id::RunId;
use serde_json::json;

use super::Which;
use crate::{failure::Failure, output::Out, system::Pipeline};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Only what was set aside in this run, `run_…`
    #[arg(long)]
    run: Option<RunId>,
    /// Wait no longer for the answers of the run, and send again what has none
    #[arg(long, requires = "run")]
    unanswered: bool,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let Which { connection, export } = &args.which;
    args.which.find(pipeline).await?;
    let mut marked = 0;
    if let (true, Some(run)) = (args.unanswered, &args.run) {
        marked += pipeline.resend_unanswered(connection, run).await?.ok_or_else(|| {
            Failure::Missing(format!(
                "{run} waits for no answers: `bridge exports status {connection} {export}`"
            ))
        })?;
    }
    marked += pipeline.retry_export(connection, export, args.run.as_ref()).await?;
    out.json(&json!({"connection": connection, "export": export, "resources": marked}));
    out.text(format_args!(
        "{marked} resources come with the next file: `bridge exports run {connection} {export}` writes it now"
    ));
    Ok(())
}
