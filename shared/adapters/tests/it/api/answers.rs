//! What answers mean.

use std::time::Duration;

use bridge_core::remote::CallError;

use super::{Product, base, serving};
use crate::receiver::{Receiver, Then};

/// The kind of an error, with its wait in seconds.
fn short(error: &CallError) -> String {
    let wait = |wait: &Option<Duration>| wait.map_or_else(String::new, |wait| format!(" {}", wait.as_secs()));
    match error {
        CallError::NotFound(_) => "not found".to_owned(),
        CallError::Conflict(_) => "conflict".to_owned(),
        CallError::Invalid(_) => "invalid".to_owned(),
        CallError::Unauthenticated(_) => "unauthenticated".to_owned(),
        CallError::Forbidden(_) => "forbidden".to_owned(),
        CallError::Throttled(after, _) => format!("throttled{}", wait(after)),
        CallError::Retry(after, _) => format!("retry{}", wait(after)),
        CallError::Unknown(_) => "unknown".to_owned(),
    }
}

async fn outcome(api: &str, operation: &str, then: Then) -> String {
    let server = Receiver::start(then).await;
    let mut product = Product::new(&base(&server), api, &[("m", "{'a': 1}"), ("doc", "query { a }")]);
    product.time_left = Duration::from_millis(500);
    match product.call(operation, &[]).await {
        Ok(answer) => format!("{} records", answer.records.expose().len()),
        Err(error) => {
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains("Planted"), "{shown}");
            short(&error)
        }
    }
}

const PLAIN: &str = "  operations:\n    get: {path: /x}\n    post: {method: POST, path: /x, body: m}\n";

#[tokio::test]
async fn statuses_mean_what_http_says() {
    for (status, read, write) in [
        (200, "1 records", "1 records"),
        (201, "1 records", "1 records"),
        (301, "invalid", "invalid"),
        (400, "invalid", "invalid"),
        (401, "unauthenticated", "unauthenticated"),
        (403, "forbidden", "forbidden"),
        (404, "not found", "not found"),
        (409, "conflict", "conflict"),
        (410, "not found", "not found"),
        (412, "conflict", "conflict"),
        (422, "invalid", "invalid"),
        (429, "throttled 7", "throttled 7"),
        (408, "retry 7", "unknown"),
        (500, "retry 7", "unknown"),
        (503, "retry 7", "unknown"),
        (501, "invalid", "invalid"),
    ] {
        let then = || {
            Then::status(
                status,
                "retry-after: 7\r\nlocation: https://other.example/\r\n",
                r#"{"m": "Planted"}"#,
            )
        };
        assert_eq!(outcome(PLAIN, "get", then()).await, read, "GET {status}");
        assert_eq!(outcome(PLAIN, "post", then()).await, write, "POST {status}");
    }
}

