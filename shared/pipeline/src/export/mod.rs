//! `export`: what has changed becomes a file, each change once.
//!
//! schedule → due exports → a task for each on `exports.fifo` → lease → select (marks, resources, records, sealed blocks) →
//! expect (what the receiver is to answer for) → publish (one object, at once) → clear (the marks) → due again.
//!
//! A run is an export and a period; its record in the ledger says how far it is. Every step is done again by whoever comes after
//! a crash, and none can be done twice with an effect (`docs/adr/0017`, `docs/adr/0018`).
//!
//! | record | pk | sk |
//! |---|---|---|
//! | export | `{tenant}#exports` | `export#{connection}#{export}` |
//! | run that waits for answers | `{tenant}#exports` | `waiting#{connection}#{export}#{to}#{run}` |
//! | run | `{tenant}#{run}` | `run` |
//! | record that is to be answered for | `{tenant}#{run}` | `record#{token}` |
//! | resource that was set aside | `{tenant}#set-aside#{connection}#{export}` | `{Type}/{id}` |
//! | resource that has changed | `{tenant}#marks#{connection}#{export}` | `{Type}/{id}` |

mod answers;
mod blocks;
mod claim;
mod clear;
mod docs;
mod envelope;
mod known;
mod marks;
mod publish;
mod rows;
mod schedule;
mod select;
mod tell;

use std::{sync::Arc, time::Duration};

use bridge_core::{Cause, Timestamp, id::ConnectionId, task::ExportTask};

pub(crate) use answers::Asked;
pub use bridge_formats::cipher::{Cipher, CipherError};
pub use docs::{Answers, Counts, ExportDoc, Phase, ProblemDoc, RunDoc, RunState, Segment, Upload};
pub use envelope::Encryptor;
pub use known::Preview;

use self::claim::{Held, Turn};
use crate::{
    backoff::full_jitter,
    batch::{Received, Report, Verdict, Worker},
    bridge::Bridge,
    configuration::Loaded,
    line::Line,
    ports::{Clock, FilePorts, QueueName},
    stage::{self, Failure},
};

/// With less time than this nothing more is begun: the run goes on in another invocation.
const LEAST_TIME: Duration = Duration::from_secs(15);
/// How long the queue hides a task whose export another works at.
const HIDDEN: Duration = Duration::from_mins(1);
/// The first failure waits as after so many others.
const FIRST_FAILURE: u32 = 6;
/// What stands in the way of a run is looked at again after this, at the soonest.
const AFTER_BLOCKED: Duration = Duration::from_mins(1);

/// In what steps files are written.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Marks that are read at once.
    pub page: usize,
    /// A block is closed once it has so many bytes,
    pub block: usize,
    /// or so many resources.
    pub taken: usize,
    /// Bytes of a part of the object; S3 takes 5 MiB to 5 GiB, and 10,000 of them.
    pub part: usize,
    /// After this long it is written how far the run is.
    pub every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { page: 200, block: 1 << 20, taken: 1_000, part: 8 << 20, every: Duration::from_secs(10) }
    }
}

/// Works `exports.fifo`.
#[derive(Debug)]
pub struct Exports<'a, P> {
    /// The pipeline.
    pub bridge: &'a Bridge<P>,
    /// Its steps.
    pub pace: Pace,
    /// What encrypts files, where an export says so.
    pub encryptor: Encryptor,
}

/// A run that is under way, and what is needed for it.
struct Job {
    held: Box<Held>,
    source: Arc<Loaded>,
    deadline: Timestamp,
    pace: Pace,
    encryptor: Encryptor,
    /// When it was last written how far it is.
    heard_at: Timestamp,
}

/// Why a turn ends before its run.
enum Stopped {
    /// The world failed: later again.
    Failed(Failure),
    /// As things are declared, it can't go on.
    Blocked(Cause),
    /// Somebody else has the turn.
    Fenced,
    /// The invocation ends.
    OutOfTime,
    /// The step has to be done once more.
    Again,
    /// What was set aside is gone: the run begins anew.
    Lost,
}

impl<E: Into<Failure>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<P: FilePorts> Worker for Exports<'_, P> {
    fn queue(&self) -> Option<QueueName> {
        Some(QueueName::Exports)
    }

    async fn work(&self, record: &Received, time_left: Duration) -> Report {
        let (connection, export) = match stage::read_task::<ExportTask>(record) {
            Ok(ExportTask::Run { connection, export }) => (connection, export),
            Err(report) => return *report,
        };
        let line = Line::new("export").message(&export, &connection, "");
        let deadline = self.bridge.now() + time_left;
        match self.run(&connection, &export, deadline).await {
            Ok((verdict, outcome, cause)) => Report { verdict, line: line.outcome(outcome).cause(cause) },
            Err(error) => stage::failed(line, &error),
        }
    }

    async fn park(&self, _record: &Received, cause: Cause) -> Report {
        // Nothing is lost with it: the schedule asks again, and the run stands where it stood.
        Report { verdict: Verdict::Done, line: Line::new("export").outcome("dropped").cause(Some(cause)) }
    }
}

