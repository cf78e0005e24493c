//! Where a message stands, and everything that is known to have happened to it.

use bridge_core::{Cause, Timestamp, id::ConnectionId, task::Actor};
use serde::{Deserialize, Serialize};

use crate::ledger::{DeliveryDoc, DeliveryState, MessageDoc, MessageState};

/// Where a message stands, over all its deliveries: the worst of them counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It, or one of its deliveries, is set aside with a cause.
    Parked,
    /// A delivery failed and is tried again later, or is being tried.
    Waiting,
    /// A delivery is on its queue and has not been tried.
    Queued,
    /// Every destination has it.
    Delivered,
    /// Its resources are stored, and there is nowhere to send them.
    Normalized,
}

impl Standing {
    /// All, in the order in which they matter to an operator.
    pub const ALL: [Self; 5] = [Self::Parked, Self::Waiting, Self::Queued, Self::Delivered, Self::Normalized];

    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Normalized => "normalized",
        }
    }
}

/// A message with its deliveries.
#[derive(Debug, Clone)]
pub struct Overview {
    /// Its record.
    pub message: MessageDoc,
    /// Its deliveries' records; one that was not tried yet has none.
    pub deliveries: Vec<DeliveryDoc>,
    /// Where it stands.
    pub standing: Standing,
}

/// One thing that happened to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// `receive`, `normalize`, `queue`, `deliver`, `park`, `wait` or `replay`.
    pub step: &'static str,
    /// What came of it, in a word.
    pub outcome: String,
    /// How long it took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// Of which destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<ConnectionId>,
    /// Which attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// By which way: an endpoint's name, or who got it instead of its destination.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// What else is worth knowing: the mapping, the resources.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl Overview {
    /// Everything that is known to have happened, in order of time.
    pub fn steps(&self) -> Vec<Step> {
        let message = &self.message;
        let mut steps = vec![step(message.received_at, "receive", "accepted")];
        let mut normalized = step(message.normalized_at, "normalize", "normalized");
        match message.state {
            MessageState::Normalized => {
                normalized.note = match message.resources.join(", ") {
                    resources if resources.is_empty() => message.mapped_by.clone(),
                    resources => format!("{resources} by {}", message.mapped_by),
                };
            }
            MessageState::Parked => {
                normalized.step = "park";
                "parked".clone_into(&mut normalized.outcome);
                normalized.cause.clone_from(&message.cause);
            }
        }
        steps.push(normalized);
        for replay in &message.replays {
            steps.push(Step { actor: Some(replay.actor.clone()), ..step(replay.at, "replay", "asked for") });
        }
        for delivery in &self.deliveries {
            let of = |step| Step { destination: Some(delivery.destination.clone()), ..step };
            steps.push(of(step(delivery.queued_at, "queue", "queued")));
            for attempt in &delivery.history {
                steps.push(of(Step {
                    took_ms: attempt.took_ms,
                    attempt: Some(attempt.number),
                    by: attempt.by.clone(),
                    cause: attempt.cause.clone(),
                    ..step(attempt.at, "deliver", &attempt.outcome)
                }));
            }
            match delivery.state {
                DeliveryState::Parked { at } => {
                    steps.push(of(Step { cause: delivery.cause.clone(), ..step(at, "park", "parked") }));
                }
                DeliveryState::Waiting { until }
                | DeliveryState::Deferred { until }
                | DeliveryState::Unconfirmed { until } => {
                    steps.push(of(step(until, "wait", "next attempt")));
                }
                DeliveryState::Attempting { .. }
                | DeliveryState::Delivered { .. }
                | DeliveryState::Refused { .. } => {}
            }
        }
        // Normalizing is recorded when it is done, which is after its deliveries were queued. Stable: what happened in
        // one millisecond stays in the order of the pipeline.
        let queued = steps.iter().filter(|step| step.step == "queue").map(|step| step.at);
        let begun = message.replays.last().map_or(message.received_at, |replay| replay.at);
        let first = queued.filter(|at| *at >= begun).min().unwrap_or(message.normalized_at);
        steps.sort_by_key(|step| if step.step == "normalize" { first.min(step.at) } else { step.at });
        steps
    }
}

fn step(at: Timestamp, step: &'static str, outcome: &str) -> Step {
    Step {
        at,
        step,
        outcome: outcome.to_owned(),
        took_ms: None,
        destination: None,
        attempt: None,
        by: String::new(),
        cause: None,
        actor: None,
        note: String::new(),
    }
}

pub(super) fn standing(message: &MessageDoc, deliveries: &[DeliveryDoc], all_tried: bool) -> Standing {
    let worst = deliveries.iter().map(|delivery| match delivery.state {
        DeliveryState::Parked { .. } => Standing::Parked,
        DeliveryState::Attempting { .. }
        | DeliveryState::Waiting { .. }
        | DeliveryState::Deferred { .. }
        | DeliveryState::Unconfirmed { .. } => Standing::Waiting,
        // Nobody has to look: who asked for it knows.
        DeliveryState::Delivered { .. } | DeliveryState::Refused { .. } => Standing::Delivered,
    });
    let own = match message.state {
        MessageState::Parked => Standing::Parked,
        MessageState::Normalized if !all_tried => Standing::Queued,
        MessageState::Normalized => Standing::Normalized,
    };
    worst.chain([own]).min().unwrap_or(own)
}
