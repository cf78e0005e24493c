//! Rows that share messages: fewer records of the ledger, the same effect.

use std::collections::BTreeMap;

use bridge_core::Timestamp;
use bridge_pipeline::{
    files::FileState,
    queries::{Overview, Selection, Standing},
};
use bridge_testkit::{
    memory::lock,
    practice::{Practice, actor},
};
use futures::executor::block_on;
use serde_json::Value;

use crate::fixtures::*;

const NAMES_BAD: &str = r#"name = "Bad" ? $error("no such name") : "#;

pub(crate) fn messages(practice: &Practice) -> Vec<Overview> {
    let connection = source();
    let selection = Selection {
        connection,
        since: Timestamp::default(),
        until: Timestamp::from_millis(i64::from(u32::MAX) * 1_000),
        standing: None,
        kind: None,
        find: None,
        limit: 10_000,
    };
    block_on(practice.bridge.messages(&selection)).unwrap()
}

fn now(practice: &Practice) -> (BTreeMap<Standing, u64>, u64) {
    let now = block_on(practice.bridge.rows_now(&newest(practice), &feed(practice))).unwrap().unwrap();
    (now.standing, now.queued)
}

#[test]
fn rows_share_messages_and_each_goes_on_once() {
    let practice = practice(&batched(CHANGES, 10, 3));
    let doc = drop_and_settle(&practice, "1.csv", file((1..=200).map(row)).as_bytes());
    assert_eq!((doc.state, doc.progress.sent), (FileState::Done, 200), "{:?}", doc.cause);
    assert_once(&practice, 1..=200);
    let messages = messages(&practice);
    assert!((18..=24).contains(&messages.len()), "{} messages", messages.len());
    assert_eq!(practice.delivered().len(), messages.len());
    assert_eq!(now(&practice), (BTreeMap::from([(Standing::Delivered, 200)]), 0));
    let index = block_on(practice.bridge.index_key(&source().tenant())).unwrap();
    let token = index.token(&source(), "patient", "117");
    let found: Vec<_> = messages.iter().filter(|one| one.message.find.contains(&token)).collect();
    assert_eq!(found.len(), 1, "it is found by any of its records");
}

#[test]
fn of_one_patient_the_last_row_is_what_is_left_wherever_messages_end() {
    for (rows, lanes) in [(1, 1), (3, 2), (10, 3), (200, 8)] {
        let practice = practice(&batched(CHANGES, rows, lanes));
        let state = |n: usize| format!("{},Name {n},1980-02-01\n", n % 7);
        drop_and_settle(&practice, "1.csv", file((1..=150).map(state)).as_bytes());
        let mut last = BTreeMap::new();
        for body in practice.delivered() {
            let bundle: Value = serde_json::from_str(&body).unwrap();
            for entry in bundle["entry"].as_array().unwrap() {
                let value = |at: usize| &entry["resource"]["identifier"][at]["value"];
                let number: usize =
                    value(1).as_str().unwrap().strip_prefix("Name ").unwrap().parse().unwrap();
                let before = last.insert(value(0).to_string(), number);
                assert!(before.is_none_or(|before| before < number), "{before:?} then {number}");
            }
        }
        let expected: BTreeMap<String, usize> = (144..=150).map(|n| (format!("\"{}\"", n % 7), n)).collect();
        assert_eq!(last, expected, "{rows} rows, {lanes} lanes");
    }
}

#[test]
fn a_record_that_cannot_be_mapped_parks_its_message_and_names_the_row() {
    let fails = |connection: &mut bridge_core::config::Connection| {
        let mapping = connection.mappings.get_mut("row").unwrap();
        *mapping = format!("{NAMES_BAD}{mapping}");
    };
    let practice = practice_of(&batched(CHANGES, 10, 3), fails);
    let rows = (1..=60).map(|chart| match chart {
        33 => "33,Bad,1980-02-01\n".to_owned(),
        _ => row(chart),
    });
    drop_and_settle(&practice, "1.csv", file(rows).as_bytes());
    let tenant = source().tenant();
    let lanes = block_on(practice.bridge.parked(&tenant, None)).unwrap();
    let [lane] = &*lanes else { panic!("{lanes:?}") };
    let cause = &lane.tasks[0].cause;
    assert!(cause.code == "mapping.failed" && cause.place.starts_with("row 33 "), "{cause}");
    let (standing, queued) = now(&practice);
    assert_eq!((standing.values().sum::<u64>(), queued), (60, 0), "{standing:?}");
    assert!(standing[&Standing::Delivered] > 30, "other lanes go on: {standing:?}");

    let mut repaired = block_on(practice.bridge.connection(&source())).unwrap().unwrap().connection.clone();
    let mapping = repaired.mappings.get_mut("row").unwrap();
    *mapping = mapping.replace(NAMES_BAD, "");
    block_on(practice.bridge.apply_connection(repaired, actor())).unwrap();
    lock(&practice.world).now += 600_000;
    block_on(practice.bridge.release_lanes(&[(lane.key.clone(), lane.tasks.len())], 100, &actor(), "mended"))
        .unwrap();
    practice.settle();
    let delivered = delivered(&practice);
    assert_eq!((delivered.len(), delivered["33 Bad"]), (60, 1));
    assert!(delivered.values().all(|count| *count == 1), "{delivered:?}");
}

#[test]
fn bad_rows_are_set_aside_and_counted_as_ever() {
    let practice = practice(&batched(CHANGES, 10, 3));
    let rows = (1..=90).map(|chart| if chart % 10 == 0 { format!("{chart},,\n") } else { row(chart) });
    let doc = drop_and_settle(&practice, "1.csv", file(rows).as_bytes());
    assert_eq!((doc.state, doc.progress.bad(), doc.progress.sent), (FileState::Done, 9, 81));
    let quarantine: String =
        (1..=doc.progress.quarantined).map(|n| written(&practice, &doc.quarantine(n))).collect();
    assert_eq!(quarantine.lines().count(), 9, "{quarantine}");
}
