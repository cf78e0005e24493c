//! What the door does with good and bad requests.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Write as _;

use bridge_pipeline::ports::QueueName;
use bridge_testkit::{memory::lock, practice::Practice, sim::CONNECTION};
use flate2::{Compression, write::GzEncoder};
use futures::executor::block_on;
use serde_json::Value;

const RULES: &str = "
verify: { kind: token, header: x-token, secret: token }
challenge: { kind: hmac, query: msg, secret: token, field: secret_token }
max-body: 2000
kind: { constant: note }
kinds: { note: { mapping: note, lane: [/patient], source-id: [/tag], find-by: { tag: /tag } } }
";
const GOOD: &[(&str, &str)] = &[("x-token", "t")];

fn practice() -> Practice {
    Practice::new(RULES, &[("token", &["t"])])
}

fn note(tag: &str) -> Vec<u8> {
    format!(r#"{{"patient":"p1","tag":"{tag}"}}"#).into_bytes()
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn code(body: &str) -> String {
    serde_json::from_str::<Value>(body).unwrap()["error"]["code"].as_str().unwrap_or_default().to_owned()
}

fn queued(practice: &Practice) -> usize {
    lock(&practice.world).queues.get(&QueueName::Inbound).map_or(0, |queue| queue.messages.len())
}

#[test]
fn a_good_one_is_durable_before_it_is_acknowledged() {
    let practice = practice();
    let response = practice.post(GOOD, &note("a-1"));
    assert_eq!(response.status, 202);
    assert_eq!(queued(&practice), 1);
    practice.settle();
    assert_eq!(practice.delivered().len(), 1);
    assert!(practice.delivered()[0].contains("a-1"));
}

#[test]
fn the_same_one_twice_has_one_effect_even_after_the_queue_forgot_it() {
    let practice = practice();
    let first = practice.post(GOOD, &note("a-1"));
    practice.settle();
    lock(&practice.world).now += 3_600_000;
    let second = practice.post(GOOD, &note("a-1"));
    practice.settle();
    assert_eq!(first.body, second.body, "the same input has the same id");
    assert_eq!(practice.delivered().len(), 1);
}

/// Status, code, headers and body.
type Case<'a> = (u16, &'a str, &'a [(&'a str, &'a str)], &'a [u8]);

#[test]
fn bad_ones_get_a_clear_answer_and_are_counted() {
    let practice = practice();
    let large = vec![b' '; 2001];
    let bomb = gzip(&vec![b' '; 1_000_000]);
    let cases: &[Case<'_>] = &[
        (401, "signature.missing", &[], b"{}"),
        (401, "signature.wrong", &[("x-token", "wrong")], b"{}"),
        (415, "body.media_type", &[("x-token", "t"), ("content-type", "text/plain")], b"{}"),
        (413, "body.too_large", GOOD, &large),
        (413, "body.too_large", &[("x-token", "t"), ("content-encoding", "gzip")], &bomb),
        (415, "body.encoding", &[("x-token", "t"), ("content-encoding", "br")], b"{}"),
        (400, "body.malformed", GOOD, b"{\"patient\": "),
        (400, "body.malformed", &[("x-token", "t"), ("content-encoding", "gzip")], b"not gzip"),
    ];
    for (status, expected, headers, body) in cases {
        let response = practice.post(headers, body);
        assert_eq!((response.status, code(&response.body).as_str()), (*status, *expected));
    }
    assert_eq!(queued(&practice), 0, "nothing bad gets in");
    let connection = CONNECTION.parse().unwrap();
    let since = bridge_core::Timestamp::from_millis(0);
    let counted = block_on(practice.bridge.rejections(Some(&connection), since)).unwrap();
    let codes: std::collections::BTreeSet<&str> = counted.iter().map(|doc| doc.cause.code.as_str()).collect();
    let expected: std::collections::BTreeSet<&str> = cases.iter().map(|case| case.1).collect();
    assert_eq!(codes, expected);
    assert!(counted.iter().all(|doc| doc.senders.len() == 1), "who sent it is kept");
}

#[test]
fn an_attacker_can_not_fill_the_table() {
    let practice = practice();
    let before = lock(&practice.world).tables.len();
    for n in 0..2_000 {
        practice.post(&[("x-token", "wrong")], format!("{{\"n\":{n}}}").as_bytes());
        block_on(practice.bridge.receive(
            &format!("nobody{n}.here"),
            &bridge_core::http::Request {
                method: "POST".to_owned(),
                path: String::new(),
                query: String::new(),
                headers: Default::default(),
                source: None,
                body: Vec::new().into(),
            },
        ));
    }
    let (records, writes) = {
        let world = lock(&practice.world);
        (world.tables.len() - before, world.tables.writes)
    };
    assert_eq!(records, 2, "one record per connection, cause and hour");
    assert!(writes < 20, "{writes} writes for 4,000 requests within a second");
}

#[test]
fn gzip_is_taken_within_the_limit() {
    let practice = practice();
    let body = gzip(&note("a-1"));
    let response = practice.post(&[("x-token", "t"), ("content-encoding", "gzip")], &body);
    assert_eq!(response.status, 202);
    practice.settle();
    assert_eq!(practice.delivered().len(), 1);
}

#[test]
fn a_list_of_addresses_keeps_others_out() {
    let mut source = Practice::source();
    source.webhook = Some(serde_norway::from_str(RULES).unwrap());
    source.allow_ips = vec!["198.51.100.0/24".to_owned().try_into().unwrap()];
    let practice = Practice::with_source(source);
    let response = practice.post(GOOD, &note("a-1"));
    assert_eq!((response.status, code(&response.body).as_str()), (403, "sender.not_allowed"));
}

#[test]
fn an_address_is_proven_by_the_secret() {
    let practice = Practice::new(RULES, &[("token", &["drc-example-not-real"])]);
    let path = format!("/webhooks/{CONNECTION}");
    let response = practice.send("GET", &path, "msg=abc123", &[], b"");
    assert_eq!(response.status, 200);
    assert_eq!(
        response.body,
        r#"{"secret_token":"247f8b9e26e2488bac1c8f4084896c10bf4038334b85b2bb476dad1d7408e44d"}"#
    );
    assert_eq!(practice.send("GET", &path, "other=1", &[], b"").status, 400);
    assert_eq!(practice.send("PUT", &path, "", &[], b"").status, 405);
}

#[test]
fn each_row_is_a_message_in_its_own_lane() {
    let rules = RULES.replace("kind: { constant: note }", "rows: ''\nkind: { constant: note }");
    let practice = Practice::new(&rules, &[("token", &["t"])]);
    let body = br#"[{"patient":"p1","tag":"a-1"},{"patient":"p2","tag":"b-1"},{"patient":"p1","tag":"a-2"}]"#;
    let response = practice.post(GOOD, body);
    assert_eq!(response.status, 202);
    let groups: std::collections::BTreeSet<String> = {
        let world = lock(&practice.world);
        world.queues[&QueueName::Inbound].messages.iter().map(|m| m.entry.group.clone()).collect()
    };
    assert_eq!(groups.len(), 2);
    practice.settle();
    assert_eq!(practice.delivered().len(), 3);
}

#[test]
fn a_ping_needs_no_body() {
    let rules = RULES.replace("kind: { constant: note }", "kind: { header: x-event }\nother-kinds: ignore");
    let practice = Practice::new(&rules, &[("token", &["t"])]);
    let ping = practice.post(&[("x-token", "t"), ("x-event", "PING")], b"");
    assert_eq!((ping.status, ping.body.as_str()), (200, r#"{"accepted":[],"ignored":1}"#));
    assert_eq!(practice.post(&[("x-token", "wrong"), ("x-event", "PING")], b"").status, 401);
    assert_eq!(practice.post(&[("x-token", "t"), ("x-event", "note")], b"").status, 400);
}

#[test]
fn the_older_state_never_wins_and_one_without_a_version_goes_by_its_order() {
    let rules = RULES.replace("lane: [/patient]", "lane: [/tag], version: /at");
    let practice = Practice::new(&rules, &[("token", &["t"])]);
    let said = |tag: &str, at: &str| {
        let body = format!(r#"{{"patient":"p1","tag":"{tag}"{at}}}"#);
        assert_eq!(practice.post(GOOD, body.as_bytes()).status, 202);
        practice.settle();
        practice.delivered().last().is_some_and(|body| body.contains(tag))
    };
    assert!(said("first-1", r#","at":"2026-01-02T00:00:00""#));
    assert!(!said("older-1", r#","at":"2026-01-01T00:00:00""#), "it is superseded");
    assert!(said("same-1", r#","at":"2026-01-02T00:00:00""#), "within one second, the later message wins");
    assert!(said("bare-1", ""), "a deletion without a time stamp");
    assert!(said("newer-1", r#","at":"2026-01-03T00:00:00""#));
}

#[test]
fn nothing_of_a_patient_is_in_a_key_or_on_a_queue() {
    let practice = practice();
    practice.post(GOOD, br#"{"patient":"PLANTED-MRN","tag":"PLANTED-7","name":"Planted Person"}"#);
    let on_queue = format!("{:?}", lock(&practice.world).queues);
    practice.settle();
    let world = lock(&practice.world);
    let records: String = world
        .tables
        .iter()
        .map(|r| format!("{:?}{}{:?}{:?}", r.key, r.doc, r.by_connection, r.by_attention))
        .collect();
    assert!(!on_queue.to_lowercase().contains("planted"), "on a queue");
    assert!(!records.to_lowercase().contains("planted"), "in a record's clear part");
    assert!(
        world.tables.iter().all(|r| !r.blob.as_ref().is_some_and(|b| contains(b, b"PLANTED"))),
        "in a sealed part"
    );
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}
