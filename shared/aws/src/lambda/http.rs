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
