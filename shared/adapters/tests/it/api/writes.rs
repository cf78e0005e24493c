//! Writing a resource: read, look for it, write, read back.

use bridge_core::{
    Phi,
    remote::{CallError, Remote as _, WriteCall, Written},
};
use serde_json::{Value, json};

use super::{Product, base, lines, serving};
use crate::receiver::{Receiver, Then};

const API: &str = r#"  operations:
    read: {path: "/visits/{id}"}
    list: {path: /visits, query: {day: "{day}"}, rows: /visits, pages: {kind: next, next: /next}}
    book: {method: POST, path: /visits, body: book}
    move: {method: PUT, path: "/visits/{id}", body: move}
    note: {method: PATCH, path: "/visits/{id}", query: {why: "{why}"}, body: book}
    cancel: {method: DELETE, path: "/visits/{id}"}
    open: {path: /open, query: {day: "{day}"}, rows: /open}
    take: {method: PUT, path: "/open/{slot}", body: book}
  kinds:
    visit: {mapping: visit}
  resources:
    Appointment:
      kind: visit
      identifier: "urn:demo:{shard}"
      read: {operation: read}
      write:
        - {on: update, status: [cancelled], operation: cancel, read-back: true}
        - {on: update, changed: [start], operation: move, find: {operation: list, arguments: day, same: same}}
        - {on: update, changed: [description], operation: note, arguments: why, read-back: true, record: /visit/id}
        - on: create
          status: [pending]
          operation: take
          needs: {operation: open, arguments: day, same: same, at: /number, argument: slot}
        - {on: create, operation: book, record: /visit, find: {operation: list, arguments: day, same: same}}
"#;

