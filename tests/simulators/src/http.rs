//! A request and its answer, as a product sees them.

use std::collections::BTreeMap;

use serde_json::Value;

/// One request, with its whole body.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, in capitals.
    pub method: String,
    /// The path, percent-decoded, without the query.
    pub path: String,
    /// The query's parameters, percent-decoded, in order.
    pub query: Vec<(String, String)>,
    /// By lower-case names; of a header that is sent twice the last.
    pub headers: BTreeMap<String, String>,
    /// The body as it came.
    pub body: Vec<u8>,
}

impl Request {
    /// A header by its lower-case name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters(name).next()
    }

    /// Every value of a query parameter, in order.
    pub fn parameters(&self, name: &str) -> impl Iterator<Item = &str> {
        self.query.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The path's parts: `["v1", "patients", "12"]`.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| !part.is_empty()).collect()
    }

    /// The body as JSON; `None` when it is not.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The body as `application/x-www-form-urlencoded`.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        pairs(&String::from_utf8_lossy(&self.body))
    }

    /// Where the caller found the product, from the header `Host`: `http://127.0.0.1:4010`.
    #[must_use]
    pub fn base(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or("127.0.0.1"))
    }

    /// What stands behind a scheme in `Authorization`: `credentials("Bearer")`.
    #[must_use]
    pub fn credentials(&self, scheme: &str) -> Option<&str> {
        let (name, rest) = self.header("authorization")?.split_once(' ')?;
        name.eq_ignore_ascii_case(scheme).then(|| rest.trim())
    }

    /// User and password of HTTP Basic (RFC 7617).
    #[must_use]
    pub fn basic(&self) -> Option<(String, String)> {
        let decoded = data_encoding::BASE64.decode(self.credentials("Basic")?.as_bytes()).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }
}

/// Parameters of a query or a form, decoded, in order.
#[must_use]
pub fn pairs(text: &str) -> Vec<(String, String)> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name, true), decode(value, true))
    };
    text.split('&').filter(|part| !part.is_empty()).map(pair).collect()
}

/// Percent-decoded; what is no escape stays as it is.
pub(crate) fn decode(text: &str, plus_is_space: bool) -> String {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' if plus_is_space => out.push(b' '),
            b'%' => {
                let mut ahead = bytes.clone();
                let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
                match (digit(ahead.next()), digit(ahead.next())) {
                    (Some(high), Some(low)) => {
                        out.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                        bytes = ahead;
                    }
                    _ => out.push(b'%'),
                }
            }
            byte => out.push(byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Percent-encoded for a query's value (RFC 3986: everything but unreserved characters).
#[must_use]
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// In order; a name may come twice.
    pub headers: Vec<(String, String)>,
    /// The whole body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// With a body of a media type.
    #[must_use]
    pub fn of(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::empty(status) }.with_header("content-type", media_type)
    }

    /// JSON.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json; charset=utf-8", body.to_string())
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: u16, body: &str) -> Self {
        Self::of(status, "text/plain; charset=utf-8", body)
    }

    /// XML, as SOAP 1.1 sends it.
    #[must_use]
    pub fn xml(status: u16, body: &str) -> Self {
        Self::of(status, "text/xml; charset=utf-8", body)
    }

    /// With one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded_in_order() {
        let found =
            pairs("q[]=updated_at%3A%3E2026-01-01T00%3A00%3A00Z&q[]=archived_at:*&a=1+2&broken=%zz%4");
        let expected = [
            ("q[]", "updated_at:>2026-01-01T00:00:00Z"),
            ("q[]", "archived_at:*"),
            ("a", "1 2"),
            ("broken", "%zz%4"),
        ];
        let found: Vec<(&str, &str)> = found.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(found, expected);
        assert_eq!(decode(&encode("a b/ü+%"), false), "a b/ü+%");
    }

    #[test]
    fn credentials_are_found_by_scheme() {
        let headers = [("authorization".to_owned(), "Basic a2V5LWF1MTo=".to_owned())];
        let request = Request { headers: headers.into(), ..Request::default() };
        assert_eq!(request.basic(), Some(("key-au1".to_owned(), String::new())));
        assert_eq!(request.credentials("Bearer"), None);
    }
}
