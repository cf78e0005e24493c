//! Which exports there are, and which of them are due.

use bridge_core::{
    config::Connection,
    export::Export,
    id::{ConnectionId, TenantId},
    task::ExportTask,
};

use super::docs::{ExportDoc, due_partitions, export_key, export_record, exports_range, read};
use crate::{
    bridge::Bridge,
    configuration::ConfigurationError,
    ledger::{LedgerError, docs_write},
    ports::{
        Entry, Expect, Index, PortError, Ports, Query, Queue, QueueName, Store, Table, Write, WriteError,
    },
};

/// How many due exports of each part of the index are queued at a time.
const DUE_AT_A_TIME: usize = 500;
const RACES: usize = 16;

impl<P: Ports> Bridge<P> {
    /// A connection was applied: its exports are due when their schedules say so, and those that it has no longer never.
    pub(crate) async fn schedule_exports(&self, connection: &Connection) -> Result<(), ConfigurationError> {
        let id = &connection.connection;
        let unreadable =
            |error: LedgerError| ConfigurationError::Unreadable(id.to_string(), error.to_string());
        let known = self.exports(&id.tenant(), Some(id)).await.map_err(unreadable)?;
        let gone = known.iter().map(|doc| &doc.export).filter(|name| !connection.exports.contains_key(*name));
        for name in gone.chain(connection.exports.keys()) {
            self.schedule_export(connection, name).await?;
        }
        Ok(())
    }

    async fn schedule_export(&self, connection: &Connection, name: &str) -> Result<(), ConfigurationError> {
        let id = &connection.connection;
        let unreadable =
            |error: LedgerError| ConfigurationError::Unreadable(id.to_string(), error.to_string());
        for _ in 0..RACES {
            let record = self.ports.store().get(&export_key(id, name)).await?;
            let known: Option<ExportDoc> =
                record.as_ref().map(|record| read(record, "export")).transpose().map_err(unreadable)?;
            let write = match (connection.exports.get(name), record) {
                (None, None) => return Ok(()),
                (None, Some(record)) => Write::Delete(record.key, record.rev),
                (Some(export), record) => {
                    let doc = self.scheduled(connection, name, export, known);
                    let expect = record.map_or(Expect::Absent, |record| Expect::Rev(record.rev));
                    Write::Put(export_record(&doc), expect)
                }
            };
            match self.ports.store().write(vec![write]).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(ConfigurationError::Changed(format!("the schedule of {name} of {id}")))
    }

    /// An export by a schedule that may be new.
    fn scheduled(
        &self,
        connection: &Connection,
        name: &str,
        export: &Export,
        known: Option<ExportDoc>,
    ) -> ExportDoc {
        let now = self.now();
        let zone = export.zone.as_ref().unwrap_or(&connection.zone);
        let next = export.schedule.next(now, zone).unwrap_or(now);
        let new = || ExportDoc {
            connection: connection.connection.clone(),
            export: name.to_owned(),
            due: next,
            look: next,
            lease: None,
            turns: 0,
            runs: 0,
            run: None,
            last: None,
            paused: false,
            failures: 0,
            cause: None,
        };
        let mut doc = known.unwrap_or_else(new);
        match doc.run {
            // What stood in the way of a run that is under way may be gone.
            Some(_) => doc.look = doc.lease.unwrap_or(now).max(now),
            // What was due already, and paused, still is.
            None if doc.due <= now => doc.look = now,
            None => (doc.due, doc.look) = (next, next),
        }
        doc.paused = connection.paused;
        doc
    }

    /// Queues every export that is due; how many. To be called once a minute: what it queues twice is worked once.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn queue_due_exports(&self) -> Result<usize, LedgerError> {
        let now = self.now();
        let mut entries = Vec::new();
        for pk in due_partitions() {
            let (table, index) = (Table::Ledger, Index::ByAttention);
            // A place goes on with `#` after its time.
            let range = String::new()..=format!("{now}$");
            let query = Query { table, index, pk, range, descending: false, limit: DUE_AT_A_TIME };
            for record in self.ports.store().query(query).await? {
                let doc: ExportDoc = read(&record, "export")?;
                entries.push(entry(&doc.connection, &doc.export, &doc.look.to_string()));
            }
        }
        let count = entries.len();
        if count > 0 {
            self.ports.queue().send(QueueName::Exports, entries).await?;
            tracing::info!(target: "bridge::event", event = "exports due", exports = count);
        }
        Ok(count)
    }

    /// Runs an export now, whether or not it is due; whether there is one. A run that is under way goes on.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn export_now(&self, connection: &ConnectionId, name: &str) -> Result<bool, LedgerError> {
        for _ in 0..RACES {
            let now = self.now();
            let Some(record) = self.ports.store().get(&export_key(connection, name)).await? else {
                return Ok(false);
            };
            let mut doc: ExportDoc = read(&record, "export")?;
            if doc.run.is_none() {
                doc.due = doc.due.min(now);
            }
            doc.look = now;
            match self
                .ports
                .store()
                .write(vec![Write::Put(export_record(&doc), Expect::Rev(record.rev))])
                .await
            {
                Ok(()) => {
                    self.queue_export(connection, name, &format!("{now}#now")).await?;
                    return Ok(true);
                }
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(LedgerError::Contended)
    }

    async fn queue_export(
        &self,
        connection: &ConnectionId,
        name: &str,
        unique: &str,
    ) -> Result<(), PortError> {
        self.ports.queue().send(QueueName::Exports, vec![entry(connection, name, unique)]).await
    }

    /// The exports of a tenant, or of one of its connections.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn exports(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionId>,
    ) -> Result<Vec<ExportDoc>, LedgerError> {
        let (pk, prefix) = exports_range(tenant, connection);
        let records =
            self.ports.store().query(Query::prefix(Table::Ledger, Index::Main, pk, &prefix)).await?;
        records.iter().map(|record| read(record, "export")).collect()
    }
}

/// An export's tasks are worked one after the other.
fn entry(connection: &ConnectionId, export: &str, unique: &str) -> Entry {
    let task = ExportTask::Run { connection: connection.clone(), export: export.to_owned() };
    let group = format!("{connection}#{export}");
    Entry { body: docs_write(&task), dedup: format!("{group}#{unique}"), group }
}
