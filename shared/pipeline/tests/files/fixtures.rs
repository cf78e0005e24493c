//! A practice whose source sends files.

use std::collections::BTreeMap;

use bridge_core::{config::Connection, feed::Feed};
use bridge_pipeline::files::{FileDoc, FileState, Pace};
use bridge_testkit::{memory::lock, practice::Practice, sim::CONNECTION};
use futures::executor::block_on;
use serde_json::Value;

pub(crate) const HEADER: &str = "Chart,Name,Born\n";

/// Changes, in which bad rows are set aside.
pub(crate) const CHANGES: &str = r"
keys: '*.csv*'
file: {format: csv}
key-columns: [chart]
columns:
  - {name: chart, type: integer}
  - {name: name, required: true}
  - {name: born, type: date}
mapping: row
lane: [/chart]
find-by: {patient: /chart}
";

/// The same as a snapshot, in which what is missing is removed.
pub(crate) fn snapshot() -> String {
    CHANGES.to_owned()
        + "removal: gone\ndelta: {mode: snapshot, missing: deleted, at-most-missing-percent: 20}\n"
}

/// The same, with rows that share messages.
pub(crate) fn batched(feed: &str, rows: u16, lanes: u8) -> String {
    format!("{feed}batch: {{rows: {rows}, lanes: {lanes}}}\n")
}

const ROW: &str = r#"{"resourceType": "Patient", "identifier": [
    {"system": "urn:sim:patient", "value": $string(chart)}, {"system": "urn:sim:tag", "value": name}]}"#;
const GONE: &str = r#"{"resourceType": "Patient", "active": false, "identifier": [
    {"system": "urn:sim:patient", "value": chart}]}"#;

/// A practice with this feed.
pub(crate) fn practice(feed: &str) -> Practice {
    practice_of(feed, |_| {})
}

/// The same, with something else about its source.
pub(crate) fn practice_of(feed: &str, more: impl FnOnce(&mut Connection)) -> Practice {
    let mut source = Practice::source();
    with_feed(&mut source, feed);
    more(&mut source);
    let mut practice = Practice::with_source(source);
    // Small steps: a small file has many.
    practice.pace = Pace { read: 700, rows: 20, run: 2_000, ..Pace::default() };
    practice
}

pub(crate) fn with_feed(source: &mut Connection, feed: &str) {
    source.feeds.insert("patients".to_owned(), serde_norway::from_str(feed).unwrap());
    assert_eq!(source.feeds["patients"].problems(), []);
    source.mappings.insert("row".to_owned(), ROW.to_owned());
    if feed.contains("removal: gone") {
        source.mappings.insert("gone".to_owned(), GONE.to_owned());
    }
}

/// A row that nobody has sent before.
pub(crate) fn row(chart: usize) -> String {
    format!("{chart},Testperson {chart},1980-02-{:02}\n", chart % 28 + 1)
}

/// A file of these rows.
pub(crate) fn file(rows: impl IntoIterator<Item = String>) -> String {
    rows.into_iter().fold(HEADER.to_owned(), |file, row| file + &row)
}

/// The file that was dropped last.
pub(crate) fn newest(practice: &Practice) -> FileDoc {
    practice.files().remove(0)
}

/// How often each patient was delivered, by `chart name` or `chart gone`.
pub(crate) fn delivered(practice: &Practice) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for body in practice.delivered() {
        let bundle: Value = serde_json::from_str(&body).unwrap();
        for entry in bundle["entry"].as_array().unwrap() {
            let resource = &entry["resource"];
            let value = |at: usize| resource["identifier"][at]["value"].as_str().unwrap_or("gone");
            *counts.entry(format!("{} {}", value(0), value(1))).or_default() += 1;
        }
    }
    counts
}

/// Each of these rows went on once, and nothing else.
pub(crate) fn assert_once(practice: &Practice, charts: impl IntoIterator<Item = usize>) {
    let expected: BTreeMap<String, usize> =
        charts.into_iter().map(|chart| (format!("{chart} Testperson {chart}"), 1)).collect();
    assert_eq!(delivered(practice), expected);
}

/// Drops a file, and works until everything has come to rest.
pub(crate) fn drop_and_settle(practice: &Practice, name: &str, bytes: &[u8]) -> FileDoc {
    practice.drop_file(name, bytes);
    practice.settle();
    let doc = newest(practice);
    assert_ne!(doc.state, FileState::Waiting);
    doc
}

/// An object that was written about a file.
pub(crate) fn written(practice: &Practice, key: &str) -> String {
    let world = lock(&practice.world);
    String::from_utf8(world.files.get(key).unwrap_or_else(|| panic!("no {key}")).to_vec()).unwrap()
}

/// Everything that stands in clear: documents, and objects that are not the practice's own.
pub(crate) fn in_clear(practice: &Practice) -> Vec<String> {
    let world = lock(&practice.world);
    let mut all: Vec<String> =
        world.tables.iter().map(|record| format!("{:?} {}", record.key, record.doc)).collect();
    for prefix in ["outbox/", "work/", "snapshots/"] {
        for key in world.files.keys(prefix) {
            all.push(format!("{key} {}", String::from_utf8_lossy(world.files.get(key).unwrap())));
        }
    }
    all
}

/// The feed as the practice has it.
pub(crate) fn feed(practice: &Practice) -> Feed {
    let source = block_on(practice.bridge.connection(&source())).unwrap().unwrap();
    source.connection.feeds["patients"].clone()
}

pub(crate) fn source() -> bridge_core::id::ConnectionId {
    CONNECTION.parse().unwrap()
}
