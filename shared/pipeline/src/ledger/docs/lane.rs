//! A lane that once was held, and what is parked in it.

use bridge_core::{
    Cause, Timestamp,
    task::{DeliverTask, NormalizeTask, Stage},
};
use serde::{Deserialize, Serialize};

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
