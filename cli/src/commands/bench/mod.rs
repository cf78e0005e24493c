//! `bridge bench`: what a message costs.

mod cost;
mod messages;
mod prices;
mod rows;
mod workload;

use crate::{arguments::Global, failure::Failure, output::Out};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// AWS calls and USD per message, counted over a run of the real functions against an emulator
    Cost(cost::Args),
}

/// Runs one.
pub(crate) async fn run(global: &Global, command: Command, out: Out) -> Result<(), Failure> {
    match command {
        Command::Cost(args) => cost::run(global, &args, out).await,
    }
}
