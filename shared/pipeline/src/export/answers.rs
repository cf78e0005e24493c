//! What the receiver says of the records of a file, row by row. A run that has been answered for is closed.

use bridge_core::{
    Cause,
    export::ExportResult,
    id::{BlindToken, ConnectionId, FileId, RunId},
};
use serde_json::Value;

use super::{
    docs::{
        Answer, Answers, AwaitedDoc, ProblemDoc, RunDoc, RunState, awaited_key, awaited_range, problem_key,
        read, run_key, waiting_key, waiting_range,
    },
    rows, tell,
};
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    ledger::{LedgerError, docs_write},
    ports::{
        Expect, FilePorts, Files, Index, PortError, Ports, Query, Record, Store, Table, Write, WriteError,
    },
    stage::Failure,
};

const RACES: usize = 16;
/// Records that are counted at once.
const AT_ONCE: usize = 1_000;

/// The export whose answers a feed reads.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    connection: ConnectionId,
    export: String,
    result: ExportResult,
    /// The runs that wait, the oldest first.
    runs: Vec<RunId>,
}

/// What a row says.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) token: BlindToken,
    pub(crate) accepted: bool,
    pub(crate) file: FileId,
    pub(crate) row: u64,
}

impl Asked {
    /// A row's answer; `Err` with what is wrong with it.
    pub(crate) fn read(
        &self,
        row: &Value,
        index: &bridge_seal::IndexKey,
        (file, number): (&FileId, u64),
    ) -> Result<Said, &'static str> {
        let name =
            rows::named(row, &self.result.row_key).ok_or("it names no record: see `result.row-key`")?;
        let status = rows::named(row, &self.result.status).ok_or("it has no status: see `result.status`")?;
        let accepted = self.result.accepted.contains(&status);
        if !accepted && !self.result.rejected.contains(&status) {
            return Err("its status is neither in `result.accepted` nor in `result.rejected`");
        }
        let token = rows::token(index, &self.connection, &self.export, &name);
        Ok(Said { token, accepted, file: file.clone(), row: number })
    }
}

impl<P: Ports> Bridge<P> {
    /// Whose answers a feed reads, if any.
    pub(crate) async fn asked(&self, source: &Loaded, feed: &str) -> Result<Option<Asked>, PortError> {
        let mut exports = source.connection.exports.iter();
        let found = exports.find_map(|(name, export)| {
            export.result.as_ref().filter(|result| result.feed == feed).map(|result| (name, result))
        });
        let Some((export, result)) = found else { return Ok(None) };
        let connection = source.connection.connection.clone();
        let (pk, prefix) = waiting_range(&connection, export);
        let records =
            self.ports.store().query(Query::prefix(Table::Ledger, Index::Main, pk, &prefix)).await?;
        let run = |record: &Record| record.key.sk.rsplit('#').next()?.parse().ok();
        let runs = records.iter().filter_map(run).collect();
        Ok(Some(Asked { connection, export: export.clone(), result: result.clone(), runs }))
    }

    /// Notes what a row says of a record: of the oldest run that waits for one of this name. Whether there is one.
    pub(crate) async fn note_answer(&self, asked: &Asked, said: &Said) -> Result<bool, Failure> {
        let tenant = asked.connection.tenant();
        for run in &asked.runs {
            for _ in 0..RACES {
                let key = awaited_key(&tenant, run, &said.token);
                let Some(record) = self.ports.store().get(&key).await? else { break };
                let mut doc: AwaitedDoc = read(&record, "awaited")?;
                match &doc.answer {
                    // This row was read before.
                    Some(answer) if answer.file == said.file && answer.row == said.row => return Ok(true),
                    Some(_) => break,
                    None => {}
                }
                doc.answer = Some(Answer { accepted: said.accepted, file: said.file.clone(), row: said.row });
                let mut answered = Record::new(key, docs_write(&doc));
                answered.expires = record.expires;
                let mut writes = vec![Write::Put(answered, Expect::Rev(record.rev))];
                for reference in doc.references.iter().filter(|_| !said.accepted) {
                    writes.push(self.rejection(asked, run, said, reference).await?);
                }
                match self.ports.store().write(writes).await {
                    Ok(()) => return Ok(true),
                    Err(WriteError::Conflict { .. }) => {}
                    Err(WriteError::Failed(error)) => return Err(error.into()),
                }
            }
        }
        Ok(false)
    }

