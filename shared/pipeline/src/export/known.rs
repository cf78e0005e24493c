//! What operators ask of exports, and have done.

use bridge_core::id::{ConnectionId, RunId};

use super::{
    docs::{AwaitedDoc, ProblemDoc, RunDoc, RunState, problems_of, read, runs_of},
    marks::marks_of,
    rows::Outcome,
};
use crate::{
    bridge::Bridge,
    ledger::LedgerError,
    ports::{FilePorts, Index, Ports, Query, Store, Table, Write, WriteError},
    stage::Failure,
};

const RACES: usize = 16;
/// What waits is counted up to here.
const COUNTED: usize = 10_000;

/// What the next file of an export would hold.
#[derive(Debug)]
pub struct Preview {
    /// Resources that have changed; counted up to ten thousand.
    pub changed: usize,
    /// Of how many of them the file is made.
    pub looked: usize,
    /// How many records it has.
    pub records: u64,
    /// The file. PHI.
    pub file: bridge_core::Phi<Vec<u8>>,
    /// Resources that it could not say, with the cause.
    pub held: Vec<(String, bridge_core::Cause)>,
}

impl<P: Ports> Bridge<P> {
    /// The runs of an export, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn export_runs(
        &self,
        connection: &ConnectionId,
        export: &str,
        limit: usize,
    ) -> Result<Vec<RunDoc>, LedgerError> {
        let all = Query::prefix(Table::Ledger, Index::ByConnection, runs_of(connection, export), "");
        let records = self.ports.store().query(Query { descending: true, limit, ..all }).await?;
        records.iter().map(|record| read(record, "run")).collect()
    }

    /// Has what was set aside come with the next run: all of an export, or of one of its runs. How many resources.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn retry_export(
        &self,
        connection: &ConnectionId,
        export: &str,
        run: Option<&RunId>,
    ) -> Result<usize, LedgerError> {
        let query = Query::prefix(Table::Ledger, Index::Main, problems_of(connection, export), "");
        let mut marked = 0;
        for record in self.ports.store().query(query).await? {
            let doc: ProblemDoc = read(&record, "problem")?;
            if run.is_some_and(|run| *run != doc.run) {
                continue;
            }
            let done = Write::Delete(record.key, record.rev);
            marked += usize::from(self.mark_again(connection, export, &doc.reference, Some(done)).await?);
        }
        Ok(marked)
    }

    /// Waits no longer for the answers of a run: what the receiver said nothing of comes with the next run. How many resources;
    /// `None` when the run waits for nothing.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn resend_unanswered(
        &self,
        connection: &ConnectionId,
        run: &RunId,
    ) -> Result<Option<usize>, LedgerError> {
        let Some(doc) = self.export_run(&connection.tenant(), run).await? else { return Ok(None) };
        if doc.state != RunState::Waiting {
            return Ok(None);
        }
        let mut references = Vec::new();
        let take = |awaited: &AwaitedDoc| references.extend(awaited.references.iter().cloned());
        let answers = self.count_answers(connection, run, take).await?;
        for reference in &references {
            self.mark_again(connection, &doc.export, reference, None).await?;
        }
        self.settle_answers(connection, run, answers, true).await?;
        Ok(Some(references.len()))
    }

    /// Marks a resource as changed, together with another write; `false` when that is not possible any more.
    async fn mark_again(
        &self,
        connection: &ConnectionId,
        export: &str,
        reference: &str,
        done: Option<Write>,
    ) -> Result<bool, LedgerError> {
        for _ in 0..RACES {
            // No state has this tag: whoever reads it looks twice.
            let mark = self.mark(connection, export, reference, "again").await?;
            match self.ports.store().write([Some(mark), done.clone()].into_iter().flatten().collect()).await {
                Ok(()) => return Ok(true),
                Err(WriteError::Conflict { index: 0, .. }) => {}
                Err(WriteError::Conflict { .. }) => return Ok(false),
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(LedgerError::Contended)
    }
}

impl<P: FilePorts> Bridge<P> {
    /// What the next file would hold, of the first `limit` resources that have changed. Nothing is taken. `None` when there is no
    /// such export; `Err` inside when nothing of it can be written.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn preview_export(
        &self,
        connection: &ConnectionId,
        export: &str,
        limit: usize,
    ) -> Result<Option<Result<Preview, bridge_core::Cause>>, Failure> {
        let Some(source) = self.connection(connection).await? else { return Ok(None) };
        if !source.connection.exports.contains_key(export) {
            return Ok(None);
        }
        let (now, tenant) = (self.now(), connection.tenant());
        let run = self.index_key(&tenant).await?.run(connection, export, now);
        let mut rows = match self.rows(&source, export, &run, now).await {
            Ok(rows) => rows,
            Err(stopped) => return stopped.into_cause().map(|cause| Some(Err(cause))),
        };
        let query = Query::prefix(Table::Ledger, Index::Main, marks_of(connection, export), "");
        let marks = self.ports.store().query(query.limit(COUNTED)).await?;
        let (mut file, mut held) = (Vec::new(), Vec::new());
        let unwritable = |error: bridge_formats::Unwritable| {
            Ok(Some(Err(bridge_core::Cause::new("export.unwritable", error.to_string()))))
        };
        if let Err(error) = rows.writer.begin(&mut file) {
            return unwritable(error);
        }
        let looked = marks.len().min(limit);
        for mark in marks.iter().take(looked) {
            let reference = &mark.key.sk;
            let Some((_, doc, json)) = self.tagged(&tenant, reference).await? else { continue };
            match self.write_rows(&mut rows, reference, &doc, &json, &mut file).await {
                Ok(Outcome::Held(cause)) => held.push((reference.clone(), cause)),
                Ok(_) => {}
                Err(stopped) => return stopped.into_cause().map(|cause| Some(Err(cause))),
            }
        }
        if let Err(error) = rows.writer.end(&mut file) {
            return unwritable(error);
        }
        let (records, file) = (rows.writer.records(), bridge_core::Phi::new(file));
        Ok(Some(Ok(Preview { changed: marks.len(), looked, records, file, held })))
    }
}
