//! `poll`: asking products what has changed, and putting it on `inbound.fifo` as a door would.
//!
//! schedule → due connections → a task for each on `polls.fifo` → lease → each resource type that is due: page by page →
//! when it is due again.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | connection | `{tenant}#polls` | `connection#{connection}` |
//! | cursor | `{tenant}#polls` | `cursor#{connection}#{resource}` |
//! | what a full listing had | `{tenant}#known#{connection}#{resource}` | `known#{0 or 1}#{page}` |
//! | what a long run listed | the same | `changes#{0 or 1}#{page}` |

mod cursor;
mod delta;
mod docs;
mod fetch;
mod known;
mod memory;
mod page;
mod private;
mod schedule;
mod turn;
mod walk;

use std::{sync::Arc, time::Duration};

use bridge_core::{Cause, Timestamp, id::ConnectionId, task::PollTask};

pub use docs::{Aim, CursorDoc, Listing, PollDoc, Run, Trail};
pub use schedule::PollStatus;
pub(crate) use schedule::is_polled;

use crate::{
    backoff::full_jitter,
    batch::{Received, Report, Verdict, Worker},
    bridge::Bridge,
    configuration::Loaded,
    line::Line,
    ports::{Clock, QueueName, RemotePorts},
    stage::{self, Failure},
};
use docs::next_time;
use turn::{Begun, Turn};
use walk::{Stop, Subject};

/// A failure is not followed by another try sooner than this.
const AFTER_FAILURE: Duration = Duration::from_secs(30);
/// The first failure waits as after so many others.
const FIRST_FAILURE: u32 = 6;
/// What throttles without saying for how long.
const A_SECOND: Duration = Duration::from_secs(1);
/// A connection that fails so often in a row is an event each time.
const FAILING: u32 = 3;
/// A paused connection is looked at again after this.
const PAUSED: Duration = Duration::from_mins(5);
/// The shortest time between two polls that a connection may choose.
const SHORTEST_EVERY: u64 = 10;

/// Works `polls.fifo`.
#[derive(Debug)]
pub struct Polls<'a, P>(pub &'a Bridge<P>);

impl<P: RemotePorts> Worker for Polls<'_, P> {
    fn queue(&self) -> Option<QueueName> {
        Some(QueueName::Polls)
    }

    async fn work(&self, record: &Received, time_left: Duration) -> Report {
        let (connection, now) = match stage::read_task::<PollTask>(record) {
            Ok(PollTask::Poll { connection, now }) => (connection, now),
            Ok(PollTask::Fetch { task, order }) => {
                let fetched =
                    self.0.fetch_record(&task, (&order, record.receives), self.0.now() + time_left).await;
                return fetched.unwrap_or_else(|error| stage::failed(fetch::line(&task), &error));
            }
            Err(report) => return *report,
        };
        let line = Line::new("poll").message("", &connection, "");
        match self.0.poll(&connection, now, self.0.now() + time_left).await {
            Ok(Polled::NotBefore(wait)) => {
                Report { verdict: Verdict::Again(wait), line: line.outcome("not yet") }
            }
            Ok(Polled::Over { outcome, sent, cause }) => {
                let line = line.outcome(outcome).resources(sent).cause(cause);
                Report { verdict: Verdict::Done, line }
            }
            Err(error) => stage::failed(line, &error),
        }
    }

    async fn park(&self, record: &Received, cause: Cause) -> Report {
        if let Ok(PollTask::Fetch { task, order }) = stage::read_task(record) {
            let line = fetch::line(&task).cause(Some(cause.clone()));
            return match self.0.park_fetch(&task, &order, cause).await {
                Ok(()) => Report { verdict: Verdict::Done, line: line.outcome("parked") },
                Err(error) => stage::failed(line, &error),
            };
        }
        // Nothing is lost with it: the schedule asks again, and the cursors stand where they stood.
        Report { verdict: Verdict::Done, line: Line::new("poll").outcome("dropped").cause(Some(cause)) }
    }
}

/// What came of a task.
enum Polled {
    NotBefore(Duration),
    Over { outcome: &'static str, sent: usize, cause: Option<Cause> },
}

impl Polled {
    const fn nothing(outcome: &'static str) -> Self {
        Self::Over { outcome, sent: 0, cause: None }
    }
}

impl<P: RemotePorts> Bridge<P> {
    async fn poll(
        &self,
        connection: &ConnectionId,
        forced: bool,
        deadline: Timestamp,
    ) -> Result<Polled, Failure> {
        let turn = match self.begin_turn(connection, forced, deadline).await? {
            Begun::Turn(turn) => turn,
            Begun::NotBefore(wait) => return Ok(Polled::NotBefore(wait)),
            Begun::Nothing(why) => return Ok(Polled::nothing(why)),
        };
        let loaded = match self.connection(connection).await? {
            Some(loaded) if schedule::is_polled(&loaded.manifest) => loaded,
            _ => {
                self.end_turn(turn, None).await?;
                return Ok(Polled::nothing("nothing to poll"));
            }
        };
        if loaded.connection.paused {
            self.end_turn(turn, Some(self.now() + PAUSED)).await?;
            return Ok(Polled::nothing("paused"));
        }
        match self.poll_all(&loaded, &turn, forced, deadline).await {
            Ok((due, polled)) => {
                self.end_turn(turn, Some(due)).await?;
                Ok(polled)
            }
            Err(error) => {
                // The world fails: whoever is next need not wait for the end of this lease.
                if let Err(error) = self.end_turn(turn, Some(self.now() + AFTER_FAILURE)).await {
                    tracing::warn!(%connection, %error, "a poll's lease could not be given back, and will expire");
                }
                Err(error)
            }
        }
    }

