//! After the file: what was taken is changed no longer, what could not be written is set aside, and the run is over.
//!
//! Marks are removed together with a write of the run's own record: whoever has lost the turn removes none.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{Timestamp, id::ConnectionId};
use futures::future::try_join_all;

use super::{
    Job, Stopped,
    blocks::Taken,
    docs::{
        Answers, AwaitedDoc, ProblemDoc, RunDoc, RunState, awaited_key, problem_key, problems_of, read,
        waiting_key,
    },
    marks::mark_key,
    tell,
};
use crate::{
    bridge::Bridge,
    ledger::{LedgerError, docs_write},
    ports::{Expect, FilePorts, Index, PortError, Ports, Query, Record, Store, Table, Write, WriteError},
    stage::Failure,
};

/// Marks that one transaction removes; DynamoDB takes a hundred writes.
const AT_ONCE: usize = 40;
const RACES: usize = 16;
/// Where a schedule has no next time, somebody looks again after this.
const A_DAY: Duration = Duration::from_hours(24);

/// What one write of a transaction is about.
enum About {
    Mark,
    Problem(String),
}

impl<P: FilePorts> Bridge<P> {
    /// Notes each record that the receiver is to answer for, before it can.
    pub(super) async fn expect_answers(&self, job: &mut Job) -> Result<(), Stopped> {
        let blocks = job.held.run.blocks();
        for block in blocks.into_iter().skip(job.held.run.done as usize) {
            let taken = self.taken_block(&job.held.run, block).await?;
            for some in taken.chunks(AT_ONCE) {
                try_join_all(some.iter().map(|taken| self.await_records(&job.held.run, taken))).await?;
            }
            job.held.run.done += 1;
            self.export_heard(job, false).await?;
        }
        Ok(())
    }

    async fn await_records(&self, run: &RunDoc, taken: &Taken) -> Result<(), Failure> {
        for token in &taken.records {
            let key = awaited_key(&run.connection.tenant(), &run.run, token);
            let mut doc = AwaitedDoc { references: vec![taken.reference.clone()], answer: None };
            let mut expect = Expect::Absent;
            for _ in 0..RACES {
                let mut record = Record::new(key.clone(), docs_write(&doc));
                record.expires = Some(run.expires);
                let current = match self.ports.store().write(vec![Write::Put(record, expect.clone())]).await {
                    Ok(()) => break,
                    Err(WriteError::Conflict { current, .. }) => current,
                    Err(WriteError::Failed(error)) => return Err(error.into()),
                };
                // It is known already, or another resource made a record of the same name.
                let Some(current) = current else { continue };
                doc = read(&current, "awaited")?;
                if doc.references.contains(&taken.reference) {
                    break;
                }
                doc.references.push(taken.reference.clone());
                expect = Expect::Rev(current.rev);
            }
        }
        Ok(())
    }

    /// Removes the marks of what was taken, unless it has changed again.
    pub(super) async fn clear(&self, job: &mut Job) -> Result<(), Stopped> {
        let (connection, export) = (job.held.run.connection.clone(), job.held.run.export.clone());
        let problems = self.problem_revs(&connection, &export).await?;
        let blocks = job.held.run.blocks();
        for block in blocks.into_iter().skip(job.held.run.done as usize) {
            let taken = self.taken_block(&job.held.run, block).await?;
            for some in taken.get(job.held.run.within..).unwrap_or_default().chunks(AT_ONCE) {
                self.clear_some(job, some, &problems).await?;
            }
            job.held.run.done += 1;
            job.held.run.within = 0;
            self.export_heard(job, false).await?;
        }
        Ok(())
    }

    /// The same write says that it is done: done twice, it might remove the mark of a change that came between.
    async fn clear_some(
        &self,
        job: &mut Job,
        taken: &[Taken],
        problems: &BTreeMap<String, u64>,
    ) -> Result<(), Stopped> {
        let before = job.held.run.within;
        job.held.run.within += taken.len();
        let cleared = self.try_clear(job, taken, problems).await;
        if cleared.is_err() {
            job.held.run.within = before;
        }
        cleared
    }

