//! What stands in a file, what is left out of it, and what it can't say.

use bridge_pipeline::export::RunState;
use bridge_testkit::memory::lock;
use futures::executor::block_on;

use crate::fixtures::*;

const EARLY: &str = "2026-06-01T12:00:00Z";
const NEXT: &str = "2026-06-02T12:00:00Z";

fn ready(export: &str) -> bridge_testkit::practice::Practice {
    let practice = practice(export, "America/Chicago");
    begin(&practice, EARLY);
    practice
}

#[test]
fn a_file_has_what_changed_since_the_last_one_as_it_is_now() {
    let practice = ready(NIGHTLY);
    change(&practice, 1, "a");
    change(&practice, 2, "a");
    change(&practice, 1, "b");
    pass(&practice, NEXT, 60);
    change(&practice, 2, "c");
    pass(&practice, "2026-06-03T12:00:00Z", 60);
    pass(&practice, "2026-06-04T12:00:00Z", 60);
    let files = files(&practice);
    assert_eq!(files.len(), 2, "a night without changes has no file");
    let mut first: Vec<&str> = files[0].1.lines().collect();
    first[1..].sort_unstable();
    assert_eq!(first, ["Chart No,tag", "1,b", "2,a"]);
    assert_eq!(files[1].1, "Chart No,tag\r\n2,c\r\n");
    let states: Vec<RunState> = runs(&practice).iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Closed; 3]);
    assert_whole(&practice);
}

#[test]
fn a_night_without_changes_has_a_file_where_the_receiver_wants_one() {
    let practice = ready(&(NIGHTLY.to_owned() + "when-empty: write\n"));
    pass(&practice, NEXT, 60);
    assert_eq!(files(&practice)[0].1, "Chart No,tag\r\n");
    let practice = ready(
        &(NIGHTLY.replace("format: csv", "format: ndjson") + "when-empty: write\n")
            .replace("columns: [{name: chart, header: Chart No}, {name: tag}]", ""),
    );
    pass(&practice, NEXT, 60);
    assert_eq!(files(&practice)[0].1, "");
    assert_whole(&practice);
}

#[test]
fn what_is_not_wanted_stays_out_until_it_changes() {
    let practice =
        ready(&(NIGHTLY.to_owned() + "where: identifier[system='urn:sim:tag'].value != 'private'\n"));
    change(&practice, 1, "private");
    change(&practice, 2, "a");
    pass(&practice, NEXT, 60);
    change(&practice, 1, "b");
    pass(&practice, "2026-06-03T12:00:00Z", 60);
    assert_eq!(sent(&practice).into_keys().collect::<Vec<_>>(), ["1,b", "2,a"]);
    assert_eq!(runs(&practice)[0].counts.left_out, 1);
}

#[test]
fn what_a_file_cannot_say_is_set_aside_by_place_and_the_rest_goes_out() {
    let practice = ready(&NIGHTLY.replace("format: csv", "format: csv, charset: windows-1252"));
    change(&practice, 1, "Wałęsa");
    change(&practice, 2, "a");
    pass(&practice, NEXT, 60);
    assert_eq!(sent(&practice).into_keys().collect::<Vec<_>>(), ["2,a"]);
    let problems = block_on(practice.bridge.export_problems(&source(), "nightly")).unwrap();
    assert_eq!(problems.len(), 1);
    let cause = problems[0].cause.to_string();
    assert!(cause.starts_with("export.unwritable at tag: a character is not in windows-1252"), "{cause}");
    // It does not come back by itself,
    pass(&practice, "2026-06-03T12:00:00Z", 60);
    assert_eq!(runs(&practice)[1].counts.resources, 0);
    // but when it is asked for, once something was done about it, or when it changes.
    apply(&practice, |source| {
        source.exports.get_mut("nightly").unwrap().file.charset = bridge_core::feed::Charset::Utf8;
    });
    assert_eq!(block_on(practice.bridge.retry_export(&source(), "nightly", None)).unwrap(), 1);
    pass(&practice, "2026-06-04T12:00:00Z", 60);
    assert_eq!(files(&practice)[1].1, "Chart No,tag\r\n1,Wałęsa\r\n");
    assert_eq!(block_on(practice.bridge.export_problems(&source(), "nightly")).unwrap(), []);
}

#[test]
fn a_resource_that_was_set_aside_and_is_right_now_is_no_problem_any_more() {
    let practice = ready(&NIGHTLY.replace("format: csv", "format: csv, charset: windows-1252"));
    change(&practice, 1, "Wałęsa");
    pass(&practice, NEXT, 60);
    change(&practice, 1, "Walesa");
    pass(&practice, "2026-06-03T12:00:00Z", 60);
    assert_eq!(sent(&practice).into_keys().collect::<Vec<_>>(), ["1,Walesa"]);
    assert_eq!(block_on(practice.bridge.export_problems(&source(), "nightly")).unwrap(), []);
}

#[test]
fn an_export_that_cannot_be_written_waits_for_its_correction() {
    let practice = ready(&NIGHTLY.replace("mapping: out", "mapping: nowhere"));
    change(&practice, 1, "a");
    pass(&practice, NEXT, 60);
    assert_eq!(files(&practice), []);
    let doc = &block_on(practice.bridge.exports(&source().tenant(), None)).unwrap()[0];
    assert_eq!(doc.cause.as_ref().unwrap().code, "mapping.missing");
    assert!(doc.failures > 1);
    apply(&practice, |source| source.exports.get_mut("nightly").unwrap().mapping = "out".to_owned());
    tick(&practice);
    assert_eq!(sent(&practice).into_keys().collect::<Vec<_>>(), ["1,a"]);
}

#[test]
fn run_now_is_a_run_of_its_own_and_a_preview_takes_nothing() {
    let practice = ready(NIGHTLY);
    change(&practice, 1, "a");
    let preview =
        block_on(practice.bridge.preview_export(&source(), "nightly", 10)).unwrap().unwrap().unwrap();
    assert_eq!(preview.file.expose(), b"Chart No,tag\r\n1,a\r\n");
    assert_eq!((preview.changed, preview.looked, preview.records), (1, 1, 1));
    assert!(!format!("{preview:?}").contains("1,a"));
    assert!(block_on(practice.bridge.export_now(&source(), "nightly")).unwrap());
    while practice.work(bridge_pipeline::ports::QueueName::Exports) {}
    assert_eq!(sent(&practice).into_keys().collect::<Vec<_>>(), ["1,a"]);
    assert!(!block_on(practice.bridge.export_now(&source(), "daily")).unwrap());
    pass(&practice, NEXT, 60);
    assert_eq!(runs(&practice).len(), 2);
}

#[test]
fn nothing_of_a_patient_stands_in_clear_beside_the_file() {
    let practice = ready(&NIGHTLY.replace("format: csv", "format: csv, charset: windows-1252"));
    change(&practice, 1, "MARKER-ę");
    change(&practice, 2, "MARKER-b");
    pass(&practice, NEXT, 60);
    let world = lock(&practice.world);
    for record in world.tables.iter() {
        assert!(!format!("{:?} {}", record.key, record.doc).contains("MARKER"), "{:?}", record.key);
    }
    for key in world.files.keys("") {
        let is_file = key.starts_with("outbox/") && !key.ends_with(".json");
        let text = String::from_utf8_lossy(world.files.get(key).unwrap()).into_owned();
        assert_eq!(text.contains("MARKER"), is_file, "{key}");
    }
}
