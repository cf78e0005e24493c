//! Which connections are polled, which of them are due, and where they stand.

use bridge_core::{
    id::{ConnectionId, TenantId},
    manifest::Manifest,
    task::PollTask,
};
use serde::Serialize;

use super::{
    docs::{CursorDoc, PollDoc, due_partitions, poll_key, poll_record},
    turn::read,
};
use crate::{
    bridge::Bridge,
    configuration::ConfigurationError,
    ledger::{LedgerError, docs_read, docs_write},
    ports::{
        Entry, Expect, Index, PortError, Ports, Query, Queue, QueueName, Store, Table, Write, WriteError,
    },
    queries::QueryError,
};

/// How many due connections of each part of the index are queued at a time.
const DUE_AT_A_TIME: usize = 500;
const RACES: usize = 16;

/// Where a connection's polls stand.
#[derive(Debug, Clone, Serialize)]
pub struct PollStatus {
    /// The connection.
    pub poll: PollDoc,
    /// Its resource types, by name.
    pub resources: Vec<(String, CursorDoc)>,
}

/// Whether anything of a product is polled.
pub(crate) fn is_polled(manifest: &Manifest) -> bool {
    let api = manifest.api.as_ref();
    api.is_some_and(|api| api.resources.values().any(|resource| resource.poll.is_some()))
}

impl<P: Ports> Bridge<P> {
    /// A connection was applied: it is due at once where it is `asked` to be polled and can be, and never where it is not.
    pub(crate) async fn schedule_poll(
        &self,
        connection: &ConnectionId,
        manifest: &Manifest,
        asked: bool,
    ) -> Result<(), ConfigurationError> {
        let wanted = is_polled(manifest) && asked;
        for _ in 0..RACES {
            let record = self.ports.store().get(&poll_key(connection)).await?;
            let due = self.now();
            let write = match record {
                None if !wanted => return Ok(()),
                None => {
                    let doc = PollDoc {
                        connection: connection.clone(),
                        due,
                        lease: None,
                        turns: 0,
                        polled_at: None,
                    };
                    Write::Put(poll_record(&doc), Expect::Absent)
                }
                Some(record) if wanted => {
                    let unreadable = |error: LedgerError| {
                        ConfigurationError::Unreadable(connection.to_string(), error.to_string())
                    };
                    // A turn that is under way goes on as it began; the next one begins when it is over.
                    let doc = PollDoc { due, ..read(&record).map_err(unreadable)? };
                    Write::Put(poll_record(&doc), Expect::Rev(record.rev))
                }
                Some(record) => Write::Delete(record.key, record.rev),
            };
            match self.ports.store().write(vec![write]).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(ConfigurationError::Changed(format!("the schedule of {connection}")))
    }

    /// Queues every connection that is due; how many. To be called once a minute: what it queues twice is worked once.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn queue_due_polls(&self) -> Result<usize, LedgerError> {
        let now = self.now();
        let mut entries = Vec::new();
        for pk in due_partitions() {
            let (table, index) = (Table::Ledger, Index::ByAttention);
            let range = String::new()..=now.to_string();
            let query = Query { table, index, pk, range, descending: false, limit: DUE_AT_A_TIME };
            for record in self.ports.store().query(query).await? {
                let doc = read(&record)?;
                entries.push(entry(&doc.connection, false, &doc.due.to_string()));
            }
        }
        let count = entries.len();
        if count > 0 {
            self.ports.queue().send(QueueName::Polls, entries).await?;
            tracing::info!(target: "bridge::event", event = "polls due", connections = count);
        }
        Ok(count)
    }

    /// Polls everything of a connection now, whether or not it is due. `unique` tells this request from the one before.
    ///
    /// # Errors
    /// When the queue fails.
    pub async fn poll_now(&self, connection: &ConnectionId, unique: &str) -> Result<(), PortError> {
        self.queue_poll(connection, true, unique).await
    }

    pub(super) async fn queue_poll(
        &self,
        connection: &ConnectionId,
        now: bool,
        unique: &str,
    ) -> Result<(), PortError> {
        self.ports.queue().send(QueueName::Polls, vec![entry(connection, now, unique)]).await
    }

    /// The connections of a tenant that are polled.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn polls(&self, tenant: &TenantId) -> Result<Vec<PollDoc>, QueryError> {
        let query = Query::prefix(Table::Ledger, Index::Main, format!("{tenant}#polls"), "connection#");
        let records = self.ports.store().query(query).await?;
        Ok(records.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// Where a connection's polls stand; `None` where it is not polled.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn poll_status(&self, connection: &ConnectionId) -> Result<Option<PollStatus>, QueryError> {
        let Some(record) = self.ports.store().get(&poll_key(connection)).await? else { return Ok(None) };
        let poll = read(&record)?;
        let prefix = format!("cursor#{connection}#");
        let query = Query::prefix(Table::Ledger, Index::Main, record.key.pk, &prefix);
        let records = self.ports.store().query(query).await?;
        let resource = |record: &crate::ports::Record| {
            let name = record.key.sk.strip_prefix(&prefix).unwrap_or_default().to_owned();
            let doc: CursorDoc = docs_read(record).map_err(|_| LedgerError::Unreadable("cursor"))?;
            Ok((name, doc))
        };
        let resources = records.iter().map(resource).collect::<Result<_, LedgerError>>()?;
        Ok(Some(PollStatus { poll, resources }))
    }
}

/// A connection's tasks are worked one after the other.
fn entry(connection: &ConnectionId, now: bool, unique: &str) -> Entry {
    let task = PollTask::Poll { connection: connection.clone(), now };
    Entry { body: docs_write(&task), group: connection.to_string(), dedup: format!("{connection}#{unique}") }
}
