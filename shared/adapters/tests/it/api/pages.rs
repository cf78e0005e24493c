//! How lists go on, and that they end.

use bridge_core::remote::CallError;
use serde_json::{Value, json};

use super::{Product, base, lines, serving};
use crate::receiver::{Receiver, Then};

/// All ids, and what was asked for them.
async fn walk(server: &Receiver, operation: &str) -> (Vec<Value>, Vec<String>) {
    let product =
        Product::new(&base(server), &format!("  operations:\n    list: {operation}\n"), &[("vars", "{}")]);
    let mut answer = product.call("list", &[("since", "5")]).await.unwrap();
    let mut ids: Vec<Value> = Vec::new();
    loop {
        ids.extend(answer.records.expose().iter().map(|record| record["id"].clone()));
        let Some(next) = &answer.next else { break };
        // The first call's arguments are always given again.
        let arguments = [("since", "5")];
        answer = product.call_with("list", &arguments, None, Some(next), None).await.unwrap();
    }
    (ids, lines(server))
}

const FULL: &str = r#"[{"id": 1}, {"id": 2}]"#;
const SHORT: &str = r#"[{"id": 3}]"#;

#[tokio::test]
async fn by_offset() {
    let server = serving(&[FULL, SHORT]).await;
    let list =
        "{path: /x, query: {s: '{since}'}, rows: '', pages: {kind: offset, offset: o, limit: l, size: 2}}";
    let (ids, lines) = walk(&server, list).await;
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(lines, ["GET /x?s=5&o=0&l=2", "GET /x?s=5&o=2&l=2"]);
}

