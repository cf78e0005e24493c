//! Who works at an export, and until when. Its record and its run's are written together, each at the revision it was read at:
//! whoever lost the lease notices with the next write, before anything of it can be seen.

use std::time::Duration;

use bridge_core::{Timestamp, id::ConnectionId};

use super::{
    Job, Stopped,
    docs::{Counts, ExportDoc, Phase, RunDoc, RunState, export_key, export_record, read, run_key},
};
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    ledger::{LedgerError, SKEW},
    ports::{Expect, FilePorts, Store, Write, WriteError},
    stage::{self, Failure},
};

/// Who has not written for so long is gone.
pub(super) const LEASE: Duration = Duration::from_mins(1);
const RACES: usize = 16;

/// What came of asking for a turn.
pub(super) enum Turn {
    Now(Box<Held>),
    /// Another has it.
    NotBefore(Timestamp),
    /// There is nothing to do, and why.
    Nothing(&'static str),
}

/// The right to work at an export, and what it rests on.
pub(super) struct Held {
    pub(super) export: ExportDoc,
    pub(super) export_rev: u64,
    pub(super) run: RunDoc,
    pub(super) run_rev: u64,
}

impl Held {
    /// The writes that keep what this rests on.
    pub(super) fn writes(&self) -> Vec<Write> {
        let run = if self.run_rev == 0 { Expect::Absent } else { Expect::Rev(self.run_rev) };
        vec![
            Write::Put(export_record(&self.export), Expect::Rev(self.export_rev)),
            Write::Put(self.run.record(), run),
        ]
    }

    /// They were written.
    pub(super) const fn written(&mut self) {
        self.export_rev += 1;
        self.run_rev += 1;
    }

    /// Keeps the turn for another while.
    pub(super) fn renew(&mut self, now: Timestamp) {
        self.run.updated_at = now;
        self.export.lease = Some(now + LEASE);
        // Whoever dies now is followed by the schedule.
        self.export.look = now + LEASE + SKEW;
    }
}

impl<P: FilePorts> Bridge<P> {
    /// Asks for a turn: to begin the run that is due, or to go on with the one that is under way.
    pub(super) async fn take_export(
        &self,
        connection: &ConnectionId,
        name: &str,
        source: &Loaded,
    ) -> Result<Turn, Failure> {
        let Some(export) = source.connection.exports.get(name) else { return Ok(Turn::Nothing("gone")) };
        let zone = export.zone.as_ref().unwrap_or(&source.connection.zone);
        for _ in 0..RACES {
            let Some(record) = self.ports.store().get(&export_key(connection, name)).await? else {
                return Ok(Turn::Nothing("not scheduled"));
            };
            let (mut doc, export_rev): (ExportDoc, u64) = (read(&record, "export")?, record.rev);
            let now = self.now();
            if let Some(until) = doc.lease.filter(|until| *until + SKEW > now) {
                return Ok(Turn::NotBefore(until + SKEW));
            }
            let under_way = match &doc.run {
                Some(run) => self.ports.store().get(&run_key(&connection.tenant(), run)).await?,
                None => None,
            };
            let (run, run_rev) = match under_way {
                Some(record) => (read::<RunDoc>(&record, "run")?, record.rev),
                None if doc.due > now => return Ok(Turn::Nothing("not due")),
                None => {
                    doc.due = export.schedule.latest(doc.due, now, zone);
                    doc.runs += 1;
                    (self.new_run(&doc, source).await?, 0)
                }
            };
            doc.run = Some(run.run.clone());
            doc.turns += 1;
            let mut held = Held { export: doc, export_rev, run, run_rev };
            held.renew(now);
            match self.ports.store().write(held.writes()).await {
                Ok(()) => {
                    held.written();
                    return Ok(Turn::Now(Box::new(held)));
                }
                // This period had its run, before the export was taken away and declared again: the next one has not.
                Err(WriteError::Conflict { index: 1, current: Some(_) }) if held.run_rev == 0 => {
                    let mut doc: ExportDoc = read(&record, "export")?;
                    doc.due = export.schedule.next(held.run.to, zone).unwrap_or(now);
                    doc.look = doc.due;
                    let skip = Write::Put(export_record(&doc), Expect::Rev(export_rev));
                    match self.ports.store().write(vec![skip]).await {
                        Ok(()) | Err(WriteError::Conflict { .. }) => {}
                        Err(WriteError::Failed(error)) => return Err(error.into()),
                    }
                }
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(LedgerError::Contended.into())
    }

    async fn new_run(&self, doc: &ExportDoc, source: &Loaded) -> Result<RunDoc, Failure> {
        let (index, now) = (self.index_key(&doc.connection.tenant()).await?, self.now());
        Ok(RunDoc {
            run: index.run(&doc.connection, &doc.export, doc.due),
            connection: doc.connection.clone(),
            export: doc.export.clone(),
            number: doc.runs,
            from: doc.last,
            to: doc.due,
            version: source.version,
            began_at: now,
            updated_at: now,
            state: RunState::Running,
            phase: Phase::Select,
            cursor: None,
            segments: Vec::new(),
            done: 0,
            within: 0,
            counts: Counts::default(),
            object: None,
            upload: None,
            answers: None,
            expires: stage::expires(now, source),
        })
    }

    /// Writes how far the run is, if it is time or `must` be, and keeps the turn. What is written must be durable.
    pub(super) async fn export_heard(&self, job: &mut Job, must: bool) -> Result<(), Stopped> {
        let now = self.now();
        if must || now.since(job.heard_at) >= job.pace.every {
            job.held.renew(now);
            self.write_export(job).await?;
            job.heard_at = now;
        }
        if job.deadline.since(now) < super::LEAST_TIME { Err(Stopped::OutOfTime) } else { Ok(()) }
    }

    /// Writes how far the run is, and lets others look at it from `look` on.
    pub(super) async fn leave_export(&self, job: &mut Job, look: Timestamp) -> Result<(), Stopped> {
        job.held.export.lease = None;
        job.held.export.look = look;
        job.held.run.updated_at = self.now();
        self.write_export(job).await
    }

    pub(super) async fn write_export(&self, job: &mut Job) -> Result<(), Stopped> {
        match self.ports.store().write(job.held.writes()).await {
            Ok(()) => {
                job.held.written();
                Ok(())
            }
            Err(WriteError::Conflict { .. }) => Err(Stopped::Fenced),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }
}