type Ended = (Verdict, &'static str, Option<Cause>);

impl<P: FilePorts> Exports<'_, P> {
    async fn run(
        &self,
        connection: &ConnectionId,
        name: &str,
        deadline: Timestamp,
    ) -> Result<Ended, Failure> {
        let bridge = self.bridge;
        let Some(source) = bridge.connection(connection).await? else {
            return Ok((Verdict::Done, "unknown", Some(stage::unknown_connection(connection))));
        };
        if source.connection.paused {
            return Ok((Verdict::Done, "paused", Some(stage::paused())));
        }
        let held = match bridge.take_export(connection, name, &source).await? {
            Turn::Now(held) => held,
            Turn::NotBefore(at) => {
                return Ok((Verdict::Again(at.since(bridge.now()).min(HIDDEN)), "waits", None));
            }
            Turn::Nothing(why) => return Ok((Verdict::Done, why, None)),
        };
        let (pace, encryptor, heard_at) = (self.pace, self.encryptor, bridge.now());
        let mut job = Job { held, source, deadline, pace, encryptor, heard_at };
        let ended = bridge.go_through(&mut job).await;
        let now = bridge.now();
        match ended {
            Ok(()) => Ok((Verdict::Done, job.held.run.state.word(), None)),
            Err(Stopped::Fenced) => Ok((Verdict::Again(HIDDEN), "fenced", None)),
            Err(Stopped::OutOfTime | Stopped::Again | Stopped::Lost) => {
                match bridge.leave_export(&mut job, now).await {
                    Ok(()) => Ok((Verdict::Again(Duration::ZERO), "goes on", None)),
                    Err(Stopped::Failed(failure)) => Err(failure),
                    Err(_) => Ok((Verdict::Again(HIDDEN), "fenced", None)),
                }
            }
            Err(Stopped::Blocked(cause)) => {
                let doc = &mut job.held.export;
                doc.failures = doc.failures.saturating_add(1);
                doc.cause = Some(cause.clone());
                let wait =
                    full_jitter(FIRST_FAILURE.saturating_add(doc.failures), bridge.ports.clock().chance());
                tracing::info!(
                    target: "bridge::event", event = "export-failing", connection = connection.as_str(),
                    export = name, failures = doc.failures, code = cause.code, why = cause.text
                );
                match bridge.leave_export(&mut job, now + wait.max(AFTER_BLOCKED)).await {
                    Err(Stopped::Failed(failure)) => Err(failure),
                    Ok(()) | Err(_) => Ok((Verdict::Done, "blocked", Some(cause))),
                }
            }
            Err(Stopped::Failed(failure)) => {
                // Best effort: without it the turn ends by itself.
                let _ = bridge.leave_export(&mut job, now).await;
                Err(failure)
            }
        }
    }
}

impl<P: FilePorts> Bridge<P> {
    /// Every step that is left.
    async fn go_through(&self, job: &mut Job) -> Result<(), Stopped> {
        loop {
            let version = job.source.version;
            // Half of a file by one mapping and half by another would be neither's.
            if job.held.run.phase == Phase::Select && job.held.run.version != version {
                job.held.run.restart(version);
            }
            let stepped = match job.held.run.phase {
                Phase::Select => self.select(job).await.map(|()| Some(Phase::Expect)),
                Phase::Expect => self.expect_answers(job).await.map(|()| Some(Phase::Publish)),
                Phase::Publish => self.publish(job).await.map(|()| Some(Phase::Clear)),
                Phase::Clear => self.clear(job).await.map(|()| None),
            };
            match stepped {
                Ok(Some(next)) => {
                    job.held.run.phase = next;
                    (job.held.run.done, job.held.run.within) = (0, 0);
                    self.export_heard(job, true).await?;
                }
                Ok(None) => return self.close_run(job).await,
                // Nothing of it is out yet, and every mark stands where it stood.
                Err(Stopped::Lost) if job.held.run.phase != Phase::Clear && job.held.run.upload.is_none() => {
                    job.held.run.restart(version);
                    self.export_heard(job, true).await?;
                }
                Err(Stopped::Again) => {}
                Err(Stopped::Lost) => {
                    let text = "blocks that the run has set aside are gone: `bridge exports status` shows its run; report it";
                    return Err(Stopped::Blocked(Cause::new("export.lost", text)));
                }
                Err(stopped) => return Err(stopped),
            }
        }
    }
}

impl Stopped {
    /// Of looking at what is declared.
    fn into_cause(self) -> Result<Cause, Failure> {
        match self {
            Self::Failed(failure) => Err(failure),
            Self::Blocked(cause) => Ok(cause),
            _ => Err(crate::ledger::LedgerError::Contended.into()),
        }
    }
}
