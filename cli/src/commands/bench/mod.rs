//! `bridge bench`: what a message costs.

use crate::{arguments::Global, failure::Failure, output::Out};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// AWS calls and USD per message, over a run against an emulator
    Cost,
}

/// Runs one.
pub(crate) async fn run(_global: &Global, _command: Command, _out: Out) -> Result<(), Failure> {
    Ok(())
}
