//! The second day sends what has changed, and nothing else.

use std::collections::BTreeMap;

use bridge_pipeline::{
    files::{Compared, FileState},
    queries::Standing,
};
use futures::executor::block_on;

use crate::fixtures::*;

const ROWS: usize = 400;

#[test]
fn exactly_the_rows_that_changed_go_on() {
    let practice = practice(&snapshot());
    let doc = drop_and_settle(&practice, "monday.csv", file((1..=ROWS).map(row)).as_bytes());
    let compared = |changed, unchanged, deleted| Compared { changed, unchanged, deleted };
    assert_eq!((doc.state, doc.compared()), (FileState::Done, compared(400, 0, 0)), "{:?}", doc.cause);
    assert!(doc.progress.runs.len() > 3, "sorted in several runs: {:?}", doc.progress.runs);
    assert_once(&practice, 1..=ROWS);

    // Another order, 4 other names, one gone, one new.
    let changed = |chart: usize| match chart % 100 {
        7 => format!("{chart},Renamed {chart},1980-02-01\n"),
        _ => row(chart),
    };
    let rows = (1..=ROWS + 1).rev().filter(|chart| *chart != 200).map(changed);
    let doc = drop_and_settle(&practice, "tuesday.csv", file(rows).as_bytes());
    assert_eq!((doc.state, doc.compared(), doc.progress.sent), (FileState::Done, compared(5, 395, 1), 6));
    let now = block_on(practice.bridge.rows_now(&doc, &feed(&practice))).unwrap().unwrap();
    assert_eq!((now.standing, now.queued), (BTreeMap::from([(Standing::Delivered, 5)]), 0));
    let delivered = delivered(&practice);
    assert_eq!(delivered.len(), ROWS + 6);
    for news in ["7 Renamed 7", "107 Renamed 107", "307 Renamed 307", "200 gone", "401 Testperson 401"] {
        assert_eq!(delivered[news], 1, "{news}");
    }
}

#[test]
fn a_snapshot_that_comes_back_is_news_and_one_that_comes_again_is_not() {
    let practice = practice(&snapshot());
    let (one, two) = (file((1..=50).map(row)), file((1..=50).map(|n| row(n).replace("Test", "Rest"))));
    drop_and_settle(&practice, "1.csv", one.as_bytes());
    let again = drop_and_settle(&practice, "2.csv", one.as_bytes());
    assert_eq!(again.state, FileState::Duplicate);
    drop_and_settle(&practice, "3.csv", two.as_bytes());
    let back = drop_and_settle(&practice, "4.csv", one.as_bytes());
    assert_eq!((back.state, back.compared().changed), (FileState::Done, 50));
    assert!(delivered(&practice).values().all(|count| (1..=2).contains(count)));
}

#[test]
fn a_file_that_was_cut_short_deletes_nobody() {
    let practice = practice(&snapshot());
    drop_and_settle(&practice, "1.csv", file((1..=100).map(row)).as_bytes());
    let doc = drop_and_settle(&practice, "2.csv", file((1..=70).map(row)).as_bytes());
    assert_eq!((doc.state, &*doc.cause.unwrap().code), (FileState::Refused, "file.too_many_missing"));
    assert_once(&practice, 1..=100);
    // It is still compared with the whole one.
    let doc = drop_and_settle(&practice, "3.csv", file((1..=99).map(row)).as_bytes());
    assert_eq!((doc.compared().unchanged, doc.compared().deleted), (99, 1));
}

#[test]
fn a_row_that_is_bad_today_is_not_gone() {
    let practice = practice(&snapshot());
    drop_and_settle(&practice, "1.csv", file((1..=30).map(row)).as_bytes());
    let rows = (1..=29).map(|chart| if chart == 5 { "5,,\n".to_owned() } else { row(chart) });
    let doc = drop_and_settle(&practice, "2.csv", file(rows).as_bytes());
    assert_eq!((doc.state, doc.progress.bad(), doc.compared().deleted), (FileState::Done, 1, 0));
    let doc = drop_and_settle(&practice, "3.csv", file((1..=29).map(row)).as_bytes());
    assert_eq!((doc.compared().unchanged, doc.compared().deleted), (29, 1), "the one that was held back");
    assert_eq!(delivered(&practice)["30 gone"], 1);
}

#[test]
fn two_rows_of_one_key_that_differ_refuse_the_file() {
    let practice = practice(&snapshot());
    let rows = (1..=60).map(row).chain(["3,Another,1990-01-01\n".into()]);
    let doc = drop_and_settle(&practice, "1.csv", file(rows).as_bytes());
    assert_eq!((doc.state, &*doc.cause.unwrap().code), (FileState::Refused, "file.repeated_key"));
    assert_once(&practice, []);
    let twice = (1..=60).map(row).chain([row(3)]);
    assert_eq!(drop_and_settle(&practice, "2.csv", file(twice).as_bytes()).progress.sent, 60);
}

#[test]
fn an_older_snapshot_does_not_undo_a_newer_one() {
    let practice = practice(&snapshot());
    let old = {
        let mut world = bridge_testkit::memory::lock(&practice.world);
        let now = world.now;
        world.files.put("drops/sim.source/old.csv", file((1..=9).map(row)).into_bytes(), now)
    };
    drop_and_settle(&practice, "new.csv", file((1..=10).map(row)).as_bytes());
    practice.tell_of(&old);
    practice.settle();
    let doc = practice.files().into_iter().find(|doc| doc.name == "old.csv").unwrap();
    assert_eq!((doc.state, &*doc.cause.unwrap().code), (FileState::Refused, "file.older"));
}

#[test]
fn what_is_kept_of_a_snapshot_shows_no_key() {
    let practice = practice(&snapshot());
    let rows = (1..=60).map(|chart| format!("{},Zyxwv {chart},1980-01-01\n", 70_0000 + chart));
    let doc = drop_and_settle(&practice, "1.csv", file(rows).as_bytes());
    assert_eq!(doc.state, FileState::Done);
    for text in in_clear(&practice) {
        assert!(!text.contains("Zyxwv") && !text.contains("700017"), "{text}");
    }
}
