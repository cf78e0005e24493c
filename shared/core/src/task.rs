//! What travels on the queues: ids and metadata in clear, payload sealed.
//!
//! Every task is versioned by its tag (the outermost key: serde_json's exact numbers rule out inner tags); a
//! reader that meets a version it does not know refuses it by name.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    id::{ConnectionId, DeliveryId, FileId, LaneId, MessageId},
};

/// A sealed payload, or where it lies. SQS allows 1 MiB; above [`Payload::INLINE_LIMIT`] it goes to S3.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Payload {
    /// Base 64 of the sealed bytes: SQS refuses control characters.
    Inline(String),
    /// Object key in the payload bucket.
    Stored(String),
}

impl Payload {
    /// Sealed bytes above this size go to S3, so that ten records stay far below SQS's and Lambda's limits.
    pub const INLINE_LIMIT: usize = 200 * 1024;
}

/// What the bytes of a message are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, to be mapped by the adapter.
    #[default]
    Json,
    /// HL7 v2, to be converted as the site's profile says.
    Hl7v2,
    /// Records of a feed that travel together, a line of JSON each: `{"row": 12, "record": {…}}`.
    Rows,
}

impl Format {
    /// Whether it is [`Format::Json`], which goes without saying.
    pub fn is_json(&self) -> bool {
        *self == Self::Json
    }
}

/// How a task came to be on its queue again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The lane's epoch when it was released. Another hold of the lane makes it stale.
    pub epoch: u64,
    /// The task's place in its lane, given when it was first parked; survives every further park.
    pub order: String,
}

/// What `inbound.fifo` carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum InboundTask {
    /// A message to normalize.
    #[serde(rename = "normalize.v1")]
    Normalize(NormalizeTask),
}

/// What `outbound.fifo` carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutboundTask {
    /// A delivery to make.
    #[serde(rename = "deliver.v1")]
    Deliver(DeliverTask),
}

/// A message to normalize.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NormalizeTask {
    /// Deterministic.
    pub message: MessageId,
    /// Where it came from; names the tenant.
    pub connection: ConnectionId,
    /// The adapter's word for what it is, from the manifest's closed list.
    pub kind: String,
    /// Its ordering key.
    pub lane: LaneId,
    /// When the door took it.
    pub received_at: Timestamp,
    /// What was received.
    pub payload: Payload,
    /// How to read it.
    #[serde(default, skip_serializing_if = "Format::is_json")]
    pub format: Format,
    /// Set when it was parked and released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Counts replays: each replay is a new effect on the destinations.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replay: u32,
}

/// A delivery to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliverTask {
    /// Deterministic.
    pub delivery: DeliveryId,
    /// The message it came from.
    pub message: MessageId,
    /// The source connection; names the tenant.
    pub connection: ConnectionId,
    /// The destination connection, of the same tenant.
    pub destination: ConnectionId,
    /// Its ordering key, scoped to the destination.
    pub lane: LaneId,
    /// When it was put on the queue first.
    pub queued_at: Timestamp,
    /// The FHIR Bundle, or the HL7 v2 messages.
    pub payload: Payload,
    /// Set when it was parked and released.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// Asked for at the FHIR interface: written by the product's own interface whatever its transport is, and a refusal is
    /// told to who asked, not parked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asked: bool,
    /// Who asked wants to hear of its end: it becomes a message of the connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tell: bool,
}

/// What the queue of dropped files carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileTask {
    /// Files that were put into the bucket.
    #[serde(rename = "dropped.v1")]
    Dropped(Vec<Dropped>),
    /// A file that is known, to be read once more.
    #[serde(rename = "read-file.v1")]
    Read {
        /// Whose.
        connection: ConnectionId,
        /// Which.
        file: FileId,
    },
}

/// What `exports.fifo` carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportTask {
    /// An export to run, if it is due, or to go on with.
    #[serde(rename = "export.v1")]
    Run {
        /// Whose.
        connection: ConnectionId,
        /// Which of its exports.
        export: String,
    },
}

/// An object that was put into the bucket of files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Its key.
    pub key: String,
    /// Its version, where the bucket keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Hexadecimal; of two events about one key the later has the greater one, once the shorter is filled up with zeros
    /// on its right.
    pub sequencer: String,
    /// Bytes.
    pub size: u64,
    /// When it was put there.
    pub at: Timestamp,
}

/// Who asked for something, and why; kept in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The operator's name, from the token or the operating system.
    pub name: String,
    /// In their words.
    pub reason: String,
}

/// A command to the `retry` function: the task on `commands.fifo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Send everything parked in a lane again, in order, and open it.
    #[serde(rename = "release-lane.v1")]
    ReleaseLane {
        /// The connection whose lane it is: the source for [`Stage::Inbound`], the destination for [`Stage::Outbound`].
        connection: ConnectionId,
        /// Which side of the pipeline.
        stage: Stage,
        /// The lane.
        lane: LaneId,
        /// Who asked.
        actor: Actor,
        /// Its turn, where many lanes are released and live work is to keep its room.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        not_before: Option<Timestamp>,
    },
    /// Normalize a message again from what was received, and deliver the result.
    #[serde(rename = "replay-message.v1")]
    ReplayMessage {
        /// The source connection; names the tenant.
        connection: ConnectionId,
        /// Which message.
        message: MessageId,
        /// Who asked.
        actor: Actor,
    },
    /// Make a message of what became of a delivery that was asked for.
    #[serde(rename = "tell-outcome.v1")]
    TellOutcome {
        /// The connection it was asked of; names the tenant.
        connection: ConnectionId,
        /// Its message.
        message: MessageId,
        /// Which delivery.
        delivery: DeliveryId,
    },
    /// Go on with a replay of many messages.
    #[serde(rename = "replay-many.v1")]
    ReplayMany {
        /// The source connection; names the tenant.
        connection: ConnectionId,
        /// Its id in the ledger, where everything else about it stands.
        replay: String,
    },
}

/// What `polls.fifo` carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PollTask {
    /// Ask a connection's product what has changed.
    #[serde(rename = "poll.v1")]
    Poll {
        /// Which connection.
        connection: ConnectionId,
        /// Everything, whether or not it is due: somebody asked.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        now: bool,
    },
    /// Read the record that a message only names.
    #[serde(rename = "fetch.v1")]
    Fetch {
        /// The message.
        task: Box<NormalizeTask>,
        /// Its place in its lane.
        order: String,
    },
}

/// The two places where lanes are kept in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Before normalize.
    Inbound,
    /// Before deliver.
    Outbound,
}

impl Stage {
    /// As it stands in keys and in configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Outbound => "outbound",
        }
    }
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_of_another_version_is_refused_by_name() {
        let error =
            serde_json::from_str::<InboundTask>(r#"{"normalize.v9":{}}"#).err().map(|e| e.to_string());
        assert!(error.as_deref().is_some_and(|e| e.contains("normalize.v9")), "{error:?}");
    }
}
