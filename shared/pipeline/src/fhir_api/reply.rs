//! Answers with a FHIR resource.

use std::collections::BTreeMap;

use bridge_core::{
    Cause, Timestamp,
    http::{Request, Response},
};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Body,
    cause: Option<Cause>,
}

enum Body {
    None,
    Resource(Box<Value>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[phi]")
    }
}

impl Reply {
    pub(super) fn resource(status: u16, resource: Value) -> Self {
        Self { status, headers: BTreeMap::new(), body: Body::Resource(Box::new(resource)), cause: None }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: BTreeMap::new(), body: Body::None, cause: None }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn because(mut self, cause: Option<Cause>) -> Self {
        self.cause = cause;
        self
    }

    /// The product could not be asked: what is given out is from before.
    pub(super) fn stale(self) -> Self {
        self.with("warning", "110 - \"Response is Stale\"")
    }

    pub(super) const fn status(&self) -> u16 {
        self.status
    }

    pub(super) const fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    pub(super) fn response(self, request: &Request) -> Response {
        let mut headers = self.headers;
        headers.insert("cache-control".to_owned(), "no-store".to_owned());
        for name in ["x-request-id", "x-correlation-id"] {
            let given =
                request.header(name).filter(|id| id.len() <= 64 && id.bytes().all(|b| b.is_ascii_graphic()));
            headers.extend(given.map(|id| (name.to_owned(), id.to_owned())));
        }
        let body = match self.body {
            Body::None => String::new(),
            Body::Resource(resource) => {
                headers.insert("content-type".to_owned(), "application/fhir+json; charset=utf-8".to_owned());
                if request.method == "HEAD" { String::new() } else { resource.to_string() }
            }
        };
        Response { status: self.status, headers, body }
    }
}

/// A version of a resource: what it says decides, so that the same state has the same version everywhere.
pub(super) fn version_of(resource: &Value) -> String {
    let mut bare = resource.clone();
    if let Some(fields) = bare.as_object_mut() {
        fields.shift_remove("meta");
    }
    let hash = bridge_seal::sha256(&[bare.to_string().as_bytes()]);
    HEXLOWER.encode(&hash[..8])
}

/// The resource as it is given out: with its version.
pub(super) fn versioned(resource: &Value) -> (Value, String) {
    let version = version_of(resource);
    let mut resource = resource.clone();
    if let Some(fields) = resource.as_object_mut() {
        let meta = fields.entry("meta").or_insert_with(|| json!({}));
        if let Some(meta) = meta.as_object_mut() {
            meta.insert("versionId".to_owned(), Value::String(version.clone()));
        }
    }
    (resource, format!("W/\"{version}\""))
}

/// Marks what is given out although the product could not be asked.
pub(super) fn mark_stale(resource: &mut Value) {
    let tag = json!({"system": "urn:pms-bridge:freshness", "code": "stale", "display": "from before the product failed"});
    let Some(fields) = resource.as_object_mut() else { return };
    let meta = fields.entry("meta").or_insert_with(|| json!({}));
    let Some(meta) = meta.as_object_mut() else { return };
    match meta.entry("tag").or_insert_with(|| json!([])) {
        Value::Array(tags) => tags.push(tag),
        other => *other = json!([tag]),
    }
}

/// RFC 9110, section 5.6.7.
pub(super) fn http_date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
