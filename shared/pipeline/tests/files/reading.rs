//! What becomes of a file, and what is told of it.

use std::io::Write as _;

use bridge_pipeline::{files::FileState, ports::QueueName};
use bridge_testkit::{
    memory::lock,
    practice::{Practice, actor},
};
use flate2::{Compression, write::GzEncoder};
use futures::executor::block_on;

use crate::fixtures::*;

#[test]
fn every_row_goes_on_once_and_the_report_says_so() {
    let practice = practice(CHANGES);
    let doc = drop_and_settle(&practice, "a.csv", file((1..=90).map(row)).as_bytes());
    assert_eq!((doc.state, doc.progress.sent, doc.progress.report.received), (FileState::Done, 90, 90));
    assert_once(&practice, 1..=90);
    practice.drop_file("b.csv", file((91..=95).map(row)).as_bytes());
    practice.work(QueueName::Drops);
    let now = block_on(practice.bridge.rows_now(&newest(&practice), &feed(&practice))).unwrap().unwrap();
    assert_eq!((now.standing.len(), now.queued), (0, 5), "nobody has normalized them");
    let report: serde_json::Value =
        serde_json::from_str(&written(&practice, &format!("{}/report.json", doc.outbox()))).unwrap();
    assert_eq!((&report["state"], &report["sent"], &report["bad"]), (&"done".into(), &90.into(), &0.into()));
    let csv = written(&practice, &format!("{}/report.csv", doc.outbox()));
    assert!(csv.starts_with("what,count\r\nstate,done\r\nreceived,90\r\n"), "{csv}");
}

#[test]
fn packed_files_are_read_as_if_they_were_not() {
    let bytes = file((1..=90).map(row));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes.as_bytes()).unwrap();
    let practice = practice(CHANGES);
    let doc = drop_and_settle(&practice, "a.csv.gz", &gzip.finish().unwrap());
    assert_eq!(doc.state, FileState::Done, "{:?}", doc.cause);
    assert_once(&practice, 1..=90);
    let doc = drop_and_settle(&practice, "b.csv.gz", b"\x1f\x8b\x08\0 no such thing");
    assert_eq!((doc.state, &*doc.cause.unwrap().code), (FileState::Refused, "file.packed"));
}

#[test]
fn a_file_that_is_larger_than_its_feed_allows_is_refused() {
    let practice = practice(&(CHANGES.to_owned() + "limits: {file-bytes: 1000}\n"));
    let doc = drop_and_settle(&practice, "a.csv", file((1..=90).map(row)).as_bytes());
    assert_eq!((doc.state, &*doc.cause.unwrap().code), (FileState::Refused, "file.packed"));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(file((1..=90).map(row)).as_bytes()).unwrap();
    let doc = drop_and_settle(&practice, "b.csv.gz", &gzip.finish().unwrap());
    let cause = doc.cause.unwrap();
    assert!(doc.state == FileState::Refused && cause.text.contains("more than 1000 bytes"), "{cause}");
    assert!(delivered(&practice).len() < 90);
}

#[test]
fn bad_rows_are_set_aside_by_place_and_reason_and_good_ones_go_on() {
    let practice = practice(CHANGES);
    let rows = [row(1), "Planted,Zyxwv,\n".into(), "3,,1980-02-03\n".into(), row(4)];
    let doc = drop_and_settle(&practice, "a.csv", file(rows).as_bytes());
    assert_eq!((doc.state, doc.progress.bad(), doc.progress.sent), (FileState::Done, 2, 2));
    assert_once(&practice, [1, 4]);
    let lines = block_on(practice.bridge.quarantine(&doc)).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let places: Vec<_> = lines.iter().map(|line| (line["line"].as_u64(), line["column"].as_str())).collect();
    assert_eq!(places, [(Some(3), Some("chart")), (Some(4), Some("name"))]);
    let clear = in_clear(&practice);
    assert!(!clear.iter().any(|text| text.contains("Zyxwv") || text.contains("Planted")), "a value was told");
}

#[test]
fn a_feed_that_refuses_files_with_bad_rows_sends_none_of_their_rows() {
    let practice = practice(&(CHANGES.to_owned() + "bad-rows: {policy: refuse-file}\n"));
    let rows = (1..=60).map(row).chain(["x,Zyxwv,\n".into()]);
    let doc = drop_and_settle(&practice, "a.csv", file(rows).as_bytes());
    let cause = doc.cause.unwrap();
    assert_eq!((doc.state, &*cause.code), (FileState::Refused, "file.bad_row"));
    assert_eq!(cause.place, "line 62 (record 61), column chart");
    assert_once(&practice, []);
    let doc = drop_and_settle(&practice, "a.csv", file((1..=60).map(row)).as_bytes());
    assert_eq!(doc.state, FileState::Done);
    assert_once(&practice, 1..=60);
}

#[test]
fn what_leaves_the_rest_in_doubt_ends_the_file_there() {
    let practice = practice(CHANGES);
    let rows = (1..=60).map(row).chain(["61,\"open,1980-02-03\n".into()]);
    let doc = drop_and_settle(&practice, "a.csv", file(rows).as_bytes());
    assert_eq!((doc.state, doc.progress.sent), (FileState::Refused, 60));
    assert_eq!(doc.cause.unwrap().place, "line 62 (record 60)");
    assert_once(&practice, 1..=60);
}