    /// Everything of a connection that is due, the longest overdue first; when something is due again.
    async fn poll_all(
        &self,
        loaded: &Arc<Loaded>,
        turn: &Turn,
        forced: bool,
        deadline: Timestamp,
    ) -> Result<(Timestamp, Polled), Failure> {
        let connection = &loaded.connection.connection;
        let Ok(api) = loaded.api() else {
            return Ok((self.now() + PAUSED, Polled::nothing("nothing to poll")));
        };
        let mut cursors = Vec::new();
        for (resource, rules) in &api.resources {
            let poll = rules.poll.as_ref().filter(|poll| loaded.has(poll.needs.as_deref()));
            if let (Some(poll), Some(kind)) = (poll, api.kinds.get(&rules.kind)) {
                let cursor = self.cursor(connection, resource).await?;
                cursors.push((
                    Subject {
                        loaded,
                        api,
                        resource,
                        poll,
                        kind,
                        named: &rules.kind,
                        turn: turn.began,
                        deadline,
                    },
                    cursor,
                ));
            }
        }
        cursors.sort_by_key(|(_, cursor)| cursor.doc.due);
        let (mut sent, mut failed, mut over) = (0, None, None);
        let mut due: Option<Timestamp> = None;
        for (of, cursor) in &mut cursors {
            let is_due = forced || cursor.doc.due <= turn.began;
            if is_due && over.is_none() {
                let before = cursor.doc.sent;
                let stop = self.walk(of, cursor).await?;
                sent += cursor.doc.sent - before;
                over = match &stop {
                    Stop::Fenced => return Ok((self.now(), Polled::nothing("fenced"))),
                    Stop::Failed { whole: true, .. } | Stop::NotBefore(_) => Some(cursor.doc.due),
                    _ => None,
                };
                self.settle(of, cursor, stop).await?;
                over = over.map(|_| cursor.doc.due);
                failed = cursor.doc.cause.clone().or(failed);
            } else if let (true, Some(until)) = (is_due, over) {
                // The others would hear the same.
                cursor.doc.due = until;
            }
            due = Some(due.map_or(cursor.doc.due, |due| due.min(cursor.doc.due)));
        }
        let outcome = if failed.is_some() { "failed" } else { "polled" };
        let sent = usize::try_from(sent).unwrap_or(usize::MAX);
        Ok((due.unwrap_or_else(|| self.now() + PAUSED), Polled::Over { outcome, sent, cause: failed }))
    }

    /// Writes down how a walk ended, and when the next one is due.
    async fn settle(&self, of: &Subject<'_>, cursor: &mut cursor::Cursor, stop: Stop) -> Result<(), Failure> {
        let now = self.now();
        let doc = &mut cursor.doc;
        match stop {
            Stop::Done => {
                (doc.failures, doc.cause) = (0, None);
                let place = format!("{}#{}", of.connection(), of.resource);
                doc.due = next_time(now, every(of), &place);
            }
            Stop::OutOfTime => doc.due = now,
            Stop::NotBefore(until) => doc.due = until.max(now + A_SECOND),
            Stop::Failed { cause, after, .. } => {
                doc.failures = doc.failures.saturating_add(1);
                let wait =
                    full_jitter(FIRST_FAILURE.saturating_add(doc.failures), self.ports.clock().chance());
                doc.due = now + wait.max(AFTER_FAILURE).max(after.unwrap_or_default());
                if doc.failures >= FAILING {
                    tracing::info!(
                        target: "bridge::event", event = "poll-failing", connection = %of.connection(),
                        resource = of.resource, failures = doc.failures, code = cause.code, why = cause.text
                    );
                }
                doc.cause = Some(cause);
            }
            Stop::Fenced => return Ok(()),
        }
        // Another has gone on from here: what stands there decides.
        let _ = self.put_cursor(of.connection(), of.resource, cursor, None).await?;
        Ok(())
    }
}

/// How long lies between two polls.
fn every(of: &Subject<'_>) -> Duration {
    let own = of.loaded.setting("poll-every").and_then(|text| text.parse().ok());
    Duration::from_secs(own.unwrap_or(of.poll.every).max(SHORTEST_EVERY))
}
