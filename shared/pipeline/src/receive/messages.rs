//! Cutting a delivery into messages, and naming them.

use bridge_core::{
    http::Request,
    manifest::{Extract, Kind, OtherKinds, Webhook},
};
use bridge_seal::sha256;
use serde_json::Value;

use super::Refusal;

/// A message, cut out of a delivery.
pub(crate) struct Cut<'a> {
    /// Its JSON, as it is sealed.
    pub(super) text: String,
    /// The adapter's word for it.
    pub(super) kind: String,
    /// What the manifest says of that kind; `None` when it says nothing.
    pub(super) rule: Option<&'a Kind>,
    lane: Option<Vec<String>>,
    source_id: Option<Vec<String>>,
    digest: [u8; 32],
    listing: Option<String>,
}

/// Whether a header alone tells that nobody wants the delivery. A ping may have no body that could be read.
pub(super) fn is_ignored(webhook: &Webhook, request: &Request) -> bool {
    let named = matches!(webhook.kind, Extract::Header { .. });
    let kind = webhook.kind.find(&Value::Null, |name| request.header(name));
    named
        && webhook.other_kinds == OtherKinds::Ignore
        && kind.is_some_and(|kind| !webhook.kinds.contains_key(&kind))
}

/// Cuts a delivery into its messages, in order.
pub(super) fn cut<'a>(webhook: &'a Webhook, body: Value, request: &Request) -> Result<Vec<Cut<'a>>, Refusal> {
    let rows = webhook.messages(body).map_err(|_| Refusal::no_rows())?;
    let header = |name: &str| request.header(name);
    let name = |message: Value| {
        let kind = webhook.kind.find(&message, header).unwrap_or_default();
        Cut::new(&message, webhook.kinds.get(&kind), kind, header)
    };
    Ok(rows.into_iter().map(name).collect())
}

impl<'a> Cut<'a> {
    /// A message of a kind, with what is said of it there.
    pub(crate) fn new<'h>(
        message: &Value,
        rule: Option<&'a Kind>,
        kind: String,
        header: impl Fn(&str) -> Option<&'h str> + Copy,
    ) -> Self {
        let parts = |places: &[Extract]| -> Option<Vec<String>> {
            if places.is_empty() {
                None
            } else {
                places.iter().map(|place| place.find(message, header)).collect()
            }
        };
        let text = message.to_string();
        Self {
            lane: rule.and_then(|rule| parts(&rule.lane)),
            source_id: rule.and_then(|rule| parts(&rule.source_id)),
            digest: sha256(&[text.as_bytes()]),
            listing: None,
            text,
            kind,
            rule,
        }
    }

    /// It was found by comparing with what was known, in this listing, or because this event named it: where its content is
    /// all that names it, the same content at another time is another message.
    #[must_use]
    pub(crate) fn found_in(mut self, listing: impl ToString) -> Self {
        self.listing = self.source_id.is_none().then(|| listing.to_string());
        self
    }

    /// What its lane is named by; `None` when it is a lane of its own.
    pub(super) fn lane(&self) -> Option<&[String]> {
        self.lane.as_deref()
    }

    /// What identifies it at its source: the manifest's places, or its content where one of them is empty.
    pub(crate) fn source_id(&self) -> Vec<&[u8]> {
        let mut id = vec![self.kind.as_bytes()];
        match &self.source_id {
            Some(parts) => id.extend(parts.iter().map(String::as_bytes)),
            None => id.push(&self.digest),
        }
        id.extend(self.listing.as_ref().map(String::as_bytes));
        id
    }
}
