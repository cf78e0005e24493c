//! What the ledger keeps of files and feeds: ids, names of objects, places, counts and causes. No row, no key of a row.

use bridge_core::{
    Cause, Timestamp,
    id::{BlindToken, ConnectionId, FileId, TenantId},
};
use bridge_formats::{Checkpoint, Report};
use serde::{Deserialize, Serialize};

use crate::{
    ledger::docs_write,
    ports::{Key, Pinned, Record, Table},
};

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// Its turn has not come: another file of its feed is being read.
    Waiting,
    /// It is being read.
    Reading,
    /// Read to its end.
    Done,
    /// Not read, or not to its end, with a cause.
    Refused,
    /// Another file said the same before.
    Duplicate,
    /// A later version of the same object took its place.
    Superseded,
}

impl FileState {
    /// Nothing more will happen to it by itself.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Waiting | Self::Reading)
    }

    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Reading => "reading",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Duplicate => "duplicate",
            Self::Superseded => "superseded",
        }
    }
}

/// How far a file is. Each step can be begun again by anybody who has read its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Its digest is taken: has it been here before?
    Weigh,
    /// It is read to its end before anything goes on: its rows are checked, and sorted where it is a snapshot.
    Examine,
    /// It is compared with the last snapshot.
    Compare,
    /// Its rows go on.
    Send,
    /// What is missing goes on as removed.
    Remove,
    /// It is told what became of it.
    Tell,
}

/// What is known of one version of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDoc {
    /// Its id.
    pub file: FileId,
    /// Whose.
    pub connection: ConnectionId,
    /// Which of its feeds; empty when none takes it.
    pub feed: String,
    /// What the practice called it.
    pub name: String,
    /// The object.
    pub key: String,
    /// The object's version, where the bucket keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The object's entity tag.
    pub etag: String,
    /// Orders the versions of an object, see [`bridge_core::task::Dropped`].
    pub sequencer: String,
    /// Bytes of the object.
    pub size: u64,
    /// When it was dropped.
    pub dropped_at: Timestamp,
    /// What became of it.
    pub state: FileState,
    /// When that was last written.
    pub updated_at: Timestamp,
    /// Why it is refused, or what it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// How far it is.
    pub progress: Progress,
    /// End of the record's retention.
    pub expires: Timestamp,
}

/// How far a file is, so that anybody can go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The step.
    pub phase: Phase,
    /// Where the step's reading goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// What has been counted.
    #[serde(default)]
    pub report: Report,
    /// Rows that were put on the queue.
    #[serde(default)]
    pub sent: u64,
    /// Of the good rows: those that the connection's HL7 v2 site does not take.
    #[serde(default)]
    pub turned_away: u64,
    /// Lists of the messages that rows were sent in, where several share one.
    #[serde(default)]
    pub lists: u32,
    /// Objects of the quarantine.
    #[serde(default)]
    pub quarantined: u32,
    /// Blocks of each sorted run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<u32>,
    /// What is written of the new snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotDoc>,
    /// What came of comparing it with the last snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// Blocks of rows to be removed, and how many of them are done with.
    #[serde(default)]
    pub removals: (u32, u32),
    /// Names the file's bytes, by a keyed hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<BlindToken>,
}

impl Progress {
    /// Nothing has been done.
    pub fn start() -> Self {
        Self {
            phase: Phase::Weigh,
            checkpoint: None,
            report: Report::default(),
            sent: 0,
            turned_away: 0,
            lists: 0,
            quarantined: 0,
            runs: Vec::new(),
            snapshot: None,
            compared: None,
            removals: (0, 0),
            content: None,
        }
    }

    /// Rows that did not go on because something is wrong with them.
    pub fn bad(&self) -> u64 {
        self.report.bad + self.turned_away
    }
}

/// How many rows of a snapshot are news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Compared {
    /// New, or other than in the last snapshot.
    pub changed: u64,
    /// As in the last snapshot.
    pub unchanged: u64,
    /// Missing, and sent on as removed.
    pub deleted: u64,
}

impl FileDoc {
    /// What went on: of a snapshot its news, of a file of changes every good row.
    pub fn compared(&self) -> Compared {
        let all = Compared { changed: self.progress.sent, ..Compared::default() };
        self.progress.compared.unwrap_or(all)
    }

    /// The object that it is.
    pub fn object(&self) -> Pinned {
        Pinned { key: self.key.clone(), version: self.version.clone(), etag: self.etag.clone() }
    }

    /// Where everything about it is told: a prefix of objects.
    pub fn outbox(&self) -> String {
        let feed = if self.feed.is_empty() { "unmatched" } else { &self.feed };
        format!("outbox/{}/{feed}/{}.{}", self.connection, self.name, self.file)
    }

    /// An object of its quarantine, counted from 1.
    pub fn quarantine(&self, part: u32) -> String {
        format!("{}/quarantine-{part:05}.ndjson", self.outbox())
    }

    /// An object with the messages of a block of rows, counted from 1: an id and how many rows on each line.
    pub(super) fn list(&self, block: u32) -> String {
        format!("work/{}/{}/sent-{block:06}", self.connection, self.file)
    }

    pub(super) fn record(&self) -> Record {
        let mut record = Record::new(file_key(&self.connection.tenant(), &self.file), docs_write(self));
        let place = format!("{}#{}", self.dropped_at, self.file);
        record.by_connection = Some((files_of(&self.connection), place));
        record.expires = Some(self.expires);
        record
    }
}

/// What is known of a feed: who reads it now, and what was in it last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FeedDoc {
    /// The file that is being read. One at a time: their order is the feed's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// What it held last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<SnapshotDoc>,
}

/// The right to read a feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// Which file.
    pub file: FileId,
    /// Whoever held it is gone after this.
    pub until: Timestamp,
}

/// A snapshot that is kept, sorted by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotDoc {
    /// The file it was made of.
    pub file: FileId,
    /// When that was dropped.
    pub dropped_at: Timestamp,
    /// Which of the two places it lies in: the next one goes to the other.
    pub slot: u8,
    /// How many blocks it has.
    pub blocks: u32,
    /// How many rows.
    pub rows: u64,
}

/// The newest version of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NewestDoc {
    pub(super) file: FileId,
}

/// The partition of the index that lists a connection's files by the time they were dropped.
pub(super) fn files_of(connection: &ConnectionId) -> String {
    format!("{connection}#files")
}

pub(super) fn file_key(tenant: &TenantId, file: &FileId) -> Key {
    Key::new(Table::Ledger, format!("{tenant}#{file}"), "file")
}

fn feed_pk(connection: &ConnectionId, feed: &str) -> String {
    format!("{}#feed#{connection}#{feed}", connection.tenant())
}

pub(super) fn feed_key(connection: &ConnectionId, feed: &str) -> Key {
    Key::new(Table::Ledger, feed_pk(connection, feed), "feed")
}

/// Which file had these bytes first.
pub(super) fn content_key(connection: &ConnectionId, feed: &str, content: &BlindToken) -> Key {
    Key::new(Table::Ledger, feed_pk(connection, feed), format!("content#{content}"))
}

/// Which version of an object is the newest.
pub(super) fn newest_key(connection: &ConnectionId, object: &BlindToken) -> Key {
    Key::new(Table::Ledger, format!("{}#objects#{connection}", connection.tenant()), object.to_string())
}
