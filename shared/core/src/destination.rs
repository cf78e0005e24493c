//! Where deliveries go, and what can come of a call.

use std::{future::Future, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    Cause, Phi, Timestamp,
    config::{Connection, Serves},
    id::DeliveryId,
    manifest::Manifest,
};

/// What a call to a destination came to. The adapter classifies; the pipeline decides what follows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The destination has it.
    Delivered,
    /// Not now: try again, no earlier than `after` when the destination said so.
    Retry {
        /// The destination's own wait (`Retry-After` and its kin).
        after: Option<Duration>,
        /// What it answered.
        cause: Cause,
    },
    /// It was called too often: nobody is to call before `after`, and the delivery is not to blame.
    Throttled {
        /// The wait that it asked for.
        after: Option<Duration>,
        /// What it answered.
        cause: Cause,
    },
    /// Never as it is: somebody must look.
    Rejected(Cause),
    /// It may or may not have happened (a time-out after the request was sent).
    Unknown(Cause),
}

/// One attempt to hand a delivery over.
#[derive(Debug)]
pub struct Call<'a> {
    /// Also the idempotency key: the same on every attempt.
    pub delivery: &'a DeliveryId,
    /// 1 for the first.
    pub attempt: u32,
    /// The destination's connection, with its settings and opened secrets.
    pub connection: &'a Connection,
    /// The destination's adapter.
    pub manifest: &'a Manifest,
    /// The FHIR transaction Bundle, serialised; or, to who speaks HL7 v2, the messages one after the other.
    pub body: &'a Phi<Vec<u8>>,
    /// When the attempt starts.
    pub now: Timestamp,
    /// The attempt must be over within this.
    pub time_left: Duration,
}

/// A way to hand deliveries over. Real ones are in `bridge-adapters`; the simulation has one that keeps a book.
pub trait Destination: Send + Sync {
    /// Makes one attempt. Never retries by itself: the ledger counts attempts.
    fn deliver(&self, call: &Call<'_>) -> impl Future<Output = Outcome> + Send;

    /// Whether there is somebody at one side of a connection, found out within `time` and without any effect. A yes is no
    /// promise.
    fn knock(
        &self,
        connection: &Connection,
        manifest: &Manifest,
        serves: Serves,
        time: Duration,
    ) -> impl Future<Output = bool> + Send;
}
