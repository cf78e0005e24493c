//! `file-ingest`: a file that was dropped becomes messages on `inbound`, each row once.
//!
//! which feed? → its turn → weigh (seen before?) → examine and compare, where nothing may go on before all is known →
//! send → tell what became of it.
//!
//! Nothing is held but a piece of the file. How far it is stands in the ledger: a crash, or the end of an invocation's time,
//! costs what came after the last checkpoint, and is done again with the same ids (`docs/adr/0015`).

mod admit;
mod answers;
mod batches;
mod blocks;
mod claim;
mod compare;
mod decrypt;
mod docs;
mod examine;
mod known;
mod pass;
mod send;
mod source;
mod standing;
mod tell;
mod weigh;

use std::{sync::Arc, time::Duration};

use bridge_core::{
    Cause, Timestamp,
    feed::{BadRowPolicy, DeltaMode, Feed},
    id::{ConnectionId, FileId},
    task::FileTask,
};

pub use admit::feed_of;
pub use bridge_formats::cipher::{Cipher, CipherError};
pub use decrypt::Decryptor;
pub use docs::{Compared, FeedDoc, FileDoc, FileState, Lease, Phase, Progress, SnapshotDoc};
pub use standing::RowsNow;
pub use tell::{report_csv, report_json};

use self::claim::{Held, Turn};
use crate::{
    batch::{Received, Report, Verdict, Worker},
    bridge::Bridge,
    configuration::Loaded,
    line::Line,
    ports::{FilePorts, Queue, QueueName},
    stage::{self, Failure},
};

/// Where files are dropped: `drops/{connection}/{name}`, or `drops/{connection}/{feed}/{name}`.
pub const DROPS: &str = "drops/";

/// With less time than this nothing more is begun: the file goes on in another invocation.
const LEAST_TIME: Duration = Duration::from_secs(15);
/// How long the queue hides a file from others after its reader has been heard of.
const HIDDEN: Duration = Duration::from_mins(1);
/// How long a paused connection's file waits before somebody looks again.
const PAUSED: Duration = Duration::from_mins(10);

/// In what steps files are read.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Bytes that are read at once, and held.
    pub read: usize,
    /// After so many rows it is written how far the file is.
    pub rows: u64,
    /// After this long, too.
    pub every: Duration,
    /// Bytes of sorted keys that are held before they are set aside.
    pub run: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { read: 1 << 20, rows: 20_000, every: Duration::from_secs(10), run: 12 << 20 }
    }
}

/// Works the queue of dropped files.
#[derive(Debug)]
pub struct Ingest<'a, P> {
    /// The pipeline.
    pub bridge: &'a Bridge<P>,
    /// Its steps.
    pub pace: Pace,
    /// What decrypts files, where a feed says so.
    pub decryptor: Decryptor,
}

/// A file that is being read, and what is needed for it.
struct Job {
    held: Box<Held>,
    source: Arc<Loaded>,
    feed: Arc<Feed>,
    receipt: String,
    deadline: Timestamp,
    pace: Pace,
    decryptor: Decryptor,
    /// When it was last written how far it is.
    heard_at: Timestamp,
    /// What was written then, as of a moment when all that it says was durable and nothing else was.
    safe: Progress,
    /// Rows since then.
    rows: u64,
}

/// Why reading ends before a file's end.
enum Stopped {
    /// The world failed: later again.
    Failed(Failure),
    /// The file can't be read, or not any further.
    Refused(Cause),
    /// Another file said the same before.
    Repeats(FileId),
    /// There is a later version of it.
    Superseded,
    /// Somebody else has its turn.
    Fenced,
    /// The invocation ends.
    OutOfTime,
}

