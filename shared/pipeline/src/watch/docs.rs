//! What the ledger keeps of a connection that is watched: times and counts.

use bridge_core::{Timestamp, id::ConnectionId};
use serde::{Deserialize, Serialize};

use super::profile::Profile;
use crate::{
    ledger::{LedgerError, docs_read, docs_write},
    ports::{Key, Record, Table},
};

/// A connection that is watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchDoc {
    /// Which one.
    pub connection: ConnectionId,
    /// When it is looked at again; never while it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// It was applied or resumed then: silence before does not count.
    pub since: Timestamp,
    /// When the newest message came that is known of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Timestamp>,
    /// It should have spoken and did not: when that was told first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent: Option<Timestamp>,
    /// In which hours of the week it speaks.
    #[serde(default)]
    pub profile: Profile,
    /// Hours before this are learned.
    pub learned: Timestamp,
    /// How surprising the silence is up to there.
    #[serde(default)]
    pub surprise: f64,
    /// Payloads that came before this were looked at.
    pub sampled: Timestamp,
}

impl WatchDoc {
    pub(super) fn new(connection: &ConnectionId, now: Timestamp) -> Self {
        let (due, heard, silent, profile) = (Some(now), None, None, Profile::default());
        Self {
            connection: connection.clone(),
            due,
            since: now,
            heard,
            silent,
            profile,
            learned: now,
            surprise: 0.0,
            sampled: now,
        }
    }

    pub(super) fn read(record: &Record) -> Result<Self, LedgerError> {
        docs_read(record).map_err(|_| LedgerError::Unreadable("watch"))
    }

    /// The record, with its place in the index of what is due.
    pub(super) fn record(&self) -> Record {
        let mut record = Record::new(watch_key(&self.connection), docs_write(self));
        let place = |due: Timestamp| (partition(&self.connection), format!("{due}#{}", self.connection));
        record.by_attention = self.due.map(place);
        record
    }
}

/// Parts of the index of what is due.
const DUE_PARTITIONS: u8 = 8;

/// The parts of the index of connections that are due.
pub(super) fn due_partitions() -> impl Iterator<Item = String> {
    (0..DUE_PARTITIONS).map(|part| format!("#watch#{part}"))
}

fn partition(connection: &ConnectionId) -> String {
    let [first, ..] = bridge_seal::sha256(&[connection.as_str().as_bytes()]);
    format!("#watch#{}", first % DUE_PARTITIONS)
}

pub(super) fn watch_key(connection: &ConnectionId) -> Key {
    Key::new(Table::Ledger, watches_of(&connection.tenant()), format!("silence#{connection}"))
}

pub(super) fn shape_key(connection: &ConnectionId) -> Key {
    Key::new(Table::Ledger, watches_of(&connection.tenant()), format!("shape#{connection}"))
}

pub(super) fn watches_of(tenant: &bridge_core::id::TenantId) -> String {
    format!("{tenant}#watch")
}
