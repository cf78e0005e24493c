//! `bridge feeds`: trying a feed on a sample, and proposing one. Nothing is sent, and no bridge need run.

mod check;
mod guess;
mod infer;
mod sample;

use crate::{arguments::Global, failure::Failure, output::Out};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Read a sample through a feed, and show what its first records become
    Check(check::Args),
    /// Propose the declaration of a feed for a sample
    Infer(infer::Args),
}

/// Runs one.
pub(crate) async fn run(global: &Global, command: Command, out: Out) -> Result<(), Failure> {
    match command {
        Command::Check(args) => check::run(global, &args, out).await,
        Command::Infer(args) => infer::run(&args, out),
    }
}