impl<E: Into<Failure>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<P: FilePorts> Worker for Ingest<'_, P> {
    fn queue(&self) -> Option<QueueName> {
        Some(QueueName::Drops)
    }

    async fn work(&self, record: &Received, time_left: Duration) -> Report {
        let deadline = self.bridge.now() + time_left;
        // The queue's own time-out is hours: from here on a crash is noticed after a minute.
        self.bridge.stay_hidden(&record.receipt).await;
        let mut report = Report { verdict: Verdict::Done, line: Line::new("file").outcome("nothing") };
        let files = match stage::read_task::<FileTask>(record) {
            Err(report) => return *report,
            Ok(FileTask::Read { connection, file }) => vec![(connection, file)],
            Ok(FileTask::Dropped(dropped)) => {
                let mut files = Vec::new();
                for object in &dropped {
                    match self.bridge.admit(object).await {
                        Ok(admitted) => files.extend(admitted),
                        Err(error) => return stage::failed(Line::new("file"), &error),
                    }
                }
                files
            }
        };
        for (connection, file) in files {
            report = self.read(&connection, &file, record, deadline).await;
            if report.verdict != Verdict::Done {
                break;
            }
        }
        report
    }

    async fn park(&self, record: &Received, cause: Cause) -> Report {
        let line = Line::new("file").cause(Some(cause));
        match self.bridge.ledger().keep_letter(QueueName::Drops, record).await {
            Ok(()) => Report { verdict: Verdict::Done, line: line.outcome("kept") },
            Err(error) => stage::failed(line, &error.into()),
        }
    }
}

impl<P: FilePorts> Ingest<'_, P> {
    async fn read(
        &self,
        connection: &ConnectionId,
        file: &FileId,
        record: &Received,
        deadline: Timestamp,
    ) -> Report {
        match self.try_read(connection, file, record, deadline).await {
            Ok(report) => report,
            Err(error) => stage::failed(Line::new("file").message(file, connection, ""), &error),
        }
    }

    async fn try_read(
        &self,
        connection: &ConnectionId,
        file: &FileId,
        record: &Received,
        deadline: Timestamp,
    ) -> Result<Report, Failure> {
        let bridge = self.bridge;
        let line = Line::new("file").message(file, connection, "");
        let again = |after, line: Line| Ok(Report { verdict: Verdict::Again(after), line });
        let Some(source) = bridge.connection(connection).await? else {
            let cause = stage::unknown_connection(connection);
            return again(PAUSED, line.outcome("waits").cause(Some(cause)));
        };
        if source.connection.paused {
            return again(PAUSED, line.outcome("waits").cause(Some(stage::paused())));
        }
        let held = match bridge.take_turn(connection, file).await? {
            Turn::Now(held) => held,
            Turn::Over(state) => {
                return Ok(Report { verdict: Verdict::Done, line: line.outcome(state.word()) });
            }
            Turn::Gone => return Ok(Report { verdict: Verdict::Done, line: line.outcome("gone") }),
            Turn::NotBefore(at) => return again(at.since(bridge.now()).min(HIDDEN), line.outcome("waits")),
        };
        let line = line.message(file, connection, &Feed::kind(&held.doc.feed));
        let feed = source.connection.feeds.get(&held.doc.feed).cloned().map(Arc::new);
        let heard_at = bridge.now();
        let (receipt, pace, decryptor) = (record.receipt.clone(), self.pace, self.decryptor);
        let known = feed.is_some();
        let feed = feed.unwrap_or_else(|| Arc::new(tell::no_feed()));
        let safe = held.doc.progress.clone();
        let mut job = Job { held, source, feed, receipt, deadline, pace, decryptor, heard_at, safe, rows: 0 };
        let ended = match known {
            true => bridge.read_through(&mut job).await,
            false => Err(Stopped::Refused(tell::feed_is_gone())),
        };
        let (state, cause) = match ended {
            Ok(()) => (FileState::Done, None),
            // What was replaced while it was read may be gone, too.
            Err(Stopped::Refused(_)) if !bridge.is_newest(&job.held.doc).await? => {
                (FileState::Superseded, Some(tell::superseded()))
            }
            Err(Stopped::Refused(cause)) => (FileState::Refused, Some(cause)),
            Err(Stopped::Repeats(first)) => (FileState::Duplicate, Some(tell::repeats(&first))),
            Err(Stopped::Superseded) => (FileState::Superseded, Some(tell::superseded())),
            Err(Stopped::Fenced) => return again(HIDDEN, line.outcome("fenced")),
            Err(Stopped::OutOfTime) => {
                return match bridge.end_file(&mut job).await {
                    Ok(()) => again(Duration::ZERO, line.outcome("goes on")),
                    Err(stopped) => Err(stopped.into_failure()),
                };
            }
            Err(Stopped::Failed(failure)) => {
                // Best effort: without it the turn ends by itself.
                job.held.doc.progress.clone_from(&job.safe);
                let _ = bridge.end_file(&mut job).await;
                return Err(failure);
            }
        };
        match bridge.settle_file(&mut job, state, cause.clone()).await {
            Ok(()) => Ok(Report { verdict: Verdict::Done, line: line.outcome(state.word()).cause(cause) }),
            Err(Stopped::Fenced) => again(HIDDEN, line.outcome("fenced")),
            Err(stopped) => Err(stopped.into_failure()),
        }
    }
}

