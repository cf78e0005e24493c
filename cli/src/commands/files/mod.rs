//! `bridge files`: sending files, and seeing what became of them.

pub(crate) mod put;
mod quarantine;
mod report;
mod retry;
mod status;

use bridge_core::id::{FileId, TenantId};
use bridge_pipeline::files::FileDoc;

use crate::{
    arguments::Global,
    failure::Failure,
    output::Out,
    system::{self, Pipeline},
};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Send a file, and wait for what becomes of it
    Put(put::Args),
    /// List files, the newest first, or show how far one is
    Status(status::Args),
    /// Show what is wrong with the rows of a file that were set aside: places and reasons
    Quarantine(quarantine::Args),
    /// Show what became of a file
    Report(report::Args),
    /// Have a file read that was refused, or that nobody reads any more
    Retry(retry::Args),
}

/// A file and whose it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The file, `file_…`
    file: FileId,
    /// Of which practice
    #[arg(long, default_value = "sunrise")]
    tenant: TenantId,
}

impl Which {
    async fn find(&self, pipeline: &Pipeline) -> Result<FileDoc, Failure> {
        pipeline.file(&self.tenant, &self.file).await?.ok_or_else(|| {
            let Self { file, tenant } = self;
            Failure::Missing(format!(
                "{file} is not in the ledger of {tenant}: does it belong to another --tenant?"
            ))
        })
    }
}

/// Runs one.
pub(crate) async fn run(global: &Global, command: Command, out: Out) -> Result<(), Failure> {
    let found = system::find(&global.state(), global.endpoint.as_deref())?;
    if found.settings.files_bucket.is_empty() {
        return Err(Failure::Wrong("set FILES_BUCKET and DROPS_QUEUE_URL: outputs of the stack".to_owned()));
    }
    let pipeline = found.pipeline().await;
    match command {
        Command::Put(args) => put::run(&pipeline, &args, out).await,
        Command::Status(args) => status::run(&pipeline, &args, out).await,
        Command::Quarantine(args) => quarantine::run(&pipeline, &args, out).await,
        Command::Report(args) => report::run(&pipeline, &args, out).await,
        Command::Retry(args) => retry::run(&pipeline, &args, out).await,
    }
}
