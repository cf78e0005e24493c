//! What has changed since an export last took it: a mark for each resource, in the ledger.
//!
//! A mark is written in one transaction with the resource's new state, and removed when a run that took that very mark is over. No
//! clock says what has changed, and none can say it wrong; what changes while a run is under way is marked anew and comes
//! with the next (`docs/adr/0017`). Connections without exports have no marks, and pay nothing.

use bridge_core::{Timestamp, id::ConnectionId};
use bridge_seal::sha256;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::{
    bridge::Bridge,
    ledger::docs_write,
    ports::{Expect, Key, PortError, Ports, Record, Store, Table, Write, WriteError},
};

/// Losing a race this often in a row means that something is wrong, not busy.
const RACES: usize = 16;
const MARK: &str = "mark";

/// A resource has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MarkDoc {
    /// For people: nothing is decided by it.
    pub(super) at: Timestamp,
    /// Of the state that it was written with: who reads both knows whether they belong together.
    pub(super) tag: String,
}

/// The marks of an export: their partition. The sort key is the resource's `Type/id`.
pub(super) fn marks_of(connection: &ConnectionId, export: &str) -> String {
    format!("{}#marks#{connection}#{export}", connection.tenant())
}

pub(super) fn mark_key(connection: &ConnectionId, export: &str, reference: &str) -> Key {
    Key::new(Table::Ledger, marks_of(connection, export), reference)
}

/// Names a state of a resource. What was sealed twice is never the same.
pub(super) fn tag_of(record: &Record) -> String {
    let hash = sha256(&[record.doc.as_bytes(), record.blob.as_deref().unwrap_or_default()]);
    HEXLOWER.encode(&hash[..12])
}

impl<P: Ports> Bridge<P> {
    /// Writes a state of a resource that `connection` has said, and marks it as changed for the connection's exports.
    ///
    /// # Errors
    /// As [`Store::write`] of the resource alone.
    pub(crate) async fn write_resource(
        &self,
        connection: &ConnectionId,
        record: Record,
        expect: Expect,
    ) -> Result<(), WriteError> {
        let config = |error: crate::configuration::ConfigurationError| PortError {
            operation: "configuration",
            reason: error.to_string(),
        };
        let source = self.connection(connection).await.map_err(config)?;
        let reference =
            record.key.pk.split_once('#').map(|(_, reference)| reference.to_owned()).unwrap_or_default();
        let kind = reference.split('/').next().unwrap_or_default();
        let takers: Vec<&String> = match &source {
            Some(source) => {
                let exports = source.connection.exports.iter();
                let takes = exports.filter(|(_, export)| export.resources.iter().any(|taken| taken == kind));
                takes.map(|(name, _)| name).collect()
            }
            None => Vec::new(),
        };
        if takers.is_empty() {
            return self.ports.store().write(vec![Write::Put(record, expect)]).await;
        }
        let tag = tag_of(&record);
        for _ in 0..RACES {
            let mut writes = vec![Write::Put(record.clone(), expect.clone())];
            for export in &takers {
                writes.push(self.mark(connection, export, &reference, &tag).await?);
            }
            match self.ports.store().write(writes).await {
                // The mark was written or removed meanwhile.
                Err(WriteError::Conflict { index, .. }) if index > 0 => {}
                written => return written,
            }
        }
        let reason = format!("lost {RACES} races for one mark");
        Err(WriteError::Failed(PortError { operation: MARK, reason }))
    }

    /// The write that marks a resource.
    pub(super) async fn mark(
        &self,
        connection: &ConnectionId,
        export: &str,
        reference: &str,
        tag: &str,
    ) -> Result<Write, PortError> {
        let key = mark_key(connection, export, reference);
        let known = self.ports.store().get(&key).await?;
        let expect = known.map_or(Expect::Absent, |record| Expect::Rev(record.rev));
        let doc = MarkDoc { at: self.now(), tag: tag.to_owned() };
        Ok(Write::Put(Record::new(key, docs_write(&doc)), expect))
    }
}
