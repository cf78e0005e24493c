//! What became of writes that were asked for, as an event: a FHIR `Task` that takes the connection's routes like anything else
//! that comes from it.
//!
//! `deliver` asks for it when a delivery is at an end, `retry` makes the message of it: a message of its own, with an id that
//! follows from the delivery and its state, so that asking twice tells once.

use bridge_core::{
    id::{ConnectionId, DeliveryId, MessageId},
    task::{Format, InboundTask, NormalizeTask},
};
use serde_json::{Value, json};

use crate::{
    bridge::Bridge,
    configuration::Loaded,
    keys::Keep,
    ledger::{DeliveryDoc, DeliveryState, docs_write},
    payload::Purpose,
    ports::{Entry, Ports, Queue, QueueName},
    stage::Failure,
};

/// The kind of such a message.
pub(crate) const OUTCOME_KIND: &str = "outcome";
/// The type that a route has to take.
const TASK: &str = "Task";
/// Identifier system of deliveries.
const SYSTEM: &str = "urn:pms-bridge:delivery";

impl Loaded {
    /// Whether anybody wants to hear what becomes of writes.
    pub(crate) fn tells_outcomes(&self) -> bool {
        self.connection.routes.iter().any(|route| route.resources.iter().any(|taken| taken == TASK))
    }
}

impl<P: Ports> Bridge<P> {
    /// Queues the message that says how a delivery stands.
    pub(crate) async fn tell_outcome(
        &self,
        connection: &ConnectionId,
        message: &MessageId,
        delivery: &DeliveryId,
    ) -> Result<&'static str, Failure> {
        let Some(doc) = self.ledger().delivery(connection, message, delivery).await? else {
            return Ok("gone");
        };
        let Some(status) = status(doc.state) else { return Ok("not over") };
        let Some(loaded) = self.connection(connection).await? else { return Ok("gone") };
        let index = self.index_key(&connection.tenant()).await?;
        let namespace = uuid::Uuid::from_bytes(index.fhir_namespace());
        let id = bridge_fhir::resource_id(namespace, TASK, SYSTEM, delivery.as_str());
        let task = task(&doc, status, &id, &self.now().to_string());
        let state = format!("{status}#{}", doc.attempts);
        let told = index.message(connection, &[b"outcome", delivery.as_str().as_bytes(), state.as_bytes()]);
        let keep = Keep::Payload(loaded.retention);
        let payload =
            self.pack(Purpose::Message, connection, told.as_str(), keep, task.to_string().as_bytes()).await?;
        let lane = index.lane(connection, &[b"outcome", delivery.as_str().as_bytes()]);
        let entry = Entry {
            group: lane.to_string(),
            dedup: told.to_string(),
            body: docs_write(&InboundTask::Normalize(NormalizeTask {
                message: told,
                connection: connection.clone(),
                kind: OUTCOME_KIND.to_owned(),
                lane,
                received_at: self.now(),
                payload,
                format: Format::Json,
                release: None,
                replay: 0,
            })),
        };
        self.ports.queue().send(QueueName::Inbound, vec![entry]).await?;
        Ok("told")
    }
}

/// The Task's status; `None` while it is not over.
const fn status(state: DeliveryState) -> Option<&'static str> {
    match state {
        DeliveryState::Delivered { .. } => Some("completed"),
        DeliveryState::Refused { .. } => Some("rejected"),
        // Until an operator has looked, or until it is due.
        DeliveryState::Parked { .. } | DeliveryState::Deferred { .. } => Some("on-hold"),
        DeliveryState::Attempting { .. }
        | DeliveryState::Waiting { .. }
        | DeliveryState::Unconfirmed { .. } => None,
    }
}

/// The outcome in FHIR R4. Causes hold no PHI, and neither does this.
fn task(doc: &DeliveryDoc, status: &str, id: &str, now: &str) -> Value {
    let mut task = json!({
        "resourceType": TASK,
        "id": id,
        "identifier": [{"system": SYSTEM, "value": doc.delivery}],
        "status": status,
        "intent": "order",
        "authoredOn": doc.queued_at,
        "lastModified": now,
    });
    if let Some(written) = doc.written.first().and_then(|written| written.resource.as_ref()) {
        task["focus"] = json!({"reference": written});
    }
    if let Some(cause) = &doc.cause {
        task["statusReason"] =
            json!({"coding": [{"system": "urn:pms-bridge:cause", "code": cause.code}], "text": cause.text});
    }
    task
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_outcome_is_fhir() {
        let doc: DeliveryDoc = serde_json::from_value(json!({
            "delivery": "dlv_aaaaaaaaaaaaaaaaaaaaaaaaaa", "message": "msg_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "source": "sim.pms", "destination": "sim.pms", "lane": "lane_aaaaaaaaaaaaaaaaaaaaaaaaaa",
            "queued_at": "2026-03-02T10:00:00.000Z", "state": {"delivered": {"at": "2026-03-02T10:00:01.000Z"}},
            "attempts": 1, "tries": 1, "history": [], "expires": "2026-04-02T10:00:00.000Z",
            "cause": {"code": "api.conflict", "text": "the chair is taken", "place": ""},
            "written": [{"entry": 0, "resource": "Appointment/5f0c2f0e-0000-4000-8000-000000000001"}],
        }))
        .unwrap();
        let id = "5f0c2f0e-0000-4000-8000-000000000002";
        let task = task(&doc, status(doc.state).unwrap(), id, "2026-03-02T10:00:02.000Z");
        assert_eq!(bridge_fhir::check(&task), Ok(()));
        assert_eq!(
            (&task["status"], &task["statusReason"]["text"]),
            (&json!("completed"), &json!("the chair is taken"))
        );
    }
}
