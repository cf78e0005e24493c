//! A practice that is sent files of what has changed.

use std::collections::BTreeMap;

use bridge_core::{Timestamp, id::ConnectionId};
use bridge_pipeline::{
    export::{Pace, RunDoc},
    ports::QueueName,
};
use bridge_testkit::{
    memory::lock,
    practice::{Practice, actor},
    sim::CONNECTION,
};
use futures::executor::block_on;
use serde_json::{Value, json};

/// Every night, as delimited text.
pub(crate) const NIGHTLY: &str = r#"
schedule: {at: "02:30"}
resources: [Patient]
mapping: out
file: {format: csv}
columns: [{name: chart, header: Chart No}, {name: tag}]
name: "patients-{date}-{number}.csv"
"#;

/// Each change is a message of its own.
const WEBHOOK: &str = r"
verify: {kind: token, header: x-token, secret: token}
kind: {constant: note}
kinds:
  note: {mapping: note, lane: [/patient], source-id: [/patient, /tag]}
";

const OUT: &str = r#"{
    "chart": $number(identifier[system="urn:sim:patient"].value), "tag": identifier[system="urn:sim:tag"].value}"#;

/// Small steps: a small file has many.
pub(crate) const STEPS: Pace =
    Pace { page: 7, block: 200, taken: 9, part: 150, every: std::time::Duration::from_secs(2) };

/// A practice in this zone with this export.
pub(crate) fn practice(export: &str, zone: &str) -> Practice {
    let mut source = Practice::source();
    source.zone = zone.parse().unwrap();
    source.routes.clear();
    source.webhook = Some(serde_norway::from_str(WEBHOOK).unwrap());
    source.exports.insert("nightly".to_owned(), serde_norway::from_str(export).unwrap());
    source.mappings.insert("out".to_owned(), OUT.to_owned());
    if let Some(result) = &source.exports["nightly"].result {
        let feed = "{keys: 'answers*.csv', file: {format: csv}, mapping: ''}";
        source.feeds.insert(result.feed.clone(), serde_norway::from_str(feed).unwrap());
    }
    assert_eq!(source.exports["nightly"].problems(&source.feeds), []);
    let mut practice = Practice::with_source(source);
    practice.export_pace = STEPS;
    practice
}

/// A patient gets a state.
pub(crate) fn change(practice: &Practice, chart: usize, tag: &str) {
    let body = json!({"patient": chart.to_string(), "tag": tag, "odd": false}).to_string();
    assert_eq!(practice.post(&[("x-token", "t")], body.as_bytes()).status, 202);
    while practice.work(QueueName::Inbound) {}
}

pub(crate) fn source() -> ConnectionId {
    CONNECTION.parse().unwrap()
}

pub(crate) fn now(practice: &Practice) -> Timestamp {
    Timestamp::from_millis(lock(&practice.world).now)
}

pub(crate) fn set_time(practice: &Practice, at: &str) {
    lock(&practice.world).now = at.parse::<Timestamp>().unwrap().as_millis();
}

/// What the schedule does once a minute; and everything that comes of it.
pub(crate) fn tick(practice: &Practice) {
    block_on(practice.bridge.queue_due_exports()).unwrap();
    while practice.work(QueueName::Exports) {}
}

/// Lets time pass to this moment, a tick each `minutes`.
pub(crate) fn pass(practice: &Practice, until: &str, minutes: i64) {
    let until = until.parse::<Timestamp>().unwrap().as_millis();
    while lock(&practice.world).now < until {
        lock(&practice.world).now += minutes * 60_000;
        tick(practice);
    }
}

/// The runs, the oldest first.
pub(crate) fn runs(practice: &Practice) -> Vec<RunDoc> {
    let mut runs = block_on(practice.bridge.export_runs(&source(), "nightly", 1_000)).unwrap();
    runs.reverse();
    runs
}

/// The names of the files that were put out, and what stands in them, in the order of their runs.
pub(crate) fn files(practice: &Practice) -> Vec<(String, String)> {
    let objects = runs(practice).into_iter().filter_map(|run| run.object);
    let name = |key: &str| key.strip_prefix("outbox/sim.source/nightly/").unwrap().to_owned();
    objects.map(|key| (name(&key), written(practice, &key))).collect()
}

pub(crate) fn written(practice: &Practice, key: &str) -> String {
    let world = lock(&practice.world);
    String::from_utf8(world.files.get(key).unwrap_or_else(|| panic!("no {key}")).to_vec()).unwrap()
}

/// How often each state of each patient was sent.
pub(crate) fn sent(practice: &Practice) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for (_, file) in files(practice) {
        for row in file.lines().skip(1) {
            *counts.entry(row.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Each file lies there once, whole, and its manifest says so.
pub(crate) fn assert_whole(practice: &Practice) {
    for run in runs(practice) {
        let Some(object) = run.object else { continue };
        let manifest: Value =
            serde_json::from_str(&written(practice, &format!("{object}.manifest.json"))).unwrap();
        let world = lock(&practice.world);
        let bytes = world.files.get(&object).unwrap();
        let sum = data_encoding::HEXLOWER.encode(&bridge_seal::sha256(&[bytes]));
        assert_eq!(world.files.versions_of(&object), 1, "{object}");
        assert_eq!(manifest["sha256"], sum, "{object}");
        assert_eq!(manifest["bytes"], bytes.len());
        assert_eq!(manifest["records"], run.counts.records);
        assert_eq!(manifest["period"]["to"], run.to.to_string());
    }
}

/// Begins at this moment, with an export that nobody knew before.
pub(crate) fn begin(practice: &Practice, at: &str) {
    set_time(practice, at);
    let mut exports = BTreeMap::new();
    apply(practice, |source| std::mem::swap(&mut source.exports, &mut exports));
    apply(practice, |source| source.exports = exports);
}

/// Applies the source as it is after `edit`.
pub(crate) fn apply(practice: &Practice, edit: impl FnOnce(&mut bridge_core::config::Connection)) {
    let loaded = block_on(practice.bridge.connection(&source())).unwrap().unwrap();
    let mut connection = loaded.connection.clone();
    edit(&mut connection);
    block_on(practice.bridge.apply_connection(connection, actor())).unwrap();
}
