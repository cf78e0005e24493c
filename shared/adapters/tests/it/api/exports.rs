//! Exports by FHIR Bulk Data Access: begun, waited for, fetched in parts, and called off when they are read.

use bridge_core::{Phi, remote::CallError};
use serde_json::{Value, json};

use super::{Product, base, lines};
use crate::receiver::{Receiver, Then};

const EXPORT: &str = "  style: fhir\n  auth: {kind: header, name: authorization, value: 'Bearer {key}'}\n  operations:\n    \
    export: {path: /Group/g/$export, query: {_type: Patient, _since: '{since}'}, export: {of: Patient, every: 60, within: 2}}\n";

/// What came of going on to the end: records, waits in seconds, and the error that ended it.
struct Walked {
    records: Vec<Value>,
    waits: Vec<u64>,
    manifest: Value,
    error: Option<CallError>,
}

async fn walk(server: &Receiver) -> Walked {
    let product = Product::new(&base(server), EXPORT, &[]);
    let mut walked = Walked { records: Vec::new(), waits: Vec::new(), manifest: Value::Null, error: None };
    let mut page: Option<Phi<String>> = None;
    loop {
        match product
            .call_with("export", &[("since", "2026-03-01T00:00:00Z")], None, page.as_ref(), None)
            .await
        {
            Err(error) => walked.error = Some(error),
            Ok(answer) => {
                walked.records.extend(answer.records.expose().iter().cloned());
                walked.waits.extend(answer.wait.map(|wait| wait.as_secs()));
                if answer.body.expose().get("transactionTime").is_some() {
                    walked.manifest = answer.body.expose().clone();
                }
                page = answer.next;
                if page.is_some() {
                    continue;
                }
            }
        }
        return walked;
    }
}

fn begun() -> Then {
    Then::status(202, "content-location: /status/1\r\n", "")
}

fn manifest(output: &Value, deleted: &Value, error: &Value) -> Then {
    let manifest = json!({
        "transactionTime": "2026-03-05T16:00:00.5Z", "request": "x", "requiresAccessToken": true,
        "output": output, "deleted": deleted, "error": error,
    });
    Then::status(200, "content-type: application/json\r\n", &manifest.to_string())
}

fn file(kind: &str, url: &str) -> Value {
    json!([{"type": kind, "url": url}])
}

#[tokio::test]
async fn what_there_is_and_what_is_gone_comes_and_the_server_forgets_it() {
    let output = json!([
        {"type": "Patient", "url": "/files/1", "count": 3},
        {"type": "Observation", "url": "/files/not-asked-for"},
        {"type": "Patient", "url": "/files/2"},
    ]);
    let first = "{\"resourceType\": \"Patient\", \"id\": \"a\"}\r\n\n{\"resourceType\": \"Patient\", \"id\": \"b\"}\n\
        {\"resourceType\": \"Patient\", \"id\": \"half";
    let gone = json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "DELETE", "url": "Patient/c"}},
        {"request": {"method": "DELETE", "url": "Observation/o"}},
    ]});
    let server = Receiver::script(vec![
        begun(),
        Then::status(202, "retry-after: 7\r\nx-progress: 1%\r\n", ""),
        Then::status(202, "", ""),
        manifest(&output, &file("Bundle", "/files/3"), &json!([])),
        Then::status(200, "", first),
        Then::status(200, "", "{\"resourceType\": \"Patient\", \"id\": \"d\"}"),
        Then::status(200, "", &gone.to_string()),
        Then::status(202, "", ""),
    ])
    .await;
    let walked = walk(&server).await;
    assert!(walked.error.is_none(), "{:?}", walked.error);
    assert_eq!(walked.waits, [60, 7, 60]);
    assert_eq!(walked.manifest["transactionTime"], "2026-03-05T16:00:00.5Z", "where the next one begins");
    let ids: Vec<&Value> = walked.records.iter().map(|record| &record["id"]).collect();
    assert_eq!(ids, [&json!("a"), &json!("b"), &Value::Null, &json!("d"), &json!("c")]);
    assert!(
        walked.records[2].as_str().unwrap().ends_with("half"),
        "it goes on as it is, to be kept with its cause"
    );
    let deleted = json!({
        "resourceType": "Patient", "id": "c", "deleted": true, "meta": {"lastUpdated": "2026-03-05T16:00:00.5Z"},
    });
    assert_eq!(walked.records[4], deleted);
    let requests = server.received();
    assert_eq!(requests[0].headers["prefer"], "respond-async");
    assert_eq!(requests[4].headers["accept"], "application/fhir+ndjson");
    assert!(requests.iter().all(|request| request.headers["authorization"] == "Bearer k-Planted"));
    let lines: Vec<&str> =
        requests.iter().map(|request| request.line.trim_end_matches(" HTTP/1.1")).collect();
    let status = "GET /status/1";
    assert_eq!(
        lines,
        [
            "GET /Group/g/$export?_since=2026-03-01T00%3A00%3A00Z&_type=Patient",
            status,
            status,
            status,
            "GET /files/1",
            "GET /files/2",
            "GET /files/3",
            "DELETE /status/1",
        ]
    );
}