    /// The write that sets a resource aside whose record was not taken.
    async fn rejection(
        &self,
        asked: &Asked,
        run: &RunId,
        said: &Said,
        reference: &str,
    ) -> Result<Write, PortError> {
        let key = problem_key(&asked.connection, &asked.export, reference);
        let known = self.ports.store().get(&key).await?;
        let expect = known.map_or(Expect::Absent, |record| Expect::Rev(record.rev));
        let text = "the receiver did not take it: see its answer, correct it, then `bridge exports retry`";
        let cause = Cause::new("export.rejected", text).at(format!("{} row {}", said.file, said.row));
        let doc = ProblemDoc { reference: reference.to_owned(), run: run.clone(), at: self.now(), cause };
        Ok(Write::Put(Record::new(key, docs_write(&doc)), expect))
    }

    /// A run.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn export_run(
        &self,
        tenant: &bridge_core::id::TenantId,
        run: &RunId,
    ) -> Result<Option<RunDoc>, LedgerError> {
        let record = self.ports.store().get(&run_key(tenant, run)).await?;
        record.map(|record| read(&record, "run")).transpose()
    }

    /// What has been answered of a run; `each` sees every record that has not.
    pub(super) async fn count_answers(
        &self,
        connection: &ConnectionId,
        run: &RunId,
        mut each: impl FnMut(&AwaitedDoc),
    ) -> Result<Answers, LedgerError> {
        let (pk, prefix) = awaited_range(&connection.tenant(), run);
        let mut answers = Answers::default();
        let mut query = Query::prefix(Table::Ledger, Index::Main, pk, prefix).limit(AT_ONCE);
        loop {
            let records = self.ports.store().query(query.clone()).await?;
            for record in &records {
                let doc: AwaitedDoc = read(record, "awaited")?;
                match &doc.answer {
                    None => {
                        answers.unanswered += 1;
                        each(&doc);
                    }
                    Some(answer) if answer.accepted => answers.accepted += 1,
                    Some(_) => answers.rejected += 1,
                }
            }
            let Some(last) = records.last().filter(|_| records.len() == AT_ONCE) else { return Ok(answers) };
            query.range = format!("{}\u{1}", last.key.sk)..=query.range.end().clone();
        }
    }

    /// Writes what has been answered of a run, and closes it where that is all of it, or where nobody waits any longer.
    pub(super) async fn settle_answers(
        &self,
        connection: &ConnectionId,
        run: &RunId,
        answers: Answers,
        gives_up: bool,
    ) -> Result<Option<RunDoc>, LedgerError> {
        let tenant = connection.tenant();
        for _ in 0..RACES {
            let Some(record) = self.ports.store().get(&run_key(&tenant, run)).await? else { return Ok(None) };
            let mut doc: RunDoc = read(&record, "run")?;
            if doc.state != RunState::Waiting {
                return Ok(Some(doc));
            }
            doc.answers = Some(answers);
            doc.updated_at = self.now();
            let mut writes = Vec::new();
            if answers.unanswered == 0 || gives_up {
                doc.state = RunState::Closed;
                let key = waiting_key(&doc);
                if let Some(waiting) = self.ports.store().get(&key).await? {
                    writes.push(Write::Delete(key, waiting.rev));
                }
            }
            writes.insert(0, Write::Put(doc.record(), Expect::Rev(record.rev)));
            match self.ports.store().write(writes).await {
                Ok(()) => {
                    tell::log(&doc);
                    return Ok(Some(doc));
                }
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(LedgerError::Contended)
    }
}

impl<P: FilePorts> Bridge<P> {
    /// After a file of answers: how the runs stand that waited for it, in the ledger and beside their files.
    pub(crate) async fn close_answered(&self, asked: &Asked) -> Result<(), Failure> {
        for run in &asked.runs {
            let answers = self.count_answers(&asked.connection, run, |_| {}).await?;
            let Some(doc) = self.settle_answers(&asked.connection, run, answers, false).await? else {
                continue;
            };
            if let Some(object) = &doc.object {
                let key = format!("{object}.result.json");
                self.ports.files().put(&key, tell::result(&doc).into_bytes()).await?;
            }
        }
        Ok(())
    }
}
