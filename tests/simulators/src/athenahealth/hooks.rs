//! The Event Subscription Platform: notifications that hold ids alone, signed where a secret was given.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{PRACTICE, error, feeds::Event};
use crate::{
    Answer, Delivery, Request,
    parts::{clinic::Clinic, sign::hmac_sha256_hex},
};

/// Who wants to know, and what waits for them.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    subscriptions: Vec<Subscription>,
    waiting: Vec<(Event, u64, Timestamp)>,
    sent: u64,
}

#[derive(Debug)]
struct Subscription {
    topic: String,
    url: String,
    secret: Option<String>,
}

const TOPICS: &str = "https://api.platform.athenahealth.com/fhir/r4/SubscriptionTopic/";

impl Hooks {
    pub(super) fn subscribe(&mut self, request: &Request) -> Answer {
        let body = request.json().unwrap_or_default();
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
        let topic = text("/criteria").and_then(|criteria| criteria.rsplit('/').next()).map(str::to_owned);
        let (Some(topic), Some(url)) = (topic.filter(|t| t.contains('.')), text("/channel/endpoint")) else {
            return error(400, "criteria must be a topic, and channel.endpoint an address");
        };
        let secret = request.header("x-hub-secret").map(str::to_owned);
        self.subscriptions.push(Subscription { topic, url: url.to_owned(), secret });
        let id = format!("sub-{}", self.subscriptions.len());
        Answer::json(201, &json!({"resourceType": "Subscription", "id": id, "status": "active"}))
    }

    /// A subscription to each topic.
    pub(super) fn subscribe_to_all(&mut self, url: &str, secret: &str) {
        self.subscriptions.extend(Event::ALL.map(|event| Subscription {
            topic: event.topic().to_owned(),
            url: url.to_owned(),
            secret: Some(secret.to_owned()),
        }));
    }

    pub(super) fn note(&mut self, event: Event, id: u64, now: Timestamp) {
        if self.subscriptions.iter().any(|subscription| subscription.topic == event.topic()) {
            self.waiting.push((event, id, now));
        }
    }

    pub(super) fn hand_out(&mut self, clinic: &Clinic) -> Vec<Delivery> {
        let mut out = Vec::new();
        for (event, id, at) in std::mem::take(&mut self.waiting) {
            for subscription in self.subscriptions.iter().filter(|known| known.topic == event.topic()) {
                self.sent += 1;
                let body = notification(clinic, event, id, at, self.sent).to_string().into_bytes();
                let mut headers = vec![("content-type".to_owned(), "application/fhir+json".to_owned())];
                if let Some(secret) = &subscription.secret {
                    let signature = format!("sha256={}", hmac_sha256_hex(secret, &body));
                    headers.push(("x-hub-signature".to_owned(), signature));
                }
                out.push(Delivery { url: subscription.url.clone(), headers, body });
            }
        }
        out
    }
}

fn notification(clinic: &Clinic, event: Event, id: u64, at: Timestamp, number: u64) -> Value {
    let event_id = format!("10000000-0000-4000-8000-{number:012}");
    let is_patient = event.topic().starts_with("Patient");
    let focus = if is_patient {
        json!({
            "reference": format!("Patient/{}", fhir_id(id)),
            "identifier": {"system": format!("urn:athenahealth:athenanet:patient:{PRACTICE}"), "value": id.to_string()},
        })
    } else {
        let system = format!("urn:athenahealth:athenanet:appointment:{PRACTICE}");
        json!({"identifier": {"system": system, "value": id.to_string()}})
    };
    let mut extension = Vec::new();
    if let Some(visit) = clinic.visits.get(&id).filter(|_| !is_patient) {
        extension.push(json!({
            "url": "https://fhir.athena.io/StructureDefinition/ah-department",
            "valueReference": {"reference": format!("Organization/a-{PRACTICE}.Department-{}", visit.place)},
        }));
        if let Some(patient) = visit.patient {
            extension.push(json!({
                "url": "https://hl7.org/fhir/5.0/StructureDefinition/extension-AuditEvent.patient",
                "valueReference": {"reference": format!("Patient/{}", fhir_id(patient))},
            }));
        }
    }
    let time = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "resourceType": "Bundle",
        "type": "history",
        "timestamp": time,
        "entry": [
            {"resource": {
                "resourceType": "SubscriptionStatus", "status": "active", "type": "event-notification",
                "notificationEvent": [{"id": event_id, "eventNumber": number.to_string(), "timestamp": time, "focus": focus}],
                "topic": format!("{TOPICS}{}", event.topic()),
            }},
            {"resource": {
                "resourceType": "AuditEvent", "id": event_id, "extension": extension, "recorded": time,
                "entity": [{"what": focus}],
            }},
        ],
    })
}

/// A patient's id in the FHIR interface.
fn fhir_id(patient: u64) -> String {
    format!("a-{PRACTICE}.E-{patient}")
}