#[tokio::test]
async fn a_large_file_comes_in_parts_whether_or_not_the_server_knows_ranges() {
    let line = |n: usize| {
        format!("{{\"resourceType\": \"Patient\", \"id\": \"{n}\", \"pad\": \"{}\"}}\n", "x".repeat(1_000))
    };
    let whole: String = (0..6_000).map(line).collect();
    for knows_ranges in [true, false] {
        // The first part ends behind its last whole line before or at four megabytes.
        let output = file("Patient", "/files/1");
        let product_says = |from: usize| match knows_ranges && from > 0 {
            true => {
                let range = format!("content-range: bytes {from}-{}/{}\r\n", whole.len() - 1, whole.len());
                Then::status(206, &range, &whole[from..])
            }
            false => Then::status(200, "", &whole),
        };
        // Where the first part ended is what is asked for next: found out by a first walk.
        let probe =
            Receiver::script(vec![begun(), manifest(&output, &json!([]), &json!([])), product_says(0)]).await;
        let _ = walk(&probe).await;
        let asked =
            probe.received().into_iter().find_map(|request| request.headers.get("range").cloned()).unwrap();
        let from: usize = asked.trim_start_matches("bytes=").trim_end_matches('-').parse().unwrap();
        let server = Receiver::script(vec![
            begun(),
            manifest(&output, &json!([]), &json!([])),
            product_says(0),
            product_says(from),
            Then::status(202, "", ""),
        ])
        .await;
        let walked = walk(&server).await;
        assert!(walked.error.is_none(), "{knows_ranges}: {:?}", walked.error);
        let ids: Vec<String> =
            walked.records.iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(ids, (0..6_000).map(|n| n.to_string()).collect::<Vec<_>>(), "{knows_ranges}");
    }
}

#[tokio::test]
async fn an_export_that_says_it_failed_fails_when_all_of_it_is_read() {
    let outcome = json!({"resourceType": "OperationOutcome", "issue": [
        {"severity": "information", "code": "informational"}, {"severity": "error", "code": "exception", "diagnostics": "Zyx"},
    ]});
    let server = Receiver::script(vec![
        begun(),
        manifest(&file("Patient", "/files/1"), &json!([]), &file("OperationOutcome", "/files/2")),
        Then::status(200, "", "{\"resourceType\": \"Patient\", \"id\": \"a\"}\n"),
        Then::status(200, "", &outcome.to_string()),
        Then::status(202, "", ""),
    ])
    .await;
    let walked = walk(&server).await;
    assert_eq!(walked.records.len(), 1, "what there is comes all the same");
    let cause = walked.error.unwrap().cause().to_string();
    assert_eq!(
        cause,
        "api.export at operations.export.export: the export itself has failed in part: exception"
    );
    assert_eq!(lines(&server).last().map(String::as_str), Some("DELETE /status/1"));
}

#[tokio::test]
async fn an_address_that_has_expired_is_asked_for_anew_once() {
    let output = file("Patient", "/files/1");
    let nothing = json!([]);
    let patient = "{\"resourceType\": \"Patient\", \"id\": \"a\"}\n";
    let server = Receiver::script(vec![
        begun(),
        manifest(&output, &nothing, &nothing),
        Then::status(403, "", "expired"),
        manifest(&file("Patient", "/files/1?again"), &nothing, &nothing),
        Then::status(200, "", patient),
        Then::status(202, "", ""),
    ])
    .await;
    let walked = walk(&server).await;
    assert!(walked.error.is_none(), "{:?}", walked.error);
    assert_eq!(walked.records.len(), 1);
    let server = Receiver::script(vec![
        begun(),
        manifest(&output, &nothing, &nothing),
        Then::status(404, "", ""),
        manifest(&output, &nothing, &nothing),
        Then::status(404, "", ""),
    ])
    .await;
    assert!(matches!(walk(&server).await.error, Some(CallError::NotFound(_))));
}

#[tokio::test]
async fn a_file_elsewhere_is_not_fetched() {
    let server = Receiver::script(vec![
        begun(),
        manifest(&file("Patient", "https://elsewhere.example/1"), &json!([]), &json!([])),
        Then::status(200, "", ""),
    ])
    .await;
    let error = walk(&server).await.error.unwrap();
    assert_eq!(error.cause().code, "api.address");
    assert_eq!(lines(&server).len(), 2);
}

#[tokio::test]
async fn pages_that_are_jobs_of_their_own_are_started_one_after_the_other() {
    let answers = [
        r#"{"uuid": "j1"}"#,
        r#"{"status": "In progress"}"#,
        r#"{"status": "Complete", "results": [{"id": 1}, {"id": 2}]}"#,
        r#"{"uuid": "j2"}"#,
        r#"{"status": "In progress"}"#,
        r#"{"status": "Complete", "results": [{"id": 3}]}"#,
    ];
    let server = super::serving(&answers).await;
    let api = "  operations:\n    start: {method: POST, path: /jobs, pages: {kind: number, page: page, limit: size, size: 2}, \
               job: {id: /uuid, result: result, at: /status, waiting: [In progress], every: 5}}\n    \
               result: {path: /jobs, query: {uuid: '{job}'}, rows: /results}\n";
    let product = Product::new(&base(&server), api, &[]);
    let mut answer = product.call("start", &[]).await.unwrap();
    let mut ids = Vec::new();
    loop {
        ids.extend(answer.records.expose().iter().map(|record| record["id"].clone()));
        let Some(next) = &answer.next else { break };
        answer = product.next("start", next).await.unwrap();
    }
    assert_eq!(ids, [1, 2, 3]);
    let asked = lines(&server);
    assert_eq!(
        (&*asked[0], &*asked[3], &*asked[4]),
        ("POST /jobs?page=1&size=2", "POST /jobs?page=2&size=2", "GET /jobs?uuid=j2")
    );
}
