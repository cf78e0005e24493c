//! API Gateway HTTP APIs, payload format 2.0: events as requests, and replies.
//!
//! The few fields that are read are declared here and not taken from `aws_lambda_events`, which would read all of
//! them, change header values on the way, and bring a dozen crates.

use std::{borrow::Cow, collections::BTreeMap, net::IpAddr, time::Duration};

use bridge_core::{
    Phi,
    http::{Request, Response},
};
use bridge_pipeline::ports::Clock as _;
use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{EventError, Invocation};
use crate::SystemClock;

/// What is left to send a reply when the time is over.
const TO_REPLY: Duration = Duration::from_millis(500);
const KIND: &str = "API Gateway (payload format 2.0)";

/// A request with what the route's pattern found in its path.
#[derive(Debug, Clone)]
pub struct Call {
    /// The request.
    pub request: Request,
    parameters: BTreeMap<String, String>,
}

impl Call {
    /// What stands in the path for `{name}`; empty when the route has no such part.
    pub fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    #[serde(borrow)]
    raw_path: Cow<'a, str>,
    #[serde(borrow, default)]
    raw_query_string: Cow<'a, str>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    path_parameters: Option<BTreeMap<String, String>>,
    #[serde(borrow)]
    request_context: Context<'a>,
    #[serde(borrow, default)]
    body: Option<Cow<'a, str>>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Deserialize)]
struct Context<'a> {
    #[serde(borrow)]
    http: Http<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow, default)]
    source_ip: Cow<'a, str>,
}

/// Reads an event.
///
/// # Errors
/// When it is not one of an HTTP API.
pub fn read(event: &[u8]) -> Result<Call, EventError> {
    let event: Event<'_> = super::read(KIND, event)?;
    let body = event.body.unwrap_or_default();
    let body = if event.is_base64_encoded {
        BASE64.decode(body.as_bytes()).map_err(|_| EventError::Unreadable {
            kind: KIND,
            line: 1,
            column: 1,
        })?
    } else {
        body.into_owned().into_bytes()
    };
    let headers = event.headers.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let request = Request {
        method: event.request_context.http.method.to_ascii_uppercase(),
        path: event.raw_path.into_owned(),
        query: event.raw_query_string.into_owned(),
        headers,
        source: event.request_context.http.source_ip.parse::<IpAddr>().ok(),
        body: Phi::new(body),
    };
    Ok(Call { request, parameters: event.path_parameters.unwrap_or_default() })
}

/// A reply as API Gateway takes it.
pub fn write(response: &Response) -> Value {
    json!({
        "statusCode": response.status,
        "headers": response.headers,
        "body": response.body,
        "isBase64Encoded": false,
    })
}

/// The answer of `work`, or 503 shortly before Lambda would stop the function without one.
pub async fn in_time(invocation: &Invocation, work: impl Future<Output = Response>) -> Response {
    let time_left = invocation.deadline.since(SystemClock.now()).saturating_sub(TO_REPLY);
    tokio::time::timeout(time_left, work).await.unwrap_or_else(|_| {
        tracing::error!("no answer in time");
        let error =
            json!({"error": {"code": "bridge.unavailable", "message": "no answer in time: send it again"}});
        Response::json(503, &error).with_header("retry-after", "5")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bridge_core::Timestamp;

    use super::*;

    const PATIENT: &[u8] = include_bytes!("../../../../events/webhook-intake/drchrono-patient.json");
    const GZIP: &[u8] = include_bytes!("../../../../events/webhook-intake/drchrono-patient-gzip.json");
    const VERIFICATION: &[u8] =
        include_bytes!("../../../../events/webhook-intake/drchrono-verification.json");

    #[test]
    fn a_webhook_is_read_to_the_byte() {
        let call = read(PATIENT).unwrap();
        assert_eq!(call.parameter("connection"), "sunrise.drchrono");
        assert_eq!(call.parameter("other"), "");
        let request = &call.request;
        assert_eq!(
            (&*request.method, &*request.path, &*request.query),
            ("POST", "/webhooks/sunrise.drchrono", "")
        );
        assert_eq!(request.source, Some([203, 0, 113, 7].into()));
        assert_eq!(request.header("x-drchrono-signature"), Some("synthetic-drchrono-token"));
        // As many bytes as the sender said: signatures are over these.
        let length: usize = request.header("content-length").unwrap().parse().unwrap();
        assert_eq!(request.body.expose().len(), length);
        assert!(request.body.expose().starts_with(br#"{"receiver": {"id": 9"#));
    }

    #[test]
    fn a_binary_body_comes_in_base_64() {
        let request = read(GZIP).unwrap().request;
        assert_eq!(request.body.expose()[..3], [0x1f, 0x8b, 8], "the magic of gzip");
        assert_eq!(request.header("content-encoding"), Some("gzip"));
    }

    #[test]
    fn a_request_without_a_body_keeps_its_query_raw() {
        let request = read(VERIFICATION).unwrap().request;
        assert_eq!((&*request.method, &*request.query), ("GET", "msg=are-you-there"));
        assert!(request.body.expose().is_empty());
    }

    #[test]
    fn an_event_of_another_kind_is_refused_without_quoting_it() {
        for event in
            [&br#"{"Records":[{"body":"Zyxwv"}]}"#[..], br#"{"rawPath":"Zyxwv""#, br#"{"rawPath":["Zyxwv"]}"#]
        {
            let error = read(event).unwrap_err().to_string();
            assert!(error.starts_with("not an event of API Gateway"), "{error}");
            assert!(!error.contains("Zyxwv"), "{error}");
        }
    }

    #[test]
    fn a_reply_has_all_that_api_gateway_wants() {
        let response = Response::json(202, &json!({"accepted": 1}));
        let expected = json!({
            "statusCode": 202,
            "headers": {"content-type": "application/json", "cache-control": "no-store"},
            "body": r#"{"accepted":1}"#,
            "isBase64Encoded": false,
        });
        assert_eq!(write(&response), expected);
    }

    #[tokio::test]
    async fn what_takes_too_long_is_answered_before_lambda_stops_it() {
        let deadline = SystemClock.now() + TO_REPLY + Duration::from_millis(50);
        let invocation = Invocation { request_id: "r".to_owned(), deadline };
        let never = in_time(&invocation, std::future::pending());
        assert_eq!(never.await.status, 503);
        let past = Invocation { deadline: Timestamp::from_millis(0), ..invocation };
        let at_once = in_time(&past, async { Response::json(200, &json!({})) });
        assert_eq!(at_once.await.status, 200, "what is there already is given");
    }
}