#[tokio::test]
async fn by_number_until_a_page_is_not_full() {
    let server = serving(&[FULL, r#"[{"id": 3}, {"id": 4}]"#, "[]"]).await;
    let list = "{path: /x, rows: '', pages: {kind: number, page: page, size: 2}}";
    let (ids, lines) = walk(&server, list).await;
    assert_eq!(ids, [1, 2, 3, 4]);
    assert_eq!(lines, ["GET /x?page=1", "GET /x?page=2", "GET /x?page=3"]);
}

#[tokio::test]
async fn by_an_address_in_the_body_or_the_header() {
    let server = serving(&[
        r#"{"r": [{"id": 1}], "next": "/y?p=2&q=a%2Fb"}"#,
        r#"{"r": [], "next": "?p=3"}"#,
        r#"{"r": []}"#,
    ])
    .await;
    let list =
        "{path: /x, query: {s: '{since}'}, rows: /r, pages: {kind: next, next: /next, limit: n, size: 9}}";
    let (ids, lines) = walk(&server, list).await;
    assert_eq!(ids, [1]);
    assert_eq!(lines, ["GET /x?s=5&n=9", "GET /y?p=2&q=a%2Fb", "GET /y?p=3"]);

    let link = "link: <https://other.example/1>; rel=prev, </x?p=2>; rel=\"next\"\r\n";
    let server = Receiver::script(vec![Then::status(200, link, FULL), Then::status(200, "", SHORT)]).await;
    let (ids, lines) = walk(&server, "{path: /x, rows: '', pages: {kind: next, next: {header: link}}}").await;
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(lines, ["GET /x", "GET /x?p=2"]);
}

#[tokio::test]
async fn by_a_cursor_that_goes_into_the_body() {
    let page = |id: u32, more: bool| {
        json!({"data": {"things": {"nodes": [{"id": id}], "pageInfo": {"endCursor": format!("c{id}"), "hasNextPage": more}}}})
            .to_string()
    };
    let server = serving(&[&page(1, true), &page(2, false)]).await;
    let api = "{path: /g, style: graphql, call: vars, body: vars, rows: /data/things/nodes, pages: {kind: cursor, \
               cursor: {body: /after}, next: /data/things/pageInfo/endCursor, more: /data/things/pageInfo/hasNextPage, \
               limit: {body: /page/first}, size: 100}}";
    let product =
        Product::new(&base(&server), &format!("  operations:\n    list: {api}\n"), &[("vars", "{'a': 1}")]);
    let first = product.call("list", &[]).await.unwrap();
    let second = product.next("list", first.next.as_ref().unwrap()).await.unwrap();
    assert!(second.next.is_none());
    let variables = |request: crate::receiver::Received| {
        serde_json::from_slice::<Value>(&request.body).unwrap()["variables"].clone()
    };
    let sent: Vec<_> = server.received().into_iter().map(variables).collect();
    assert_eq!(sent[0], json!({"a": 1, "page": {"first": 100}}), "a number is a number");
    assert_eq!(sent[1], json!({"a": 1, "after": "c1", "page": {"first": 100}}));
}

#[tokio::test]
async fn by_the_last_record() {
    let server = serving(&[r#"[{"id": 1, "c": "x"}, {"id": 2, "c": "y"}]"#, SHORT]).await;
    let list = "{path: /x, rows: '', pages: {kind: last-record, cursor: after, at: /c, limit: n, size: 2}}";
    let (ids, lines) = walk(&server, list).await;
    assert_eq!(ids, [1, 2, 3]);
    assert_eq!(lines, ["GET /x?n=2", "GET /x?after=y&n=2"]);
}

#[tokio::test]
async fn by_a_bundles_link() {
    let bundle = |id: u32, next: &str| {
        format!(
            r#"{{"resourceType": "Bundle", "link": [{{"relation": "next", "url": "{next}"}}], "entry": [{{"resource": {{"id": {id}}}}}]}}"#
        )
    };
    let last = r#"{"resourceType": "Bundle"}"#;
    let server = serving(&[&bundle(1, "/?_getpages=a"), &bundle(2, "/?_getpages=b"), last]).await;
    let (ids, lines) = walk(&server, "{path: /Patient, style: fhir, pages: {kind: bundle, size: 1}}").await;
    assert_eq!(ids, [1, 2]);
    assert_eq!(lines, ["GET /Patient?_count=1", "GET /?_getpages=a", "GET /?_getpages=b"]);
}

#[tokio::test]
async fn a_list_that_leads_back_is_an_error() {
    // One that takes no notice of the page, one that names the same address for ever.
    for (body, list) in [
        (FULL, "{path: /x, rows: '', pages: {kind: number, page: page, size: 2}}"),
        (r#"{"r": [], "next": "/x?p=2"}"#, "{path: /x, rows: /r, pages: {kind: next, next: /next}}"),
        (r#"{"r": [], "next": "c"}"#, "{path: /x, rows: /r, pages: {kind: cursor, cursor: c, next: /next}}"),
    ] {
        let server = serving(&[body]).await;
        let product = Product::new(&base(&server), &format!("  operations:\n    list: {list}\n"), &[]);
        let first = product.call("list", &[]).await.unwrap();
        let error = product.next("list", first.next.as_ref().unwrap()).await.unwrap_err();
        assert_eq!(
            error.cause().to_string(),
            "api.pages at operations.list.pages: the list leads back to a page that it had"
        );
    }
}

#[tokio::test]
async fn a_page_that_nobody_gave_is_refused() {
    let server = serving(&[FULL]).await;
    let list = "  operations:\n    list: {path: /x, rows: '', pages: {kind: number, page: page, size: 2}}\n";
    let product = Product::new(&base(&server), list, &[]);
    for page in ["", "2", r#"{"at": {"Number": 2}, "more": 1}"#] {
        let error = product.next("list", &page.to_owned().into()).await.unwrap_err();
        assert!(matches!(error, CallError::Invalid(_)), "{page}");
    }
    assert!(server.received().is_empty());
}

#[tokio::test]
async fn a_job_is_asked_for_until_it_is_ready() {
    let server = serving(&[
        r#"{"uuid": "j 1"}"#,
        r#"{"status": "In progress"}"#,
        r#"{"status": "Complete", "results": [{"id": 1}], "next": "/more?p=2"}"#,
        r#"{"status": "Complete", "results": [{"id": 2}]}"#,
    ])
    .await;
    let api = "  operations:\n    start: {method: POST, path: /jobs, query: {s: '{since}'}, job: {id: /uuid, result: result, \
               at: /status, waiting: [In progress, Queued], every: 30}}\n    \
               result: {path: '/jobs/{job}', rows: /results, pages: {kind: next, next: /next}}\n";
    let product = Product::new(&base(&server), api, &[]);
    let mut answer = product.call("start", &[("since", "5")]).await.unwrap();
    let (mut ids, mut waits) = (Vec::new(), Vec::new());
    loop {
        ids.extend(answer.records.expose().iter().map(|record| record["id"].clone()));
        waits.push(answer.wait.map(|wait| wait.as_secs()));
        let Some(next) = &answer.next else { break };
        answer = product.next("start", next).await.unwrap();
    }
    assert_eq!(ids, [1, 2]);
    assert_eq!(waits, [Some(30), Some(30), None, None]);
    assert_eq!(lines(&server), ["POST /jobs?s=5", "GET /jobs/j%201", "GET /jobs/j%201", "GET /more?p=2"]);
}
