//! `bridge messages`: finding messages, following them, and sending them through again.

pub(crate) mod access;
mod list;
mod replay;
mod show;
mod trace;

use std::time::Duration;

use bridge_aws::SystemClock;
use bridge_core::{
    Timestamp,
    id::{ConnectionId, MessageId, TenantId},
};
use bridge_pipeline::{ports::Clock as _, queries::Overview};

use crate::{
    arguments::Global,
    failure::Failure,
    output::Out,
    system::{self, Pipeline},
};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List messages, the newest first
    List(list::Args),
    /// Show what is known of a message
    Show(show::Args),
    /// Show every step of a message with its time
    Trace(trace::Args),
    /// Send parked or finished messages through again, in lane order
    Replay(replay::Args),
}

/// A message and whose it is.
#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// The message, `msg_…`
    message: MessageId,
    /// Of which practice
    #[arg(long, default_value = "sunrise")]
    tenant: TenantId,
}

/// Runs one.
pub(crate) async fn run(global: &Global, command: Command, out: Out) -> Result<(), Failure> {
    let state = global.state();
    let pipeline = system::find(&state, global.endpoint.as_deref())?.pipeline().await;
    match command {
        Command::List(args) => list::run(&pipeline, &args, out).await,
        Command::Show(args) => show::run(&pipeline, &state, &args, out).await,
        Command::Trace(args) => trace::run(&pipeline, &args, out).await,
        Command::Replay(args) => replay::run(&pipeline, &args, out).await,
    }
}

impl Which {
    async fn find(&self, pipeline: &Pipeline) -> Result<Overview, Failure> {
        pipeline.message(&self.tenant, &self.message).await?.ok_or_else(|| {
            Failure::Missing(format!(
                "{} is not in the ledger of {}: it may still be on its queue, or belong to another --tenant",
                self.message, self.tenant
            ))
        })
    }
}

/// All connections of a practice, or the one that was named.
async fn connections(
    pipeline: &Pipeline,
    tenant: &TenantId,
    one: Option<&ConnectionId>,
) -> Result<Vec<ConnectionId>, Failure> {
    if let Some(one) = one {
        return Ok(vec![one.clone()]);
    }
    Ok(pipeline.connections(tenant).await?.into_iter().map(|stored| stored.connection).collect())
}

/// Seconds may pass until an index knows; the messages of the current millisecond belong to the list as well.
pub(crate) fn now() -> Timestamp {
    SystemClock.now() + Duration::from_secs(1)
}

/// Tells a command from the same one given before: within five minutes a queue drops what has the same name.
pub(crate) fn unique() -> String {
    format!("cli#{}#{}", std::process::id(), SystemClock.now().as_millis())
}
