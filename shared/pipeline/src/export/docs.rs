//! What is kept of exports: ids, names, places, counts and causes. No resource, no record of a file, no key of one.

use bridge_core::{
    Cause, Timestamp,
    id::{BlindToken, ConnectionId, FileId, RunId, TenantId},
};
use serde::{Deserialize, Serialize};

use crate::{
    ledger::{LedgerError, docs_read, docs_write},
    ports::{Key, Record, Table},
};

/// An export and when it is due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportDoc {
    /// Whose.
    pub connection: ConnectionId,
    /// Which of its exports.
    pub export: String,
    /// When the period ends that has no run yet, or whose run is under way.
    pub due: Timestamp,
    /// When somebody is to look at it: when it is due, or when what was in its way may be gone.
    pub look: Timestamp,
    /// Somebody works at it, until then at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Timestamp>,
    /// Counts the times it was worked.
    #[serde(default)]
    pub turns: u64,
    /// Counts its runs.
    #[serde(default)]
    pub runs: u64,
    /// The run that is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// The end of the last run's period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// The connection is paused: nobody looks.
    #[serde(default)]
    pub paused: bool,
    /// Failures in a row.
    #[serde(default)]
    pub failures: u32,
    /// Why it can't go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// It is under way.
    Running,
    /// Its file is out, and the receiver has not answered for all of it.
    Waiting,
    /// Nothing more happens to it by itself.
    Closed,
}

impl RunState {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Waiting => "waiting",
            Self::Closed => "closed",
        }
    }
}

/// How far a run is. Each step can be begun again by anybody who has read its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// What has changed is read, and becomes sealed blocks of the file.
    Select,
    /// The records are noted that the receiver is to answer for.
    Expect,
    /// The blocks become one object, which nobody sees until it is whole.
    Publish,
    /// What has been taken is changed no longer.
    Clear,
}

/// Blocks that one turn has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Which turn: two of them never write the same object.
    pub turn: u64,
    /// How many.
    pub blocks: u32,
}

/// An object whose parts are all there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// As the bucket calls it.
    pub id: String,
    /// The entity tags of its parts.
    pub parts: Vec<String>,
    /// Bytes of the object.
    pub bytes: u64,
    /// SHA-256 of the object, in hexadecimal.
    pub sha256: String,
}

/// What has been counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Resources that had changed.
    pub resources: u64,
    /// Records in the file.
    pub records: u64,
    /// Resources that are not for the file.
    pub left_out: u64,
    /// Resources that the file can't say: they are set aside.
    pub held: u64,
}

/// What the receiver said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Answers {
    /// Records it took.
    pub accepted: u64,
    /// Records it did not take: they are set aside.
    pub rejected: u64,
    /// Records it said nothing of.
    pub unanswered: u64,
}

/// One run: an export and a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunDoc {
    /// Its id.
    pub run: RunId,
    /// Whose.
    pub connection: ConnectionId,
    /// Which of its exports.
    pub export: String,
    /// Counted from 1.
    pub number: u64,
    /// Where the period begins; the first run's does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Where it ends.
    pub to: Timestamp,
    /// Which version of the connection it is made by.
    pub version: u32,
    /// When it began.
    pub began_at: Timestamp,
    /// When this was written.
    pub updated_at: Timestamp,
    /// What became of it.
    pub state: RunState,
    /// How far it is.
    pub phase: Phase,
    /// Everything up to this resource has been looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// The blocks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Segment>,
    /// Blocks that the step is done with.
    #[serde(default)]
    pub done: u32,
    /// Resources of the next block that it is done with.
    #[serde(default)]
    pub within: usize,
    /// What has been counted.
    #[serde(default)]
    pub counts: Counts,
    /// The object's key; none where there is no file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The object, once all of it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
    /// What the receiver said, where it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Answers>,
    /// End of the record's retention.
    pub expires: Timestamp,
}

impl RunDoc {
    /// Has it begin anew, with the connection as it is now.
    pub(super) fn restart(&mut self, version: u32) {
        self.version = version;
        self.phase = Phase::Select;
        (self.cursor, self.upload, self.object) = (None, None, None);
        self.segments.clear();
        (self.done, self.within) = (0, 0);
        self.counts = Counts::default();
    }

    /// The names of all blocks, in order.
    pub(super) fn blocks(&self) -> Vec<(u64, u32)> {
        self.segments
            .iter()
            .flat_map(|segment| (0..segment.blocks).map(|block| (segment.turn, block)))
            .collect()
    }

