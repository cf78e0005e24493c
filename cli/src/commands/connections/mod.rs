//! `bridge connections`: the links of practices to systems, as versioned YAML.

pub(crate) mod apply;
mod diff;
mod drift;
mod list;
mod pause;
mod rollback;
mod shadow;
mod show;
mod test;

use std::sync::Arc;

use bridge_core::id::ConnectionId;
use bridge_pipeline::configuration::Loaded;

pub(crate) use pause::release;

use crate::{
    arguments::Global,
    failure::Failure,
    output::Out,
    system::{self, Pipeline},
};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Check and apply a file, or all files of a folder
    Apply(apply::Args),
    /// List a practice's connections
    List(list::Args),
    /// Show a connection: its YAML, its versions, what its door turned away
    Show(show::Args),
    /// Compare a file with what is applied, or two versions
    Diff(diff::Args),
    /// Show where payloads differ from what they usually look like, or accept that
    Drift(drift::Args),
    /// See what a change would make of the messages that were received, without sending anything
    Shadow(shadow::Args),
    /// Apply an earlier version again, with the secrets of today
    Rollback(rollback::Args),
    /// Let a connection's work wait
    Pause(pause::Args),
    /// Let a paused connection's work go on, in order
    Resume(pause::Args),
    /// Try a connection: a signed request through its door, or the way to its destination
    Test(test::Args),
}

/// Runs one.
pub(crate) async fn run(global: &Global, command: Command, out: Out) -> Result<(), Failure> {
    let state = global.state();
    let found = system::find(&state, global.endpoint.as_deref())?;
    let pipeline = found.pipeline().await;
    // Each holds a whole connection: the caller's future would hold the largest of them.
    match command {
        Command::Apply(args) => Box::pin(apply::run(&pipeline, &args, out)).await,
        Command::List(args) => list::run(&pipeline, &args, out).await,
        Command::Show(args) => show::run(&pipeline, &args, out).await,
        Command::Diff(args) => diff::run(&pipeline, &args, out).await,
        Command::Drift(args) => drift::run(&pipeline, &args, out).await,
        Command::Shadow(args) => Box::pin(shadow::run(&pipeline, &found, &state, &args, out)).await,
        Command::Rollback(args) => Box::pin(rollback::run(&pipeline, &args, out)).await,
        Command::Pause(args) => Box::pin(pause::pause(&pipeline, &args, out)).await,
        Command::Resume(args) => Box::pin(pause::resume(&pipeline, &args, out)).await,
        Command::Test(args) => Box::pin(test::run(&pipeline, &found, &args, out)).await,
    }
}

/// A connection that must be there.
pub(crate) async fn existing(pipeline: &Pipeline, id: &ConnectionId) -> Result<Arc<Loaded>, Failure> {
    pipeline.connection(id).await?.ok_or_else(|| {
        Failure::Missing(format!(
            "there is no connection `{id}`: see `bridge connections list {}`",
            id.tenant()
        ))
    })
}
