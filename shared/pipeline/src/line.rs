//! The one log line that each record leaves: ids, states and times; never PHI.

use bridge_core::{Cause, Timestamp, id::ConnectionId};

use crate::batch::Received;

/// What is said about a record.
#[derive(Debug, Default)]
pub struct Line {
    step: &'static str,
    outcome: &'static str,
    message: String,
    delivery: String,
    connection: String,
    kind: String,
    attempt: u32,
    by: String,
    resources: usize,
    cause: Option<Cause>,
}

impl Line {
    /// Of the step `step`.
    pub fn new(step: &'static str) -> Self {
        Self { step, ..Self::default() }
    }

    /// What it came to, in one word.
    #[must_use]
    pub const fn outcome(mut self, outcome: &'static str) -> Self {
        self.outcome = outcome;
        self
    }

    /// Why.
    #[must_use]
    pub fn cause(mut self, cause: Option<Cause>) -> Self {
        self.cause = cause;
        self
    }

    /// Which message, of which connection.
    #[must_use]
    pub fn message(mut self, message: impl ToString, connection: &ConnectionId, kind: &str) -> Self {
        self.message = message.to_string();
        self.connection = connection.to_string();
        kind.clone_into(&mut self.kind);
        self
    }

    /// Which delivery and attempt.
    #[must_use]
    pub fn delivery(mut self, delivery: impl ToString, attempt: u32) -> Self {
        self.delivery = delivery.to_string();
        self.attempt = attempt;
        self
    }

    /// By which way, where there are several.
    #[must_use]
    pub fn by(mut self, way: &str) -> Self {
        way.clone_into(&mut self.by);
        self
    }

    /// How many resources.
    #[must_use]
    pub const fn resources(mut self, resources: usize) -> Self {
        self.resources = resources;
        self
    }

    /// The outcome's word.
    pub const fn word(&self) -> &'static str {
        self.outcome
    }

    pub(crate) fn log(&self, record: &Received, begun: Timestamp, now: Timestamp) {
        let took_ms = now.since(begun).as_millis() as u64;
        let age_ms = now.since(record.sent_at).as_millis() as u64;
        let Self { step, outcome, message, delivery, connection, kind, attempt, by, resources, cause } = self;
        let (code, place, why) = cause.as_ref().map_or(("", "", ""), |c| (&*c.code, &*c.place, &*c.text));
        let receives = record.receives;
        // One target for all of them, so that a reader can follow messages and nothing else.
        tracing::info!(
            target: "bridge::line",
            step, outcome, message, delivery, connection, kind, attempt, by, resources, code, place, why, took_ms, age_ms,
            receives
        );
    }
}