    async fn try_clear(
        &self,
        job: &mut Job,
        taken: &[Taken],
        problems: &BTreeMap<String, u64>,
    ) -> Result<(), Stopped> {
        let now = self.now();
        job.held.renew(now);
        let mut writes = job.held.writes();
        let held = writes.len();
        let mut about = Vec::with_capacity(taken.len());
        for taken in taken {
            let run = &job.held.run;
            writes.push(Write::Delete(mark_key(&run.connection, &run.export, &taken.reference), taken.mark));
            about.push(About::Mark);
            let known = problems.get(&taken.reference).copied();
            if let Some(write) = problem(run, taken, known, now) {
                writes.push(write);
                about.push(About::Problem(taken.reference.clone()));
            }
        }
        while writes.len() > held {
            match self.ports.store().write(writes.clone()).await {
                Ok(()) => {
                    job.held.written();
                    return Ok(());
                }
                Err(WriteError::Conflict { index, .. }) if index < held => return Err(Stopped::Fenced),
                Err(WriteError::Conflict { index, current }) => {
                    let Some(conflict) = about.get(index - held) else { return Err(Stopped::Fenced) };
                    let (reference, rev) = match conflict {
                        // It has changed again, or its mark was removed by a write that seemed to fail.
                        About::Mark => (None, None),
                        About::Problem(reference) => {
                            (Some(reference.clone()), current.map(|record| record.rev))
                        }
                    };
                    writes.remove(index);
                    about.remove(index - held);
                    let Some(reference) = reference else { continue };
                    let again = taken.iter().find(|taken| taken.reference == reference);
                    if let Some(write) = again.and_then(|taken| problem(&job.held.run, taken, rev, now)) {
                        writes.push(write);
                        about.push(About::Problem(reference));
                    }
                }
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The run is over, but for what the receiver may answer. The export is due again.
    pub(super) async fn close_run(&self, job: &mut Job) -> Result<(), Stopped> {
        let now = self.now();
        let run = &mut job.held.run;
        let export = job.source.connection.exports.get(&run.export);
        let asks =
            run.object.is_some() && run.counts.records > 0 && export.is_some_and(|e| e.result.is_some());
        run.state = if asks { RunState::Waiting } else { RunState::Closed };
        run.answers = asks.then(|| Answers { unanswered: run.counts.records, ..Answers::default() });
        run.updated_at = now;
        let zone = export.and_then(|export| export.zone.as_ref()).unwrap_or(&job.source.connection.zone);
        let next = export.and_then(|export| export.schedule.next(run.to, zone)).unwrap_or(now + A_DAY);
        let doc = &mut job.held.export;
        (doc.run, doc.lease, doc.cause, doc.failures) = (None, None, None, 0);
        doc.last = Some(run.to);
        (doc.due, doc.look) = (next, next);
        let mut writes = job.held.writes();
        if asks {
            let mut waiting = Record::new(waiting_key(&job.held.run), "{}".to_owned());
            waiting.expires = Some(job.held.run.expires);
            writes.push(Write::Put(waiting, Expect::Absent));
        }
        match self.ports.store().write(writes).await {
            Ok(()) => {
                tell::log(&job.held.run);
                Ok(())
            }
            Err(WriteError::Conflict { .. }) => Err(Stopped::Fenced),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }
}

impl<P: Ports> Bridge<P> {
    /// What of an export was set aside, and at which revision.
    async fn problem_revs(
        &self,
        connection: &ConnectionId,
        export: &str,
    ) -> Result<BTreeMap<String, u64>, PortError> {
        let query = Query::prefix(Table::Ledger, Index::Main, problems_of(connection, export), "");
        let records = self.ports.store().query(query).await?;
        Ok(records.into_iter().map(|record| (record.key.sk, record.rev)).collect())
    }

    /// The resources of an export that were set aside, with their causes.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn export_problems(
        &self,
        connection: &ConnectionId,
        export: &str,
    ) -> Result<Vec<ProblemDoc>, LedgerError> {
        let query = Query::prefix(Table::Ledger, Index::Main, problems_of(connection, export), "");
        let records = self.ports.store().query(query).await?;
        records.iter().map(|record| read(record, "problem")).collect()
    }
}

/// What has to be written about a resource that is set aside, or no longer.
fn problem(run: &RunDoc, taken: &Taken, known: Option<u64>, now: Timestamp) -> Option<Write> {
    let key = problem_key(&run.connection, &run.export, &taken.reference);
    match (&taken.held, known) {
        (None, None) => None,
        (None, Some(rev)) => Some(Write::Delete(key, rev)),
        (Some(cause), known) => {
            let (reference, cause) = (taken.reference.clone(), cause.clone());
            let doc = ProblemDoc { reference, run: run.run.clone(), at: now, cause };
            let mut record = Record::new(key, docs_write(&doc));
            record.expires = Some(run.expires);
            Some(Write::Put(record, known.map_or(Expect::Absent, Expect::Rev)))
        }
    }
}
