//! A resource type's cursor: read, and written only over what was read.

use bridge_core::id::ConnectionId;

use super::{
    docs::{CursorDoc, cursor_binding, cursor_key},
    private::Private,
};
use crate::{
    bridge::Bridge,
    keys::Keep,
    ledger::{LedgerError, docs_read, docs_write},
    ports::{Expect, Ports, Record, Store, Write, WriteError},
    stage::Failure,
};

/// A cursor in somebody's hands. Who holds it without being the last to have read it can't write it any more.
#[derive(Debug, Clone)]
pub(super) struct Cursor {
    rev: u64,
    pub(super) doc: CursorDoc,
    pub(super) private: Private,
}

/// Another has gone on from here: whoever hears this stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fenced;

impl<P: Ports> Bridge<P> {
    pub(super) async fn cursor(&self, connection: &ConnectionId, resource: &str) -> Result<Cursor, Failure> {
        let Some(record) = self.ports.store().get(&cursor_key(connection, resource)).await? else {
            return Ok(Cursor { rev: 0, doc: CursorDoc::default(), private: Private::default() });
        };
        let unreadable = || LedgerError::Unreadable("cursor");
        let private = match &record.blob {
            Some(sealed) => {
                let plain = self.open(cursor_binding(connection, resource), sealed).await?;
                serde_json::from_slice(plain.expose()).map_err(|_| unreadable())?
            }
            None => Private::default(),
        };
        Ok(Cursor { rev: record.rev, doc: docs_read(&record).map_err(|_| unreadable())?, private })
    }

    /// Writes the cursor, and `beside` with it or not at all.
    pub(super) async fn put_cursor(
        &self,
        connection: &ConnectionId,
        resource: &str,
        cursor: &mut Cursor,
        beside: Option<Record>,
    ) -> Result<Result<(), Fenced>, Failure> {
        let plain = docs_write(&cursor.private);
        let binding = cursor_binding(connection, resource);
        let mut record = Record::new(cursor_key(connection, resource), docs_write(&cursor.doc));
        record.blob = Some(self.seal(binding, Keep::Lasting, plain.as_bytes()).await?);
        let expect = if cursor.rev == 0 { Expect::Absent } else { Expect::Rev(cursor.rev) };
        let mut writes = vec![Write::Put(record, expect)];
        // It has no version of its own, and so is older than any: the cursor alone is what fences.
        writes.extend(beside.map(|record| Write::Put(record, Expect::OlderThan("~".to_owned()))));
        match self.ports.store().write(writes).await {
            Ok(()) => {
                cursor.rev += 1;
                Ok(Ok(()))
            }
            Err(WriteError::Conflict { .. }) => Ok(Err(Fenced)),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }
}
