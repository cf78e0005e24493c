//! A delivery: where it stands, and every attempt at it that is kept.

use bridge_core::{
    Cause, Timestamp,
    id::{ConnectionId, DeliveryId, LaneId, MessageId},
    task::DeliverTask,
};
use serde::{Deserialize, Serialize};

use super::write;
use crate::{ledger::delivery_key, ports::Record};

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

    pub(in crate::ledger) fn new(task: &DeliverTask, state: DeliveryState, expires: Timestamp) -> Self {
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

    pub(in crate::ledger) fn begin_attempt(&mut self, at: Timestamp, until: Timestamp, by: &str) {
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

    pub(in crate::ledger) fn end_attempt(&mut self, now: Timestamp, outcome: &str, cause: Option<Cause>) {
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

pub(in crate::ledger) fn delivery_record(doc: &DeliveryDoc) -> Record {
    let mut record = Record::new(delivery_key(&doc.source, &doc.message, &doc.delivery), write(doc));
    record.expires = Some(doc.expires);
    record
}
