//! `bridge connections rollback`.

use bridge_core::id::ConnectionId;
use serde_json::json;

use crate::{environment, failure::Failure, output::Out, system::Pipeline};

/// Its arguments.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which connection
    connection: ConnectionId,
    /// The version to go back to [default: the one before]
    #[arg(long)]
    to: Option<u32>,
    /// Why; kept with the version
    #[arg(long)]
    reason: String,
}

/// Runs it.
pub(crate) async fn run(pipeline: &Pipeline, args: &Args, out: Out) -> Result<(), Failure> {
    let id = &args.connection;
    let current = super::existing(pipeline, id).await?.version;
    let to = args.to.unwrap_or(current.saturating_sub(1));
    if to == 0 || to >= current {
        return Err(Failure::Wrong(format!(
            "{id} has version {current}: there is no earlier version {to} to go back to"
        )));
    }
    let stored = pipeline.roll_back(id, to, environment::actor(&args.reason)).await?;
    out.json(&json!({"connection": id, "result": "rolled back", "to": to, "version": stored.version}));
    out.text(format_args!("{id} is as in version {to}, which is now version {}", stored.version));
    Ok(())
}
