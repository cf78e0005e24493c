//! Webhooks: the id of what changed, and a signature that looks like RFC 9421 but is Healthie's own.

use aws_lc_rs::digest;
use serde_json::json;

use super::HOOK_SECRET;
use crate::{Delivery, parts::sign::hmac_sha256_hex};

/// What it tells of.
pub(super) const EVENTS: [&str; 5] = [
    "appointment.created",
    "appointment.updated",
    "appointment.deleted",
    "patient.created",
    "patient.updated",
];

/// Who wants to know, and what waits for them.
#[derive(Debug, Default)]
pub(super) struct Hooks {
    url: Option<String>,
    events: Vec<String>,
    waiting: Vec<(&'static str, u64)>,
}

impl Hooks {
    pub(super) fn subscribe(&mut self, url: String, events: Vec<String>) {
        self.url = Some(url);
        self.events = events;
    }

    pub(super) fn note(&mut self, event: &'static str, id: u64) {
        if self.events.iter().any(|known| known == event) {
            self.waiting.push((event, id));
        }
    }

    pub(super) fn hand_out(&mut self) -> Vec<Delivery> {
        let Some(url) = self.url.clone() else { return Vec::new() };
        std::mem::take(&mut self.waiting).into_iter().map(|(event, id)| delivery(&url, event, id)).collect()
    }
}

fn delivery(url: &str, event: &str, id: u64) -> Delivery {
    let resource = if event.starts_with("patient") { "User" } else { "Appointment" };
    let mut body = json!({"resource_id": id.to_string(), "resource_id_type": resource, "event_type": event});
    if let (true, serde_json::Value::Object(body)) = (event.ends_with(".updated"), &mut body) {
        body.insert("changed_fields".to_owned(), json!(["updated_at"]));
    }
    let body = body.to_string().into_bytes();
    let digest = data_encoding::BASE64.encode(digest::digest(&digest::SHA256, &body).as_ref());
    // Behind scheme and host.
    let target = url.splitn(4, '/').nth(3).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let signed = format!("post /{path} {query} {digest} application/json {}", body.len());
    let headers = [
        ("content-type", "application/json".to_owned()),
        ("content-digest", format!("SHA-256={digest}")),
        ("signature-input", "sig1=(\"@method\" \"@path\" \"@query\" \"content-digest\")".to_owned()),
        ("signature", format!("sig1={}", hmac_sha256_hex(HOOK_SECRET, signed.as_bytes()))),
    ];
    Delivery {
        url: url.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        body,
    }
}
