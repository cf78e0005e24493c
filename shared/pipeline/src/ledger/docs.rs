//! The documents that the ledger keeps. They hold ids, times, states and causes; never PHI.

use bridge_core::{
    Cause, Timestamp,
    id::{BlindToken, ConnectionId, DeliveryId, LaneId, MessageId},
    task::{Actor, DeliverTask, Format, NormalizeTask, Stage},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{LedgerError, delivery_key};
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

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryState {
    /// Claimed; whoever claimed it is gone after `until`.
    Attempting {
        /// End of the claim.
        until: Timestamp,
    },
    /// To be tried again, not before `until`.
    Waiting {
        /// The earliest next attempt.
        until: Timestamp,
    },
    /// The destination has it.
    Delivered {
        /// Since when.
        at: Timestamp,
    },
    /// The destination said that it takes it, and has not done so yet: it is asked again, not before `until`.
    Unconfirmed {
        /// When it is asked.
        until: Timestamp,
    },
    /// The destination refused it, and who asked for it is told.
    Refused {
        /// Since when.
        at: Timestamp,
        /// What kind of refusal it is.
        why: Refusal,
    },
    /// Set aside with a cause.
    Parked {
        /// Since when.
        at: Timestamp,
    },
    /// Kept with its lane, to be queued again: the wait is longer than a queue keeps it.
    Deferred {
        /// When it is due.
        until: Timestamp,
    },
}

/// What kind of refusal, for who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refusal {
    /// Something is in its way.
    Conflict,
    /// There is no such record.
    NotFound,
    /// It can't be done as it is asked for.
    Invalid,
    /// The bridge can't do it: somebody must look.
    Failed,
}

impl DeliveryState {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Attempting { .. } => "attempting",
            Self::Waiting { .. } => "waiting",
            Self::Delivered { .. } => "delivered",
            Self::Unconfirmed { .. } => "unconfirmed",
            Self::Refused { .. } => "refused",
            Self::Parked { .. } => "parked",
            Self::Deferred { .. } => "deferred",
        }
    }
}

/// One attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u32,
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds; none when nobody reported back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// `delivered`, `retry`, `rejected`, `unknown`, `unconfirmed`, or `started` when nobody reported back.
    pub outcome: String,
    /// What the destination said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// By which way: an endpoint's name, or who got it instead of its destination. Empty where there is one way alone.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

/// A resource of a delivery that the product has taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenDoc {
    /// Its place in the Bundle, from 0.
    pub entry: usize,
    /// What it is there: `Type/id`. None where the record could not be mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Set until a later reading has confirmed it: when the product said yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<Timestamp>,
    /// Why the record could not be mapped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Cause>,
}

/// A delivery's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryDoc {
    /// Its id; also the idempotency key towards the destination.
    pub delivery: DeliveryId,
    /// The message it came from.
    pub message: MessageId,
    /// The message's connection.
    pub source: ConnectionId,
    /// Where it goes.
    pub destination: ConnectionId,
    /// Its lane at the destination.
    pub lane: LaneId,
    /// When it was put on the queue first.
    pub queued_at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// All attempts ever made.
    pub attempts: u32,
    /// Attempts since it was queued or last released: what the limit counts.
    pub tries: u32,
    /// When the first of those tries began, once it has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The last attempts, oldest first.
    pub history: Vec<Attempt>,
    /// Why it is parked or waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// What of it the product has, where it is written by its own interface: not written again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<WrittenDoc>,
    /// The way by which it may have had an effect that nobody knows of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
    /// Who has it instead of its destination, where that could not be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// End of the record's retention.
    pub expires: Timestamp,
}

impl DeliveryDoc {
    /// How many attempts are kept, so that a record never outgrows a kilobyte by much.
    const HISTORY: usize = 20;

    pub(super) fn new(task: &DeliverTask, state: DeliveryState, expires: Timestamp) -> Self {
        Self {
            delivery: task.delivery.clone(),
            message: task.message.clone(),
            source: task.connection.clone(),
            destination: task.destination.clone(),
            lane: task.lane.clone(),
            queued_at: task.queued_at,
            state,
            attempts: 0,
            tries: 0,
            since: None,
            history: Vec::new(),
            cause: None,
            written: Vec::new(),
            doubt: None,
            instead: None,
            expires,
        }
    }

