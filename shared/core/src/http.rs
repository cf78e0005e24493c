//! HTTP as the pipeline sees it: independent of API Gateway's event and of any server.

use std::{collections::BTreeMap, fmt, net::IpAddr};

use crate::Phi;

/// A request at a door. Header names are lower case; repeated headers are joined with `,` (RFC 9110 section 5.3).
#[derive(Debug, Clone)]
pub struct Request {
    /// Upper case.
    pub method: String,
    /// As the sender sees it, without the query.
    pub path: String,
    /// Raw, without `?`; empty when there is none.
    pub query: String,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Who connected, as the gateway reports it.
    pub source: Option<IpAddr>,
    /// Exactly the bytes that were sent: signatures are over these.
    pub body: Phi<Vec<u8>>,
}

impl Request {
    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The media type of the body, lower case and without parameters.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// A parameter of the media type (RFC 9110 §8.3.1), without its quotes: `charset`.
    pub fn media_type_parameter(&self, name: &str) -> Option<String> {
        let parameters = self.header("content-type")?.split(';').skip(1);
        let mut pairs = parameters.filter_map(|parameter| parameter.split_once('='));
        let (_, value) = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim().trim_matches('"').to_owned())
    }
}

/// A reply. The bodies of the FHIR interface hold PHI, so none prints.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// By lower-case name.
    pub headers: BTreeMap<String, String>,
    /// Text of the body.
    pub body: String,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).finish_non_exhaustive()
    }
}

impl Response {
    /// A reply without a body.
    pub const fn empty(status: u16) -> Self {
        Self { status, headers: BTreeMap::new(), body: String::new() }
    }

    /// A JSON reply.
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        let headers = BTreeMap::from([
            ("content-type".to_owned(), "application/json".to_owned()),
            ("cache-control".to_owned(), "no-store".to_owned()),
        ]);
        Self { status, headers, body: body.to_string() }
    }

    /// The same reply with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(name.to_owned(), value.into());
        self
    }
}
