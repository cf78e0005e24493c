//! The documents that the ledger keeps. They hold ids, times, states and causes; never PHI.

mod delivery;
mod lane;

pub(super) use delivery::delivery_record;
pub use delivery::{Attempt, DeliveryDoc, DeliveryState, Refusal, WrittenDoc};
pub use lane::{LaneDoc, ParkedDoc, ParkedTask};

use bridge_core::{
    Cause, Timestamp,
    id::{BlindToken, ConnectionId, LaneId, MessageId},
    task::{Actor, Format, NormalizeTask},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::LedgerError;
use crate::ports::Record;

/// What became of a message at `normalize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageState {
    /// Mapped, stored, and on its way to its destinations.
    Normalized,
    /// Set aside with a cause, before it had any effect.
    Parked,
}

/// What is known of a message. Its record holds it in fewer bytes, see [`MessageDoc::of`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDoc {
    /// Its id.
    pub message: MessageId,
    /// Where it came from.
    pub connection: ConnectionId,
    /// The adapter's word for it.
    pub kind: String,
    /// What was received, as bytes.
    #[serde(default, skip_serializing_if = "Format::is_json")]
    pub format: Format,
    /// Its lane at the source.
    pub lane: LaneId,
    /// When a door took it.
    pub received_at: Timestamp,
    /// Its place in its lane.
    pub order: String,
    /// What became of it.
    pub state: MessageState,
    /// When `normalize` last wrote here.
    pub normalized_at: Timestamp,
    /// Which mapping made the resources: `{adapter}@{version}/{mapping}`.
    pub mapped_by: String,
    /// `Type/id` of the resources it became.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<String>,
    /// Those of them that were not stored, because a newer state was there already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<String>,
    /// Those of them that say what the destinations were told already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<String>,
    /// What of it was not used, or not as it stood: places and rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<ConnectionId>,
    /// What it can be found by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub find: Vec<BlindToken>,
    /// Why it is parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Object key of what was received, when it is too large for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
    /// Who sent it through again, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replays: Vec<Replay>,
    /// How many of the replays have been normalized.
    #[serde(default)]
    pub replayed: u32,
    /// End of the record's retention.
    pub expires: Timestamp,
}

impl MessageDoc {
    /// A message that came no further than its arrival.
    pub(crate) fn parked(task: &NormalizeTask, order: String, now: Timestamp, expires: Timestamp) -> Self {
        Self {
            message: task.message.clone(),
            connection: task.connection.clone(),
            kind: task.kind.clone(),
            format: task.format,
            lane: task.lane.clone(),
            received_at: task.received_at,
            order,
            state: MessageState::Parked,
            normalized_at: now,
            mapped_by: String::new(),
            resources: Vec::new(),
            superseded: Vec::new(),
            unchanged: Vec::new(),
            notes: Vec::new(),
            destinations: Vec::new(),
            find: Vec::new(),
            cause: None,
            stored: None,
            replays: Vec::new(),
            replayed: 0,
            expires,
        }
    }
}

/// One replay of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// When it was asked for.
    pub at: Timestamp,
    /// Who asked, and why.
    pub actor: Actor,
    /// Identifies the command, so that a command received twice is one replay.
    pub command: String,
}

/// Reads a record's document.
pub(crate) fn read<T: DeserializeOwned>(record: &Record, kind: &'static str) -> Result<T, LedgerError> {
    serde_json::from_str(&record.doc).map_err(|_| LedgerError::Unreadable(kind))
}

/// The document's text.
pub(crate) fn write<T: Serialize>(doc: &T) -> String {
    serde_json::to_string(doc).unwrap_or_else(|e| unreachable!("a ledger document is plain data: {e}"))
}
