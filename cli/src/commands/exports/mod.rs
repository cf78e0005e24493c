//! `bridge exports`: what files practices are sent, and what became of them.

mod list;
mod preview;
mod retry;
mod status;

use bridge_aws::SystemClock;
use bridge_core::id::{ConnectionId, TenantId};
use bridge_pipeline::ports::Clock as _;
use serde_json::json;

use crate::{
    arguments::Global,
    failure::Failure,
    output::Out,
    system::{self, Pipeline},
};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the exports of a practice: when last, when next, and what is wrong
    List {
        /// Of which practice
        #[arg(long, default_value = "sunrise")]
        tenant: TenantId,
    },
    /// Show the runs of an export, and what was set aside
    Status(status::Args),
    /// Show what the next file would hold
    Preview(preview::Args),
    /// Write a file now, whether or not it is due
    Run(Which),
    /// Have what was set aside come with the next file
    Retry(retry::Args),
}

/// An export.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Whose
    pub(crate) connection: ConnectionId,
    /// Which of its exports
    pub(crate) export: String,
}

impl Which {
    /// Whether there is such an export.
    async fn find(&self, pipeline: &Pipeline) -> Result<bridge_pipeline::export::ExportDoc, Failure> {
        let known = pipeline.exports(&self.connection.tenant(), Some(&self.connection)).await?;
        let names: Vec<String> = known.iter().map(|doc| doc.export.clone()).collect();
        known.into_iter().find(|doc| doc.export == self.export).ok_or_else(|| {
            let Self { connection, export } = self;
            Failure::Missing(format!("{connection} has no export `{export}` (it has: {})", names.join(", ")))
        })
    }
}

/// Runs one.
pub(crate) async fn run(global: &Global, command: Command, out: Out) -> Result<(), Failure> {
    let state = global.state();
    let found = system::find(&state, global.endpoint.as_deref())?;
    if found.settings.exports_queue_url.is_empty() {
        return Err(Failure::Wrong(
            "set FILES_BUCKET and EXPORTS_QUEUE_URL: outputs of the stack".to_owned(),
        ));
    }
    let pipeline = found.pipeline().await;
    match command {
        Command::List { tenant } => list::run(&pipeline, &tenant, out).await,
        Command::Status(args) => status::run(&pipeline, &args, out).await,
        Command::Preview(args) => preview::run(&pipeline, &state, &args, out).await,
        Command::Retry(args) => retry::run(&pipeline, &args, out).await,
        Command::Run(which) => {
            let doc = which.find(&pipeline).await?;
            if doc.paused {
                return Err(Failure::Wrong(format!("{} is paused: resume it first", which.connection)));
            }
            pipeline.export_now(&which.connection, &which.export).await?;
            out.json(&json!({"queued": {"connection": which.connection, "export": which.export}, "at": SystemClock.now()}));
            out.text(format_args!(
                "queued: `bridge exports status {} {}` shows what came of it",
                which.connection, which.export
            ));
            Ok(())
        }
    }
}
