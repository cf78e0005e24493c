//! Who reads a feed, and until when. A file's record and its feed's are written together, each at the revision it was
//! read at: whoever lost the lease notices with the next write, and what was done twice meanwhile has the same ids.

use std::time::Duration;

use bridge_core::{
    Cause, Timestamp,
    id::{ConnectionId, FileId},
};

use super::{
    Job, Stopped,
    docs::{FeedDoc, FileDoc, FileState, Lease, NewestDoc, Progress, feed_key, file_key, newest_key},
};
use crate::{
    bridge::Bridge,
    ledger::{LedgerError, SKEW, docs_read, docs_write},
    ports::{Expect, FilePorts, Key, Record, Store, Write, WriteError},
    stage::Failure,
};

/// A reader that has not written for so long is gone.
pub(super) const LEASE: Duration = Duration::from_mins(1);
/// Losing a race this often in a row means that something is wrong, not busy.
const RACES: usize = 16;

/// What came of asking for a turn.
pub(super) enum Turn {
    /// It is this file's.
    Now(Box<Held>),
    /// Another file, or another process, has it.
    NotBefore(Timestamp),
    /// Nothing is left to do.
    Over(FileState),
    /// Nothing is known of it.
    Gone,
}

/// The right to read a file, and what it rests on.
pub(super) struct Held {
    pub(super) doc: FileDoc,
    rev: u64,
    pub(super) feed: FeedDoc,
    feed_rev: u64,
}