    pub(super) fn record(&self) -> Record {
        let mut record = Record::new(run_key(&self.connection.tenant(), &self.run), docs_write(self));
        let place = format!("{}#{}", self.to, self.run);
        record.by_connection = Some((runs_of(&self.connection, &self.export), place));
        record.expires = Some(self.expires);
        record
    }
}

/// What is known of a record of a file, by the keyed hash of its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AwaitedDoc {
    /// The resources it was made of, `Type/id`.
    pub(super) references: Vec<String>,
    /// What the receiver said; `None` as long as it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) answer: Option<Answer>,
}

/// What the receiver said of a record, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) accepted: bool,
    pub(super) file: FileId,
    pub(super) row: u64,
}

/// A resource that was set aside: its file could not say it, or the receiver did not take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemDoc {
    /// The resource, `Type/id`.
    pub reference: String,
    /// The run.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
}

/// Parts of the index of what is due.
const DUE_PARTITIONS: u64 = 4;

/// The parts of the index of exports that somebody is to look at.
pub(super) fn due_partitions() -> impl Iterator<Item = String> {
    (0..DUE_PARTITIONS).map(|part| format!("#exports#{part}"))
}

fn exports_of(tenant: &TenantId) -> String {
    format!("{tenant}#exports")
}

/// All exports of a tenant, or those of a connection: partition and beginning of the sort keys.
pub(super) fn exports_range(tenant: &TenantId, connection: Option<&ConnectionId>) -> (String, String) {
    let prefix =
        connection.map_or_else(|| "export#".to_owned(), |connection| format!("export#{connection}#"));
    (exports_of(tenant), prefix)
}

pub(super) fn export_key(connection: &ConnectionId, export: &str) -> Key {
    let (pk, prefix) = exports_range(&connection.tenant(), Some(connection));
    Key::new(Table::Ledger, pk, prefix + export)
}

pub(super) fn export_record(doc: &ExportDoc) -> Record {
    let mut record = Record::new(export_key(&doc.connection, &doc.export), docs_write(doc));
    let place = format!("{}#{}", doc.connection, doc.export);
    let [first, ..] = bridge_seal::sha256(&[place.as_bytes()]);
    let part = u64::from(first) % DUE_PARTITIONS;
    record.by_attention =
        (!doc.paused).then(|| (format!("#exports#{part}"), format!("{}#{place}", doc.look)));
    record
}

pub(super) fn run_key(tenant: &TenantId, run: &RunId) -> Key {
    Key::new(Table::Ledger, format!("{tenant}#{run}"), "run")
}

/// The partition of the index that lists the runs of an export by their periods.
pub(super) fn runs_of(connection: &ConnectionId, export: &str) -> String {
    format!("{connection}#runs#{export}")
}

/// The records of a run that the receiver is to answer for.
pub(super) fn awaited_range(tenant: &TenantId, run: &RunId) -> (String, &'static str) {
    (format!("{tenant}#{run}"), "record#")
}

pub(super) fn awaited_key(tenant: &TenantId, run: &RunId, token: &BlindToken) -> Key {
    let (pk, prefix) = awaited_range(tenant, run);
    Key::new(Table::Ledger, pk, format!("{prefix}{token}"))
}

/// The runs of an export that wait for their answers, in the order of their periods.
pub(super) fn waiting_range(connection: &ConnectionId, export: &str) -> (String, String) {
    (exports_of(&connection.tenant()), format!("waiting#{connection}#{export}#"))
}

pub(super) fn waiting_key(doc: &RunDoc) -> Key {
    let (pk, prefix) = waiting_range(&doc.connection, &doc.export);
    Key::new(Table::Ledger, pk, format!("{prefix}{}#{}", doc.to, doc.run))
}

/// Resources of an export that were set aside.
pub(super) fn problems_of(connection: &ConnectionId, export: &str) -> String {
    format!("{}#set-aside#{connection}#{export}", connection.tenant())
}

pub(super) fn problem_key(connection: &ConnectionId, export: &str, reference: &str) -> Key {
    Key::new(Table::Ledger, problems_of(connection, export), reference)
}

pub(super) fn read<T: serde::de::DeserializeOwned>(
    record: &Record,
    what: &'static str,
) -> Result<T, LedgerError> {
    docs_read(record).map_err(|_| LedgerError::Unreadable(what))
}