#[tokio::test]
async fn what_does_not_come_or_cannot_be_read_may_have_been_done() {
    let large = "x".repeat((10 << 20) + 1);
    for (then, read, write) in [
        (Then::Hang, "retry", "unknown"),
        (Then::Reset, "retry", "unknown"),
        (Then::BreakOff, "retry", "unknown"),
        (Then::status(200, "", "<html>Planted</html>"), "retry", "unknown"),
        (Then::status(200, "", r#"{"a": "#), "retry", "unknown"),
        (Then::status(200, "", &large), "invalid", "unknown"),
        (
            Then::Answer(format!(
                "HTTP/1.1 200 \r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n",
                large.len()
            )),
            "invalid",
            "unknown",
        ),
    ] {
        assert_eq!(outcome(PLAIN, "get", then.clone()).await, read);
        assert_eq!(outcome(PLAIN, "post", then).await, write);
    }
}

#[tokio::test]
async fn nothing_was_sent_where_nobody_listens_or_no_time_is_left() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let product = Product::new(&url, PLAIN, &[("m", "{}")]);
    assert_eq!(short(&product.call("post", &[]).await.unwrap_err()), "retry");

    let server = serving(&["{}"]).await;
    let mut product = Product::new(&base(&server), PLAIN, &[("m", "{}")]);
    product.time_left = Duration::ZERO;
    assert_eq!(short(&product.call("post", &[]).await.unwrap_err()), "retry");
    assert!(server.received().is_empty());
}

const RULES: &str = r#"  signals:
    - {status: 200, text: '"busy": true', seconds: 30}
    - {status: 429, text: "in {seconds} second"}
  answers:
    - {status: [404], text: Unknown shard, means: invalid}
    - {at: /errors/0/code, is: [TOO_MANY], means: throttled, seconds: 12}
    - {at: /result/authenticated, is-not: ["true"], means: unauthenticated, status: [203]}
    - {at: /messages, means: invalid}
    - {at: {header: x-state}, is: [gone], means: not-found}
  operations:
    get:
      path: /x
      rows: /r
      answers:
        - {status: [404], means: nothing}
        - {status: [409], means: done}
"#;

#[tokio::test]
async fn the_adapters_rules_come_first() {
    for (status, header, body, means) in [
        (404, "", r#"{"m": "No records"}"#, "0 records"),
        (409, "", r#"{"r": [1]}"#, "1 records"),
        (200, "", r#"{"errors": [{"code": "TOO_MANY"}]}"#, "throttled 12"),
        (200, "retry-after: 3\r\n", r#"{"errors": [{"code": "TOO_MANY"}]}"#, "throttled 3"),
        (200, "", r#"{"busy": true, "r": []}"#, "throttled 30"),
        (429, "", r#"{"d": "in 42 seconds"}"#, "throttled 42"),
        (429, "", "{}", "throttled"),
        (203, "", r#"{"result": {"authenticated": "false"}}"#, "unauthenticated"),
        (203, "", r#"{"r": []}"#, "unauthenticated"),
        (203, "", r#"{"r": [], "result": {"authenticated": true}}"#, "0 records"),
        (200, "", r#"{"messages": [{"field": "Planted"}]}"#, "invalid"),
        (200, "", r#"{"messages": [], "r": null}"#, "0 records"),
        (200, "x-state: gone\r\n", r#"{"r": []}"#, "not found"),
        (200, "", r#"{"r": "Planted"}"#, "invalid"),
        (200, "", r#"{"s": []}"#, "invalid"),
        (400, "", "Planted, not JSON", "invalid"),
    ] {
        let found = outcome(RULES, "get", Then::status(status, header, body)).await;
        assert_eq!(found, means, "{status} {header} {body}");
    }
    let only_api = RULES.replace("        - {status: [404], means: nothing}\n", "");
    let found = outcome(&only_api, "get", Then::status(404, "", r#"{"m": "Unknown shard"}"#)).await;
    assert_eq!(found, "invalid");
}

#[tokio::test]
async fn a_cause_names_the_rule() {
    let server = serving(&[r#"{"messages": ["Planted"]}"#]).await;
    let error = Product::new(&base(&server), RULES, &[]).call("get", &[]).await.unwrap_err();
    let cause = error.cause().to_string();
    assert_eq!(cause, "api.rule at api.answers.3: answered 200, and a rule of its adapter fits");
}

/// A write is what a `write` names: the method of SOAP and GraphQL says nothing.
#[tokio::test]
async fn the_protocols_say_what_http_does_not() {
    let soap = "  style: soap\n  soap: {namespace: 'urn:x', action: 'urn:x/{operation}'}\n  operations:\n    \
                get: {path: /x, call: Get}\n    put: {path: /x, call: Put}\n  resources:\n    \
                Patient: {kind: p, identifier: i, write: [{on: create, operation: put}]}\n";
    let fault = |code: &str| {
        format!(
            "<s:Envelope xmlns:s='x'><s:Body><s:Fault><faultcode>s:{code}</faultcode><faultstring>Planted</faultstring>\
             </s:Fault></s:Body></s:Envelope>"
        )
    };
    for (status, code, read, write) in [
        (500, "Client", "invalid", "invalid"),
        (500, "Server", "retry", "unknown"),
        (200, "Server.Busy", "retry", "unknown"),
        (200, "MustUnderstand", "invalid", "invalid"),
    ] {
        let then = || Then::status(status, "", &fault(code));
        assert_eq!(outcome(soap, "get", then()).await, read, "{code}");
        assert_eq!(outcome(soap, "put", then()).await, write, "{code}");
    }

    let graphql = "  style: graphql\n  operations:\n    get: {path: /x, call: doc, rows: /data/a}\n    put: {path: /x, call: doc}\n  \
                   resources:\n    Patient: {kind: p, identifier: i, write: [{on: create, operation: put}]}\n";
    for (body, read, write) in [
        (r#"{"data": {"a": []}}"#, "0 records", "1 records"),
        (r#"{"data": {"a": []}, "errors": []}"#, "0 records", "1 records"),
        (r#"{"data": null, "errors": [{"message": "Planted"}]}"#, "invalid", "invalid"),
        (r#"{"data": {"a": {"id": 1}}, "errors": [{"message": "Planted"}]}"#, "invalid", "unknown"),
    ] {
        assert_eq!(outcome(graphql, "get", Then::status(200, "", body)).await, read, "{body}");
        assert_eq!(outcome(graphql, "put", Then::status(200, "", body)).await, write, "{body}");
    }

    let fhir = "  style: fhir\n  operations:\n    get: {path: /Patient}\n";
    let issue = |severity: &str| {
        format!(
            r#"{{"resourceType": "OperationOutcome", "issue": [{{"severity": "{severity}", "code": "duplicate", "diagnostics": "Planted"}}]}}"#
        )
    };
    for (status, severity, means) in [
        (200, "information", "1 records"),
        (200, "error", "invalid"),
        (422, "error", "invalid"),
        (404, "error", "not found"),
    ] {
        assert_eq!(
            outcome(fhir, "get", Then::status(status, "", &issue(severity))).await,
            means,
            "{status} {severity}"
        );
    }
}
