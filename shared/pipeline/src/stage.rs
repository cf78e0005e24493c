//! What the stages have in common.

use std::time::Duration;

use bridge_core::{
    Cause, Timestamp,
    config::Retention,
    id::ConnectionId,
    task::{Actor, Command, Payload, Release},
};
use serde::de::DeserializeOwned;

use crate::{
    batch::{Received, Report, Verdict},
    bridge::Bridge,
    configuration::{ConfigurationError, Loaded},
    keys::KeyError,
    ledger::{LaneKey, LedgerError, docs_write},
    line::Line,
    payload::Purpose,
    ports::{Entry, PortError, Ports, Queue, QueueName},
};

/// A failure of the world, not of the work: the record is tried again until the world is back.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Something can't be sealed or opened.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The configuration can't be read.
    #[error(transparent)]
    Configuration(#[from] ConfigurationError),
}

/// How long a group waits when the world failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);
/// How long a group waits for a version of the bridge that can read its task.
const UNREADABLE: Duration = Duration::from_mins(1);

pub(crate) fn failed(line: Line, error: &Failure) -> Report {
    let cause = Cause::new("bridge.unavailable", error.to_string());
    Report { verdict: Verdict::Again(AFTER_FAILURE), line: line.outcome("failed").cause(Some(cause)) }
}

/// Reads a record's task. What can't be read stays on its queue (a newer version may have put it there) and ends
/// in the dead letter queue, from where `retry` brings it into the ledger.
pub(crate) fn read_task<T: DeserializeOwned>(record: &Received) -> Result<T, Box<Report>> {
    serde_json::from_str(&record.body).map_err(|error| {
        // serde_json's text may quote the input: only its position is safe to show.
        let place = format!("line {}, column {}", error.line(), error.column());
        let cause = Cause::new("task.unreadable", "not a task of a version that this bridge knows").at(place);
        Box::new(Report {
            verdict: Verdict::Again(UNREADABLE),
            line: Line::new("read").outcome("unreadable").cause(Some(cause)),
        })
    })
}

pub(crate) fn unknown_connection(id: &ConnectionId) -> Cause {
    Cause::new("connection.unknown", format!("{id} is not configured: apply it, then release the lane"))
}

pub(crate) fn paused() -> Cause {
    Cause::new("connection.paused", "the connection is paused: resume it, and its work goes on in order")
}

const DAY: Duration = Duration::from_hours(24);

/// When a record about something of `at` has served its time.
pub(crate) fn expires(at: Timestamp, loaded: &Loaded) -> Timestamp {
    at + DAY * loaded.retention.ledger_days
}

/// The same where the tenant's retention can't be known.
pub(crate) fn longest(at: Timestamp) -> Timestamp {
    at + DAY * Retention::default().ledger_days
}

impl<P: Ports> Bridge<P> {
    /// Takes a finished task out of its lane, if a release sent it, and asks for the lane's next tasks.
    pub(crate) async fn settle_release(
        &self,
        lane: &LaneKey,
        release: Option<&Release>,
        id: &str,
    ) -> Result<(), Failure> {
        let Some(release) = release else { return Ok(()) };
        if !self.ledger().settle(lane, release, id).await? {
            return Ok(());
        }
        let actor = Actor { name: "bridge".to_owned(), reason: "the release goes on".to_owned() };
        let dedup = format!("{}#{}", release.epoch, release.order);
        Ok(self.command(&lane.release(actor, None), dedup).await?)
    }

    /// Puts a command on its queue. Commands about one lane or message are worked one after the other.
    ///
    /// # Errors
    /// When the queue fails.
    pub async fn command(&self, command: &Command, dedup: String) -> Result<(), PortError> {
        let group = match command {
            Command::ReleaseLane { lane, .. } => lane.to_string(),
            Command::ReplayMessage { message, .. } => message.to_string(),
            Command::TellOutcome { delivery, .. } => delivery.to_string(),
            Command::ReplayMany { replay, .. } => replay.clone(),
        };
        let entry = Entry { body: docs_write(command), dedup: format!("{group}#{dedup}"), group };
        self.ports.queue().send(QueueName::Commands, vec![entry]).await
    }

    /// A payload under a key that does not expire. One whose retention is over already stays as it is: its task is
    /// still worth keeping, for its cause.
    pub(crate) async fn preserved_payload(
        &self,
        purpose: Purpose,
        connection: &ConnectionId,
        id: &str,
        payload: Payload,
    ) -> Result<Payload, Failure> {
        match self.preserve(purpose, connection, id, &payload).await {
            Ok(preserved) => Ok(preserved),
            Err(KeyError::Port(error)) => Err(error.into()),
            Err(_) => Ok(payload),
        }
    }
}