impl<P: FilePorts> Bridge<P> {
    /// Notes a file that was dropped, unless it is known.
    pub(super) async fn note_file(&self, doc: &FileDoc) -> Result<(), Failure> {
        match self.ports.store().write(vec![Write::Put(doc.record(), Expect::Absent)]).await {
            Ok(()) | Err(WriteError::Conflict { .. }) => Ok(()),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }

    /// Notes which version of an object is the newest.
    pub(super) async fn note_newest(&self, doc: &FileDoc) -> Result<(), Failure> {
        let version = sortable(&doc.sequencer);
        let newest = NewestDoc { file: doc.file.clone() };
        let mut record = Record::new(self.newest_key(doc).await?, docs_write(&newest));
        record.version = Some(version.clone());
        record.expires = Some(doc.expires);
        match self.ports.store().write(vec![Write::Put(record, Expect::OlderThan(version))]).await {
            Ok(()) | Err(WriteError::Conflict { .. }) => Ok(()),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }

    /// Whether no later version of the file's object is known.
    pub(super) async fn is_newest(&self, doc: &FileDoc) -> Result<bool, Failure> {
        let record = self.ports.store().get(&self.newest_key(doc).await?).await?;
        let newest: Option<NewestDoc> = record.and_then(|record| docs_read(&record).ok());
        Ok(newest.is_none_or(|newest| newest.file == doc.file))
    }

    async fn newest_key(&self, doc: &FileDoc) -> Result<Key, Failure> {
        let index = self.index_key(&doc.connection.tenant()).await?;
        Ok(newest_key(&doc.connection, &index.token(&doc.connection, "object", &doc.key)))
    }

    /// Asks for a file's turn.
    pub(super) async fn take_turn(&self, connection: &ConnectionId, file: &FileId) -> Result<Turn, Failure> {
        for _ in 0..RACES {
            let Some((mut doc, rev)) = self.file_at(connection, file).await? else { return Ok(Turn::Gone) };
            if doc.state.is_final() {
                return Ok(Turn::Over(doc.state));
            }
            let (mut feed, feed_rev) = self.feed_at(&feed_key(connection, &doc.feed)).await?;
            let now = self.now();
            if let Some(lease) = feed.lease.as_ref().filter(|lease| lease.until + SKEW > now) {
                return Ok(Turn::NotBefore(lease.until + SKEW));
            }
            doc.state = FileState::Reading;
            doc.updated_at = now;
            feed.lease = Some(Lease { file: file.clone(), until: now + LEASE });
            let mut held = Held { doc, rev, feed, feed_rev };
            if self.write_held(&mut held).await? {
                return Ok(Turn::Now(Box::new(held)));
            }
        }
        Err(LedgerError::Contended.into())
    }

    /// Writes how far a file is, and keeps the turn for another while.
    pub(super) async fn keep_turn(&self, job: &mut Job) -> Result<(), Stopped> {
        let until = self.now() + LEASE;
        self.write_turn(job, Some(Lease { file: job.held.doc.file.clone(), until })).await
    }

    /// Writes how far a file is, and lets others have the turn.
    pub(super) async fn end_file(&self, job: &mut Job) -> Result<(), Stopped> {
        self.write_turn(job, None).await
    }

    async fn write_turn(&self, job: &mut Job, lease: Option<Lease>) -> Result<(), Stopped> {
        job.held.feed.lease = lease;
        job.held.doc.updated_at = self.now();
        if self.write_held(&mut job.held).await? { Ok(()) } else { Err(Stopped::Fenced) }
    }

    async fn write_held(&self, held: &mut Held) -> Result<bool, Failure> {
        let key = feed_key(&held.doc.connection, &held.doc.feed);
        let feed = Record::new(key, docs_write(&held.feed));
        let expect = if held.feed_rev == 0 { Expect::Absent } else { Expect::Rev(held.feed_rev) };
        let file = Write::Put(held.doc.record(), Expect::Rev(held.rev));
        match self.ports.store().write(vec![file, Write::Put(feed, expect)]).await {
            Ok(()) => {
                held.rev += 1;
                held.feed_rev += 1;
                Ok(true)
            }
            Err(WriteError::Conflict { .. }) => Ok(false),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }

    async fn file_at(
        &self,
        connection: &ConnectionId,
        file: &FileId,
    ) -> Result<Option<(FileDoc, u64)>, LedgerError> {
        let Some(record) = self.ports.store().get(&file_key(&connection.tenant(), file)).await? else {
            return Ok(None);
        };
        let doc = docs_read(&record).map_err(|_| LedgerError::Unreadable("file"))?;
        Ok(Some((doc, record.rev)))
    }

    async fn feed_at(&self, key: &Key) -> Result<(FeedDoc, u64), Failure> {
        let Some(record) = self.ports.store().get(key).await? else { return Ok((FeedDoc::default(), 0)) };
        let doc = docs_read(&record).map_err(|_| LedgerError::Unreadable("feed"))?;
        Ok((doc, record.rev))
    }

    /// Has a file that was refused begin anew; whether it was.
    pub(super) async fn begin_anew(
        &self,
        connection: &ConnectionId,
        file: &FileId,
    ) -> Result<bool, LedgerError> {
        for _ in 0..RACES {
            let Some((mut doc, rev)) = self.file_at(connection, file).await? else { return Ok(false) };
            if doc.state != FileState::Refused || doc.feed.is_empty() {
                return Ok(!doc.state.is_final());
            }
            doc.state = FileState::Waiting;
            doc.updated_at = self.now();
            doc.cause = None::<Cause>;
            doc.progress = Progress::start();
            match self.ports.store().write(vec![Write::Put(doc.record(), Expect::Rev(rev))]).await {
                Ok(()) => return Ok(true),
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(LedgerError::Contended)
    }
}

/// A sequencer as text that sorts: the shorter of two is filled up with zeros on its right (S3's user guide).
fn sortable(sequencer: &str) -> String {
    format!("{:0<64}", sequencer.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::sortable;

    #[test]
    fn sequencers_sort_as_s3_says() {
        assert!(sortable("0055AED6DCD90281E5") < sortable("0055AED6DCD90281E6"));
        assert!(sortable("0055AED6DCD9") < sortable("0055AED6DCD90281E5"));
        assert_eq!(sortable("00ab"), sortable("00AB00"));
    }
}
