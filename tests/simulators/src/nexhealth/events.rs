//! Webhooks: endpoints with secrets, subscriptions to kinds of events, and the signature over time and body.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{SUBDOMAIN, State, WRITE_BACK, data, error, shapes};
use crate::{Answer, Delivery, parts::sign::hmac_sha256_hex};

/// What an endpoint is given when it is made.
pub(super) const SECRET: &str = "sim-nexhealth-endpoint-secret";

/// What it tells of.
const EVENTS: [&str; 4] =
    ["appointment_created", "appointment_updated", "appointment_insertion", "patient_created"];

/// Where events go.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    id: u64,
    url: String,
    events: Vec<String>,
}

/// Something that happened to a record.
#[derive(Debug, Clone)]
pub(super) struct Event {
    name: &'static str,
    id: u64,
    at: Timestamp,
}

impl State {
    pub(super) fn endpoints(&self) -> Answer {
        let shown = self
            .endpoints
            .iter()
            .map(|endpoint| json!({"id": endpoint.id, "target_url": endpoint.url, "active": true}));
        data(200, &Value::Array(shown.collect()))
    }

    pub(super) fn add_endpoint(&mut self, body: &Value) -> Answer {
        let Some(url) = body.get("target_url").and_then(Value::as_str) else {
            return error(400, "target_url is missing");
        };
        let id = self.clinic.number();
        self.endpoints.push(Endpoint { id, url: url.to_owned(), events: Vec::new() });
        data(201, &json!({"id": id, "target_url": url, "secret_key": SECRET, "active": true}))
    }

    pub(super) fn subscribe(&mut self, id: u64, body: &Value) -> Answer {
        let Some(endpoint) = self.endpoints.iter_mut().find(|endpoint| endpoint.id == id) else {
            return error(404, "Not found");
        };
        let Some(event) = body.get("event").and_then(Value::as_str) else {
            return error(400, "event is missing");
        };
        endpoint.events.push(event.to_owned());
        data(201, &json!({"webhook_endpoint_id": id, "event": event, "active": true}))
    }

    /// An endpoint, and all that can be subscribed to.
    pub(super) fn subscribe_to_all(&mut self, url: &str) {
        let events = EVENTS.map(str::to_owned).into();
        let id = self.clinic.number();
        self.endpoints.push(Endpoint { id, url: url.to_owned(), events });
    }

    pub(super) fn tell(&mut self, name: &'static str, id: u64, now: Timestamp) {
        if self.endpoints.iter().any(|endpoint| endpoint.events.iter().any(|event| event == name)) {
            self.events.push(Event { name, id, at: now });
        }
    }

    /// What is due: insertions when the agent is through with them.
    pub(super) fn deliver(&mut self, now: Timestamp) -> Vec<Delivery> {
        let is_due = |event: &Event| {
            event.name != "appointment_insertion" || now.duration_since(event.at) >= WRITE_BACK
        };
        let (due, later): (Vec<Event>, Vec<Event>) =
            std::mem::take(&mut self.events).into_iter().partition(is_due);
        self.events = later;
        let mut deliveries = Vec::new();
        for event in due {
            let Some(body) = self.body(&event, now) else { continue };
            for endpoint in
                self.endpoints.iter().filter(|known| known.events.iter().any(|name| name == event.name))
            {
                deliveries.push(signed(endpoint, &body, now));
            }
        }
        deliveries
    }

    fn body(&self, event: &Event, now: Timestamp) -> Option<Vec<u8>> {
        let (kind, mut record) = match event.name {
            "patient_created" => {
                ("Patient", shapes::patient(self.clinic.patients.get(&event.id)?, self, now))
            }
            _ => ("Appointment", shapes::appointment(self.clinic.visits.get(&event.id)?, self, now)),
        };
        if event.name == "appointment_insertion" {
            let status = if self.refused.contains(&event.id) { "failed" } else { "complete" };
            record = json!({"id": event.id, "status": status, "foreign_id": record.get("foreign_id")});
        }
        let body = json!({
            "resource_type": kind, "event": event.name, "event_time": shapes::time(event.at),
            "subdomain": SUBDOMAIN, "data": record,
        });
        Some(body.to_string().into_bytes())
    }
}

fn signed(endpoint: &Endpoint, body: &[u8], now: Timestamp) -> Delivery {
    let stamp = shapes::time(now);
    let signature =
        hmac_sha256_hex(SECRET, format!("{stamp}.{}", data_encoding::BASE64.encode(body)).as_bytes());
    Delivery {
        url: endpoint.url.clone(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("timestamp".to_owned(), stamp),
            ("signature".to_owned(), signature),
        ],
        body: body.to_vec(),
    }
}
