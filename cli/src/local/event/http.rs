//! A request as an [HTTP API hands it to Lambda](https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html),
//! payload format 2.0, and the answer that comes back.

use std::{collections::BTreeMap, net::SocketAddr};

use bridge_core::Timestamp;
use data_encoding::BASE64;
use hyper::{HeaderMap, Method, StatusCode, Uri, header::CONTENT_ENCODING};
use serde_json::{Map, Value, json};

use crate::template::ACCOUNT;

/// What an API is called in its events.
const API: &str = "local";

/// A request and how it was routed.
pub(crate) struct Routed<'a> {
    pub(crate) route_key: &'a str,
    pub(crate) path_parameters: BTreeMap<String, String>,
    pub(crate) method: &'a Method,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) from: SocketAddr,
    pub(crate) at: Timestamp,
    pub(crate) request_id: &'a str,
}

/// The event.
pub(crate) fn event(request: &Routed<'_>) -> Value {
    let headers = headers(request.headers);
    let host = headers.get("host").cloned().unwrap_or_default();
    let query = request.uri.query().unwrap_or_default();
    let (body, encoded) = body(request.headers, request.body);
    let mut event = Map::from_iter([
        ("version".to_owned(), json!("2.0")),
        ("routeKey".to_owned(), json!(request.route_key)),
        ("rawPath".to_owned(), json!(request.uri.path())),
        ("rawQueryString".to_owned(), json!(query)),
    ]);
    let cookies = request.headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let cookies: Vec<&str> = cookies.flat_map(|value| value.split("; ")).collect();
    let mut optional = |name: &str, value: Value, present: bool| {
        if present {
            event.insert(name.to_owned(), value);
        }
    };
    optional("cookies", json!(cookies), !cookies.is_empty());
    optional("headers", json!(headers), true);
    optional("queryStringParameters", parameters(query), !query.is_empty());
    let context = json!({
        "accountId": ACCOUNT,
        "apiId": API,
        "domainName": host,
        "domainPrefix": API,
        "http": {
            "method": request.method.as_str(),
            "path": request.uri.path(),
            "protocol": "HTTP/1.1",
            "sourceIp": request.from.ip().to_canonical().to_string(),
            "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
        },
        "requestId": request.request_id,
        "routeKey": request.route_key,
        "stage": "$default",
        "time": common_log_time(request.at),
        "timeEpoch": request.at.as_millis(),
    });
    optional("requestContext", context, true);
    optional("body", json!(body), !request.body.is_empty());
    optional("pathParameters", json!(request.path_parameters), !request.path_parameters.is_empty());
    optional("isBase64Encoded", json!(encoded), true);
    Value::Object(event)
}

/// Lower-case names; what is repeated is joined with a comma. Cookies have a place of their own.
fn headers(all: &HeaderMap) -> BTreeMap<String, String> {
    let mut joined: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in all.iter().filter(|(name, _)| *name != "cookie") {
        let value = String::from_utf8_lossy(value.as_bytes());
        joined
            .entry(name.as_str().to_owned())
            .and_modify(|known| *known = format!("{known},{value}"))
            .or_insert_with(|| value.into_owned());
    }
    joined
}

/// Decoded; what is repeated is joined with a comma.
fn parameters(query: &str) -> Value {
    let mut parameters = Map::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        let joined = match parameters.get(&name).and_then(Value::as_str) {
            Some(known) => format!("{known},{value}"),
            None => value,
        };
        parameters.insert(name, Value::String(joined));
    }
    Value::Object(parameters)
}

/// Percent-decoding (RFC 3986 section 2.1).
pub(crate) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Text for text types, base 64 for everything else: nothing may be changed on the way.
fn body(headers: &HeaderMap, bytes: &[u8]) -> (String, bool) {
    let media_type = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let textual = media_type.starts_with("text/")
        || matches!(media_type.as_str(), "application/json" | "application/javascript" | "application/xml");
    match std::str::from_utf8(bytes) {
        Ok(text) if textual && !headers.contains_key(CONTENT_ENCODING) => (text.to_owned(), false),
        _ => (BASE64.encode(bytes), true),
    }
}

/// `12/Mar/2026:19:03:58 +0000`.
fn common_log_time(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    at.to_zoned(jiff::tz::TimeZone::UTC).strftime("%d/%b/%Y:%H:%M:%S %z").to_string()
}

/// What a function answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Reads a function's answer; `None` for one that API Gateway would answer with 500.
pub(crate) fn answer(response: &Value) -> Option<Answer> {
    let status = StatusCode::from_u16(u16::try_from(response["statusCode"].as_u64()?).ok()?).ok()?;
    let text = response["body"].as_str().unwrap_or_default();
    let body = match response["isBase64Encoded"].as_bool() {
        Some(true) => BASE64.decode(text.as_bytes()).ok()?,
        _ => text.as_bytes().to_vec(),
    };
    let header = |(name, value): (&String, &Value)| Some((name.clone(), value.as_str()?.to_owned()));
    let headers = response["headers"].as_object().into_iter().flatten().filter_map(header).collect();
    Some(Answer { status, headers, body })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use hyper::Request;

    use super::*;

    fn event_of(request: &Request<Vec<u8>>) -> Value {
        event(&Routed {
            route_key: "POST /webhooks/{connection}",
            path_parameters: BTreeMap::from([("connection".to_owned(), "demo.desk".to_owned())]),
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            body: request.body(),
            from: "127.0.0.1:5000".parse().unwrap(),
            at: Timestamp::from_millis(1_767_225_600_750),
            request_id: "req-1",
        })
    }

    #[test]
    fn an_event_has_the_gateways_shape() {
        let request = Request::post("/webhooks/demo.desk?a=1&a=2&b=x%20y")
            .header("Host", "127.0.0.1:9400")
            .header("X-Key", "one")
            .header("X-Key", "two")
            .header("Cookie", "c=1; d=2")
            .header("User-Agent", "test")
            .header("Content-Type", "application/json; charset=utf-8")
            .body(br#"{"n": 1.50}"#.to_vec());
        insta::assert_snapshot!(serde_json::to_string_pretty(&event_of(&request.unwrap())).unwrap());
    }

    #[test]
    fn a_body_arrives_byte_for_byte() {
        let of = |kind: &str, encoding: Option<&str>, bytes: &[u8]| {
            let mut request = Request::post("/").header("content-type", kind);
            if let Some(encoding) = encoding {
                request = request.header("content-encoding", encoding);
            }
            let event = event_of(&request.body(bytes.to_vec()).unwrap());
            (
                event["body"].as_str().unwrap_or_default().to_owned(),
                event["isBase64Encoded"].as_bool().unwrap(),
            )
        };
        assert_eq!(of("application/json", None, b"{}"), ("{}".to_owned(), false));
        assert_eq!(of("application/json", Some("gzip"), b"{}"), ("e30=".to_owned(), true));
        assert_eq!(of("application/fhir+json", None, b"{}"), ("e30=".to_owned(), true));
        assert_eq!(of("application/json", None, b"\xff"), ("/w==".to_owned(), true));
    }

    #[test]
    fn an_answer_is_read_or_is_an_error() {
        let read = answer(&json!({
            "statusCode": 202, "headers": {"x": "1"}, "multiValueHeaders": {}, "body": "aGk=",
            "isBase64Encoded": true, "cookies": [],
        }));
        let headers = vec![("x".to_owned(), "1".to_owned())];
        assert_eq!(read, Some(Answer { status: StatusCode::ACCEPTED, headers, body: b"hi".to_vec() }));
        assert_eq!(answer(&json!({"body": "no status"})), None);
    }
}