#[test]
fn events_about_one_file_and_files_with_the_same_bytes_are_one_file() {
    let practice = practice(CHANGES);
    let bytes = file((1..=30).map(row));
    let dropped = practice.drop_file("a.csv", bytes.as_bytes());
    practice.tell_of(&dropped);
    practice.settle();
    practice.tell_of(&dropped);
    practice.settle();
    assert_eq!(practice.files().len(), 1);
    let doc = drop_and_settle(&practice, "renamed.csv", bytes.as_bytes());
    let cause = doc.cause.unwrap();
    assert_eq!((doc.state, &*cause.code), (FileState::Duplicate, "file.duplicate"));
    assert!(cause.text.contains(practice.files()[1].file.as_str()));
    assert_once(&practice, 1..=30);
}

#[test]
fn a_corrected_file_takes_the_place_of_the_one_before_whatever_order_the_events_have() {
    let practice = practice(CHANGES);
    let first = {
        let mut world = lock(&practice.world);
        let now = world.now;
        world.files.put("drops/sim.source/a.csv", file([row(1), row(2)]).into_bytes(), now)
    };
    let doc = drop_and_settle(&practice, "a.csv", file([row(2), row(3)]).as_bytes());
    assert_eq!(doc.state, FileState::Done);
    practice.tell_of(&first);
    practice.settle();
    let states: Vec<_> = practice.files().iter().map(|doc| doc.state).collect();
    assert_eq!(states, [FileState::Done, FileState::Superseded]);
    assert_once(&practice, [2, 3]);
}

#[test]
fn a_file_belongs_to_the_feed_of_its_folder_or_to_the_one_whose_pattern_it_fits() {
    let practice = practice(CHANGES);
    let doc = drop_and_settle(&practice, "patients/anything", file([row(1)]).as_bytes());
    assert_eq!((doc.state, &*doc.feed), (FileState::Done, "patients"));
    let doc = drop_and_settle(&practice, "anything", file([row(2)]).as_bytes());
    assert_eq!((doc.state, &*doc.cause.unwrap().code), (FileState::Refused, "file.no_feed"));
    assert_once(&practice, [1]);
}

#[test]
fn a_paused_connections_file_waits_and_a_refused_one_can_be_read_again() {
    let practice = practice(CHANGES);
    let source = source();
    block_on(practice.bridge.set_paused(&source, true, actor())).unwrap();
    practice.bridge.forget_configuration();
    practice.drop_file("a.csv", file([row(1)]).as_bytes());
    practice.work(bridge_pipeline::ports::QueueName::Drops);
    assert_eq!(newest(&practice).state, FileState::Waiting);
    block_on(practice.bridge.set_paused(&source, false, actor())).unwrap();
    practice.bridge.forget_configuration();
    practice.settle();
    assert_once(&practice, [1]);

    let doc = drop_and_settle(&practice, "b.csv", b"Chart,Nom\n2,x\n");
    assert_eq!((doc.state, &*doc.cause.unwrap().code), (FileState::Refused, "file.columns"));
    let mut repaired = Practice::source();
    with_feed(&mut repaired, &CHANGES.replace("{name: name,", "{name: name, from: [Nom],"));
    block_on(practice.bridge.apply_connection(repaired, actor())).unwrap();
    practice.bridge.forget_configuration();
    assert!(block_on(practice.bridge.retry_file(&source, &doc.file)).unwrap());
    practice.settle();
    assert_eq!((newest(&practice).state, newest(&practice).progress.sent), (FileState::Done, 1));
    assert!(!block_on(practice.bridge.retry_file(&source, &doc.file)).unwrap(), "it is done");
}

#[test]
fn messages_of_a_batch_go_through_the_sites_own_door() {
    let mut source = Practice::source();
    let feed = "{keys: '*.hl7', file: {format: hl7-batch}}";
    source.feeds.insert("adt".to_owned(), serde_norway::from_str(feed).unwrap());
    source.hl7v2 = Some(Box::new(
        serde_norway::from_str("authorities: {P: 'urn:sim:patient', T: 'urn:sim:tag'}").unwrap(),
    ));
    source.allow_ips = serde_norway::from_str("[192.0.2.0/24]").unwrap();
    let practice = Practice::with_source(source);
    let message = |id: &str, event: &str| {
        format!(
            "MSH|^~\\&|SIM||||20230101||{event}|{id}|P|2.5.1\rPID|1||{id}^^^P^MR~t-{id}^^^T^PI||Quillon^Tilda\r"
        )
    };
    let batch = format!(
        "BHS|^~\\&\r{}{}{}BTS|3\r",
        message("1", "ADT^A08"),
        message("2", "ZZZ^Z99"),
        message("3", "ADT^A08")
    );
    let doc = drop_and_settle(&practice, "a.hl7", batch.as_bytes());
    assert_eq!(
        (doc.state, doc.progress.sent, doc.progress.bad()),
        (FileState::Done, 2, 1),
        "{:?}",
        doc.cause
    );
    assert_eq!(practice.delivered().len(), 2);
    let lines = block_on(practice.bridge.quarantine(&doc)).unwrap();
    assert!(lines.contains("\"row\":2") && !lines.contains("Quillon"), "{lines}");
}