const TEXTS: [(&str, &str); 6] = [
    (
        "visit",
        r#"{"resourceType": "Appointment", "identifier": [{"system": "urn:demo:" & $settings.shard, "value": $string(id)}],
            "start": at, "description": note}"#,
    ),
    ("book", r#"{"at": resource.start, "note": resource.description}"#),
    ("move", r#"{"at": resource.start, "was": known.at, "id": arguments.id}"#),
    ("why", r#"{"why": resource.description, "nothing": null}"#),
    ("day", r#"{"day": $substring(resource.start, 0, 10)}"#),
    ("same", "record.at = resource.start"),
];

const AT: &str = "2026-03-05T17:00:00Z";

fn visit(id: u32, at: &str) -> String {
    format!(r#"{{"id": {id}, "at": "{at}", "note": "n"}}"#)
}

fn product(server: &Receiver) -> Product {
    Product::new(&base(server), API, &TEXTS)
}

async fn write(
    product: &Product,
    change: Value,
    id: Option<&str>,
    again: bool,
) -> Result<Written, CallError> {
    let mut resource =
        json!({"resourceType": "Appointment", "status": "booked", "start": AT, "description": "n"});
    for (name, value) in change.as_object().unwrap() {
        resource[name] = value.clone();
    }
    let (resource, id) = (Phi::new(resource), id.map(|id| Phi::new(id.to_owned())));
    let call = WriteCall { party: product.party(), resource: &resource, id: id.as_ref(), token: None, again };
    product.ways().write(&call).await
}

fn written(outcome: Result<Written, CallError>) -> (String, Value) {
    let Written { record, id, .. } = outcome.unwrap();
    (id.expose().clone(), record.expose().clone())
}

#[tokio::test]
async fn a_new_one_is_looked_for_first() {
    // Found on the second page: nothing is written.
    let first = format!(r#"{{"visits": [{}], "next": "/visits?p=2"}}"#, visit(1, "2026-03-05T18:00:00Z"));
    let second = format!(r#"{{"visits": [{}]}}"#, visit(2, AT));
    let server = serving(&[&first, &second]).await;
    let (id, record) = written(write(&product(&server), json!({}), None, false).await);
    assert_eq!((id.as_str(), record["at"].as_str()), ("2", Some(AT)));
    assert_eq!(lines(&server), ["GET /visits?day=2026-03-05", "GET /visits?p=2"]);

    // Not found: written.
    let made = format!(r#"{{"visit": {}}}"#, visit(7, AT));
    let server = serving(&[r#"{"visits": []}"#, &made]).await;
    let (id, record) = written(write(&product(&server), json!({}), None, false).await);
    assert_eq!((id.as_str(), record["at"].as_str()), ("7", Some(AT)));
    let received = server.received();
    assert_eq!(received[1].line, "POST /visits HTTP/1.1");
    assert_eq!(String::from_utf8_lossy(&received[1].body), format!(r#"{{"at":"{AT}","note":"n"}}"#));
}

#[tokio::test]
async fn after_an_unknown_outcome_what_was_done_is_found() {
    let list = format!(r#"{{"visits": [{}]}}"#, visit(7, AT));
    let nothing = Then::status(200, "", r#"{"visits": []}"#);
    let server = Receiver::script(vec![nothing, Then::Reset, Then::status(200, "", &list)]).await;
    let product = product(&server);
    let error = write(&product, json!({}), None, false).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown(_)), "{error}");
    let (id, _) = written(write(&product, json!({}), None, true).await);
    assert_eq!(id, "7");
    assert_eq!(lines(&server), ["GET /visits?day=2026-03-05", "POST /visits", "GET /visits?day=2026-03-05"]);
}

#[tokio::test]
async fn a_conflict_with_what_an_attempt_before_did_is_a_success() {
    let nothing = Then::status(200, "", r#"{"visits": []}"#);
    let conflict = Then::status(409, "", r#"{"m": "Planted"}"#);
    let late = Then::status(200, "", &format!(r#"{{"visits": [{}]}}"#, visit(7, AT)));
    let server = Receiver::script(vec![nothing.clone(), conflict.clone(), late]).await;
    assert_eq!(written(write(&product(&server), json!({}), None, true).await).0, "7");

    let server = Receiver::script(vec![nothing.clone(), conflict.clone(), nothing.clone()]).await;
    let error = write(&product(&server), json!({}), None, true).await.unwrap_err();
    assert!(matches!(error, CallError::Conflict(_)), "somebody else's: {error}");
    let server = Receiver::script(vec![nothing, conflict]).await;
    let error = write(&product(&server), json!({}), None, false).await.unwrap_err();
    assert!(matches!(error, CallError::Conflict(_)));
}

#[tokio::test]
async fn the_way_is_chosen_by_status_and_by_what_changed() {
    let known = visit(7, AT);
    // Cancelled: whatever changed.
    let server = serving(&[&known, "", &known]).await;
    let change = json!({"status": "cancelled", "start": "2026-03-06T17:00:00Z"});
    assert_eq!(written(write(&product(&server), change, Some("7"), false).await).0, "7");
    assert_eq!(lines(&server), ["GET /visits/7", "DELETE /visits/7", "GET /visits/7"]);

    // Moved.
    let moved = visit(7, "2026-03-06T17:00:00Z");
    let server = serving(&[&known, &moved]).await;
    let (_, record) =
        written(write(&product(&server), json!({"start": "2026-03-06T17:00:00Z"}), Some("7"), false).await);
    assert_eq!(record["at"], "2026-03-06T17:00:00Z");
    let received = server.received();
    assert_eq!(received[1].line, "PUT /visits/7 HTTP/1.1");
    let sent: Value = serde_json::from_slice(&received[1].body).unwrap();
    assert_eq!(sent, json!({"at": "2026-03-06T17:00:00Z", "was": AT, "id": "7"}));

    // The same time in another zone, another text.
    let server = serving(&[&known, r#"{"visit": {"id": 7}}"#, &known]).await;
    let change = json!({"start": "2026-03-05T10:00:00-07:00", "description": "new"});
    assert_eq!(written(write(&product(&server), change, Some("7"), false).await).0, "7");
    assert_eq!(lines(&server), ["GET /visits/7", "PATCH /visits/7?why=new", "GET /visits/7"]);

    // Nothing changed.
    let server = serving(&[&known]).await;
    let (id, record) = written(write(&product(&server), json!({}), Some("7"), false).await);
    assert_eq!((id.as_str(), record["at"].as_str()), ("7", Some(AT)));
    assert_eq!(lines(&server), ["GET /visits/7"]);
}

#[tokio::test]
async fn what_is_not_there_or_not_written_here_is_refused() {
    let server = Receiver::start(Then::status(404, "", "")).await;
    let error = write(&product(&server), json!({}), Some("7"), false).await.unwrap_err();
    assert!(matches!(error, CallError::NotFound(_)));

    let mut product = product(&server);
    let error = write(&product, json!({"resourceType": "Patient"}), None, false).await.unwrap_err();
    assert_eq!(error.cause().code, "api.configuration");
    let api = product.manifest.api.as_mut().unwrap();
    api.resources.get_mut("Appointment").unwrap().write.truncate(3);
    let error = write(&product, json!({}), None, false).await.unwrap_err();
    assert_eq!(error.cause().text, "the product's interface has no way to write this status of a resource of this type");
}

/// What goes wrong after a write must not look as if nothing had been done.
#[tokio::test]
async fn a_write_that_cannot_be_read_back_is_unknown() {
    let nothing = || Then::status(200, "", r#"{"visits": []}"#);
    for answer in [r#"{"visit": {"no": "id"}}"#, "{}"] {
        let server = Receiver::script(vec![nothing(), Then::status(200, "", answer)]).await;
        let error = write(&product(&server), json!({}), None, false).await.unwrap_err();
        assert!(matches!(error, CallError::Unknown(_)), "{answer}: {error}");
    }
    let known = Then::status(200, "", &visit(7, AT));
    let server = Receiver::script(vec![known, Then::status(200, "", ""), Then::status(429, "", "")]).await;
    let error = write(&product(&server), json!({"status": "cancelled"}), Some("7"), false).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown(_)), "{error}");
}

#[tokio::test]
async fn fhir_names_what_it_made_in_a_header() {
    let api = r#"  style: fhir
  operations:
    read: {path: "/Patient/{id}"}
    create: {method: POST, path: /Patient, body: body}
    update: {method: PUT, path: "/Patient/{id}", body: body}
  kinds:
    patient: {mapping: record}
  resources:
    Patient:
      kind: patient
      identifier: "urn:demo"
      read: {operation: read}
      write: [{on: create, operation: create}, {on: update, operation: update}]
"#;
    let patient = r#"{"resourceType": "Patient", "identifier": [{"system": "urn:demo", "value": "p 1"}], "meta": {"versionId": "4"}}"#;
    let location = "location: https://pms.example/fhir/Patient/p1/_history/1\r\n";
    let server =
        Receiver::script(vec![Then::status(201, location, ""), Then::status(200, "", patient)]).await;
    let texts = [("body", "resource"), ("record", "$")];
    let product = Product::new(&base(&server), api, &texts);
    let change = json!({"resourceType": "Patient"});
    assert_eq!(written(write(&product, change.clone(), None, false).await).0, "p1");
    assert_eq!(lines(&server), ["POST /Patient", "GET /Patient/p1"]);

    // An update names the version that was read.
    write(&product, change, Some("p1"), false).await.unwrap();
    let received = server.received();
    assert_eq!(received[1].line, "PUT /Patient/p1 HTTP/1.1");
    assert_eq!(received[1].headers.get("if-match").map(String::as_str), Some("W/\"4\""));
}

const CONFIRMED: &str = r#"  operations:
    read: {path: "/visits/{id}"}
    book: {method: POST, path: /visits, body: book}
  kinds:
    visit: {mapping: visit}
  resources:
    Appointment:
      kind: visit
      identifier: "urn:demo:{shard}"
      write:
        - {on: create, operation: book, record: /id, confirm: {operation: read, done: done, every: 60, within: 30}}
"#;

#[tokio::test]
async fn some_products_say_yes_before_they_do_it() {
    let server = Receiver::script(vec![
        Then::status(202, "", r#"{"id": 7}"#),
        Then::status(404, "", ""),
        Then::status(200, "", r#"{"id": 7, "state": "waiting"}"#),
        Then::status(200, "", r#"{"id": 7, "state": "done"}"#),
        Then::status(200, "", r#"{"id": 7, "state": "refused"}"#),
    ])
    .await;
    let mut texts = TEXTS.to_vec();
    texts.push(("done", "record.state = 'done' ? true : record.state = 'refused' ? false"));
    let product = Product::new(&base(&server), CONFIRMED, &texts);
    let outcome = write(&product, json!({}), None, false).await.unwrap();
    assert!(outcome.unconfirmed);
    assert_eq!(outcome.id.expose(), "7");

    let resource = Phi::new(json!({"resourceType": "Appointment", "status": "booked"}));
    let call = WriteCall {
        party: product.party(),
        resource: &resource,
        id: Some(&outcome.id),
        token: None,
        again: false,
    };
    assert!(product.ways().confirm(&call).await.unwrap().is_none(), "not there yet");
    assert!(product.ways().confirm(&call).await.unwrap().is_none(), "not done yet");
    let confirmed = product.ways().confirm(&call).await.unwrap().unwrap();
    assert!(!confirmed.unconfirmed);
    assert_eq!(confirmed.id.expose(), "7");
    let error = product.ways().confirm(&call).await.unwrap_err();
    assert_eq!(error.cause().code, "api.refused");
    assert!(matches!(error, CallError::Invalid(_)));
}

#[tokio::test]
async fn what_a_write_needs_is_looked_for() {
    let pending = || json!({"status": "pending"});
    let open = format!(
        r#"{{"open": [{{"number": 3, "at": "2026-03-05T16:00:00Z"}}, {{"number": 4, "at": "{AT}"}}]}}"#
    );
    let server = serving(&[&open, &visit(4, AT)]).await;
    let (id, _) = written(write(&product(&server), pending(), None, false).await);
    assert_eq!(id, "4");
    assert_eq!(lines(&server), ["GET /open?day=2026-03-05", "PUT /open/4"]);

    // None is open at that time: somebody was faster.
    let server = serving(&[r#"{"open": []}"#]).await;
    let error = write(&product(&server), pending(), None, false).await.unwrap_err();
    assert!(matches!(error, CallError::Conflict(_)), "{error}");
    assert_eq!(lines(&server), ["GET /open?day=2026-03-05"]);
}
