//! What operators ask of files.

use bridge_core::{
    id::{ConnectionId, FileId, TenantId},
    task::FileTask,
};

use super::docs::{FileDoc, file_key, files_of};
use crate::{
    bridge::Bridge,
    ledger::{LedgerError, docs_read, docs_write},
    ports::{Entry, FilePorts, Files, Index, PortError, Ports, Query, Queue, QueueName, Store, Table},
};

impl<P: Ports> Bridge<P> {
    /// A connection's files, the newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn files(&self, connection: &ConnectionId, limit: usize) -> Result<Vec<FileDoc>, LedgerError> {
        let all = Query::prefix(Table::Ledger, Index::ByConnection, files_of(connection), "");
        let records = self.ports.store().query(Query { descending: true, limit, ..all }).await?;
        records.iter().map(|record| docs_read(record).map_err(|_| LedgerError::Unreadable("file"))).collect()
    }

    /// One file.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn file(&self, tenant: &TenantId, file: &FileId) -> Result<Option<FileDoc>, LedgerError> {
        let record = self.ports.store().get(&file_key(tenant, file)).await?;
        record.map(|record| docs_read(&record).map_err(|_| LedgerError::Unreadable("file"))).transpose()
    }
}

impl<P: FilePorts> Bridge<P> {
    /// The lines of a file's quarantine: places and reasons.
    ///
    /// # Errors
    /// When the bucket fails.
    pub async fn quarantine(&self, doc: &FileDoc) -> Result<String, PortError> {
        let mut lines = String::new();
        for part in 1..=doc.progress.quarantined {
            let bytes = self.ports.files().get(&doc.quarantine(part)).await?.unwrap_or_default();
            lines.push_str(&String::from_utf8_lossy(&bytes));
        }
        Ok(lines)
    }

    /// Has a file read that was refused, or that nobody reads any more; whether there is anything to do. Its rows have the
    /// ids that they had.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn retry_file(&self, connection: &ConnectionId, file: &FileId) -> Result<bool, LedgerError> {
        if !self.begin_anew(connection, file).await? {
            return Ok(false);
        }
        let task = FileTask::Read { connection: connection.clone(), file: file.clone() };
        let dedup = format!("{file}#{}", self.now());
        let entry = Entry { body: docs_write(&task), group: file.to_string(), dedup };
        self.ports.queue().send(QueueName::Drops, vec![entry]).await?;
        Ok(true)
    }
}