    /// Whether an attempt before the present one may have had an effect that nobody knows of.
    pub(crate) fn may_have_happened(&self) -> bool {
        let earlier = self.history.split_last().map_or(&[][..], |(_, earlier)| earlier);
        // What is not kept any more is not known.
        self.attempts as usize > Self::HISTORY
            || earlier.iter().any(|attempt| matches!(attempt.outcome.as_str(), "started" | "unknown"))
    }

    /// The way by which it may have had an effect that nobody knows of: an attempt there was not answered, or never ended.
    pub(crate) fn doubt(&self) -> Option<&str> {
        let open = |attempt: &&Attempt| matches!(attempt.outcome.as_str(), "started" | "unknown");
        let first = || self.history.iter().find(open).map(|attempt| attempt.by.as_str());
        self.doubt.as_deref().or_else(first)
    }

    /// The way of the last attempt, where that failed.
    pub(crate) fn failed_by(&self) -> Option<&str> {
        let last = self.history.last()?;
        matches!(last.outcome.as_str(), "retry" | "unknown" | "started").then_some(last.by.as_str())
    }

    pub(super) fn begin_attempt(&mut self, at: Timestamp, until: Timestamp, by: &str) {
        self.doubt = self.doubt().map(str::to_owned);
        self.attempts += 1;
        self.tries += 1;
        self.state = DeliveryState::Attempting { until };
        if self.history.len() == Self::HISTORY {
            self.history.remove(0);
        }
        self.history.push(Attempt {
            number: self.attempts,
            at,
            took_ms: None,
            outcome: "started".to_owned(),
            cause: None,
            by: by.to_owned(),
        });
    }

    pub(super) fn end_attempt(&mut self, now: Timestamp, outcome: &str, cause: Option<Cause>) {
        if let Some(last) = self.history.last_mut() {
            last.took_ms = u64::try_from(now.since(last.at).as_millis()).ok();
            last.outcome = outcome.to_owned();
            last.cause.clone_from(&cause);
            if cause.is_some() {
                self.since = self.since.or(Some(last.at));
            }
        }
        self.cause = cause;
    }
}

/// A lane's record: exists from the first time something of it was parked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LaneDoc {
    /// Later work is parked behind what is parked.
    pub held: bool,
    /// Grows with every hold: a release under an older epoch has no meaning any more.
    pub epoch: u64,
    /// How many tasks are parked.
    pub parked: u32,
    /// Set while a release is under way: everything up to this order has been sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_through: Option<String>,
    /// When what is parked is queued again by itself; `None` where somebody must look first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Why it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}

/// A task that was set aside. It is complete: putting it back on its queue is all that a release needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ParkedTask {
    /// From `inbound.fifo`.
    Inbound(NormalizeTask),
    /// From `outbound.fifo`.
    Outbound(DeliverTask),
}

impl ParkedTask {
    /// The side of the pipeline it belongs to.
    pub const fn stage(&self) -> Stage {
        match self {
            Self::Inbound(_) => Stage::Inbound,
            Self::Outbound(_) => Stage::Outbound,
        }
    }

    /// The id that is unique within its stage.
    pub fn id(&self) -> &str {
        match self {
            Self::Inbound(task) => task.message.as_str(),
            Self::Outbound(task) => task.delivery.as_str(),
        }
    }
}

/// A parked task's record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParkedDoc {
    /// What to put back.
    pub task: ParkedTask,
    /// Its place in the lane.
    pub order: String,
    /// Since when.
    pub at: Timestamp,
    /// Why.
    pub cause: Cause,
}

/// Reads a record's document.
pub(crate) fn read<T: DeserializeOwned>(record: &Record, kind: &'static str) -> Result<T, LedgerError> {
    serde_json::from_str(&record.doc).map_err(|_| LedgerError::Unreadable(kind))
}

/// The document's text.
pub(crate) fn write<T: Serialize>(doc: &T) -> String {
    serde_json::to_string(doc).unwrap_or_else(|e| unreachable!("a ledger document is plain data: {e}"))
}

pub(super) fn delivery_record(doc: &DeliveryDoc) -> Record {
    let mut record = Record::new(delivery_key(&doc.source, &doc.message, &doc.delivery), write(doc));
    record.expires = Some(doc.expires);
    record
}
