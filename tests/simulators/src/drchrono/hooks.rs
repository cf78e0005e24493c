//! Webhooks: whole records, and the secret itself as their signature.

use serde_json::json;

use super::{HOOK_TOKEN, lists};
use crate::{Delivery, parts::clinic::Clinic};

#[derive(Debug, Default)]
pub(super) struct Hooks {
    url: Option<String>,
    waiting: Vec<(&'static str, u64)>,
    sent: u64,
}

impl Hooks {
    /// The practice enters an address, or takes it away.
    pub(super) fn subscribe(&mut self, url: Option<String>) {
        self.url = url;
        self.waiting.clear();
    }

    pub(super) fn note(&mut self, event: &'static str, id: u64) {
        if self.url.is_some() {
            self.waiting.push((event, id));
        }
    }

    pub(super) fn hand_out(&mut self, clinic: &Clinic) -> Vec<Delivery> {
        let Some(url) = self.url.clone() else { return Vec::new() };
        let mut out = Vec::new();
        for (event, id) in std::mem::take(&mut self.waiting) {
            let list = if event.starts_with("PATIENT") { "patients" } else { "appointments" };
            let Some(object) = lists::record(clinic, list, id, false) else { continue };
            self.sent += 1;
            let headers = [
                ("content-type", "application/json".to_owned()),
                ("x-drchrono-event", event.to_owned()),
                ("x-drchrono-delivery", format!("drc-{:06}", self.sent)),
                ("x-drchrono-signature", HOOK_TOKEN.to_owned()),
            ];
            out.push(Delivery {
                url: url.clone(),
                headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
                body: json!({"receiver": {"id": 1}, "object": object}).to_string().into_bytes(),
            });
        }
        out
    }
}