impl Stopped {
    /// Of writing how far a file is.
    fn into_failure(self) -> Failure {
        match self {
            Self::Failed(failure) => failure,
            _ => crate::ledger::LedgerError::Contended.into(),
        }
    }
}

impl<P: FilePorts> Bridge<P> {
    /// Every step that is left.
    async fn read_through(&self, job: &mut Job) -> Result<(), Stopped> {
        loop {
            if !self.is_newest(&job.held.doc).await? {
                return Err(Stopped::Superseded);
            }
            let is_snapshot = job.feed.delta.mode == DeltaMode::Snapshot;
            let all_first = is_snapshot || job.feed.bad_rows.policy == BadRowPolicy::RefuseFile;
            let next = match job.held.doc.progress.phase {
                Phase::Weigh => {
                    self.weigh(job).await?;
                    if all_first { Phase::Examine } else { Phase::Send }
                }
                Phase::Examine => {
                    self.examine(job).await?;
                    if is_snapshot { Phase::Compare } else { Phase::Send }
                }
                Phase::Compare => {
                    self.compare_snapshots(job).await?;
                    Phase::Send
                }
                Phase::Send => {
                    self.send(job).await?;
                    Phase::Remove
                }
                Phase::Remove => {
                    self.remove(job).await?;
                    Phase::Tell
                }
                Phase::Tell => return Ok(()),
            };
            job.held.doc.progress.phase = next;
            job.held.doc.progress.checkpoint = None;
            self.heard(job, true).await?;
        }
    }

    /// Writes how far the file is, if it is time or `must` be, and stays its reader. What is written must be durable.
    async fn heard(&self, job: &mut Job, must: bool) -> Result<(), Stopped> {
        let now = self.now();
        if must || job.rows >= job.pace.rows || now.since(job.heard_at) >= job.pace.every {
            if !self.is_newest(&job.held.doc).await? {
                return Err(Stopped::Superseded);
            }
            self.keep_turn(job).await?;
            (job.heard_at, job.rows) = (now, 0);
            job.safe.clone_from(&job.held.doc.progress);
            self.stay_hidden(&job.receipt).await;
        }
        if job.deadline.since(now) < LEAST_TIME { Err(Stopped::OutOfTime) } else { Ok(()) }
    }

    /// Hides a file that is being read from others, for a while.
    async fn stay_hidden(&self, receipt: &str) {
        let hidden = vec![(receipt.to_owned(), HIDDEN)];
        if let Err(error) = self.ports.queue().hide(QueueName::Drops, hidden).await {
            // The queue's own time-out is longer: only a crash would be noticed later.
            tracing::warn!(%error, "the queue could not be told that a file is being read");
        }
    }
}
