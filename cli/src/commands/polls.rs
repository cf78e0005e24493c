//! `bridge polls`: what is asked of products, how far each is, and asking now.

use bridge_aws::SystemClock;
use bridge_core::id::{ConnectionId, TenantId};
use bridge_pipeline::{
    poll::{CursorDoc, PollStatus},
    ports::Clock as _,
};
use serde_json::json;

use crate::{
    arguments::Global,
    failure::Failure,
    output::{Out, Table},
    system,
};

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the connections that are polled: when last, when next, and what is wrong
    List {
        /// Of which practice
        #[arg(long, default_value = "sunrise")]
        tenant: TenantId,
    },
    /// Show how far each resource type of a connection is
    Status {
        /// Which one
        connection: ConnectionId,
    },
    /// Ask a connection's product now, whether or not it is due
    Run {
        /// Which one
        connection: ConnectionId,
    },
}

/// Runs one.
pub(crate) async fn run(global: &Global, command: Command, out: Out) -> Result<(), Failure> {
    let pipeline = system::find(&global.state(), global.endpoint.as_deref())?.pipeline().await;
    let missing = |connection: &ConnectionId| {
        Failure::Missing(format!(
            "{connection} is not polled: it is unknown or paused, or its adapter polls nothing"
        ))
    };
    match command {
        Command::List { tenant } => {
            let mut found = Vec::new();
            for poll in pipeline.polls(&tenant).await? {
                found.extend(pipeline.poll_status(&poll.connection).await?);
            }
            list(&found, out);
        }
        Command::Status { connection } => {
            let status = pipeline.poll_status(&connection).await?.ok_or_else(|| missing(&connection))?;
            show(&status, out);
        }
        Command::Run { connection } => {
            pipeline.poll_status(&connection).await?.ok_or_else(|| missing(&connection))?;
            let unique = format!("{}-{}", SystemClock.now().as_millis(), std::process::id());
            pipeline.poll_now(&connection, &unique).await?;
            out.json(&json!({"queued": connection}));
            out.text(format_args!("queued: `bridge polls status {connection}` shows what came of it"));
        }
    }
    Ok(())
}

/// Why the last poll of something failed, if it did.
fn trouble<'a>(resources: impl Iterator<Item = &'a CursorDoc>) -> String {
    let causes = resources.filter_map(|cursor| cursor.cause.as_ref());
    causes.map(ToString::to_string).next().unwrap_or_default()
}

fn list(found: &[PollStatus], out: Out) {
    let mut table = Table::new(&["connection", "polled", "due", "sent", "trouble"]);
    for status in found {
        out.json(&json!({"polls": status}));
        let sent: u64 = status.resources.iter().map(|(_, cursor)| cursor.sent).sum();
        table.row([
            status.poll.connection.to_string(),
            status.poll.polled_at.map(|at| at.to_string()).unwrap_or_default(),
            status.poll.due.to_string(),
            sent.to_string(),
            trouble(status.resources.iter().map(|(_, cursor)| cursor)),
        ]);
    }
    if found.is_empty() {
        out.text("no connection is polled");
        return;
    }
    for line in table.lines() {
        out.text(line);
    }
}

fn show(status: &PollStatus, out: Out) {
    out.json(&json!({"polls": status}));
    let mut table = Table::new(&["resource", "up to", "due", "pages", "records", "sent", "gone", "trouble"]);
    for (resource, cursor) in &status.resources {
        table.row([
            resource.clone(),
            cursor.mark.or(cursor.asked_at).map(|at| at.to_string()).unwrap_or_default(),
            cursor.due.to_string(),
            cursor.pages.to_string(),
            cursor.records.to_string(),
            cursor.sent.to_string(),
            cursor.listing.map(|listing| listing.gone.to_string()).unwrap_or_default(),
            trouble(std::iter::once(cursor)),
        ]);
    }
    if status.resources.is_empty() {
        out.text("it has not been polled yet");
        return;
    }
    for line in table.lines() {
        out.text(line);
    }
}
