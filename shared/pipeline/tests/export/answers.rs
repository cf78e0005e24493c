//! The receiver's answers: matched row by row, told, set aside, and sent again when somebody says so.

use bridge_pipeline::{
    export::{Answers, RunState},
    files::FileState,
};
use bridge_testkit::practice::Practice;
use futures::executor::block_on;

use crate::fixtures::*;

const ASKS: &str = r#"
result: {feed: answers, key: chart, row-key: Chart, status: Outcome, accepted: [OK], rejected: [ERR, DUP]}
"#;

fn asked() -> Practice {
    let practice = practice(&(NIGHTLY.to_owned() + ASKS), "America/Chicago");
    begin(&practice, "2026-06-01T12:00:00Z");
    (1..=4).for_each(|chart| change(&practice, chart, "a"));
    pass(&practice, "2026-06-02T12:00:00Z", 60);
    assert_eq!(runs(&practice)[0].state, RunState::Waiting);
    practice
}

fn answer(practice: &Practice, name: &str, rows: &str) -> bridge_pipeline::files::FileDoc {
    practice.drop_file(name, format!("Chart,Outcome\n{rows}").as_bytes());
    practice.settle();
    practice.files().remove(0)
}

fn set_aside(practice: &Practice) -> Vec<String> {
    let problems = block_on(practice.bridge.export_problems(&source(), "nightly")).unwrap();
    problems.iter().map(|problem| problem.cause.code.clone()).collect()
}

#[test]
fn a_run_is_closed_when_all_of_it_is_answered_for() {
    let practice = asked();
    let file = answer(&practice, "answers-1.csv", "1,OK\n2,ERR\n");
    assert_eq!((file.state, file.progress.sent), (FileState::Done, 2));
    let run = &runs(&practice)[0];
    assert_eq!(run.state, RunState::Waiting);
    assert_eq!(run.answers, Some(Answers { accepted: 1, rejected: 1, unanswered: 2 }));
    answer(&practice, "answers-2.csv", "3,OK\n4,DUP\n");
    let run = &runs(&practice)[0];
    assert_eq!(run.state, RunState::Closed);
    assert_eq!(run.answers, Some(Answers { accepted: 2, rejected: 2, unanswered: 0 }));
    assert_eq!(set_aside(&practice), ["export.rejected", "export.rejected"]);
    let told = written(&practice, &format!("{}.result.json", run.object.as_deref().unwrap()));
    assert!(told.contains(r#""rejected":2"#), "{told}");
}

#[test]
fn what_was_rejected_is_sent_again_when_it_is_asked_for_and_not_before() {
    let practice = asked();
    answer(&practice, "answers-1.csv", "1,OK\n2,ERR\n3,OK\n4,OK\n");
    pass(&practice, "2026-06-03T12:00:00Z", 60);
    assert_eq!(files(&practice).len(), 1);
    let run = runs(&practice)[0].run.clone();
    assert_eq!(block_on(practice.bridge.retry_export(&source(), "nightly", Some(&run))).unwrap(), 1);
    assert_eq!(set_aside(&practice), Vec::<String>::new());
    pass(&practice, "2026-06-04T12:00:00Z", 60);
    assert_eq!(files(&practice)[1].1, "Chart No,tag\r\n2,a\r\n");
    answer(&practice, "answers-2.csv", "2,OK\n");
    assert_eq!(runs(&practice).last().unwrap().state, RunState::Closed);
}

#[test]
fn what_was_not_answered_for_is_sent_again_when_nobody_waits_any_longer() {
    let practice = asked();
    answer(&practice, "answers-1.csv", "1,OK\n2,OK\n3,OK\n");
    let run = runs(&practice)[0].run.clone();
    assert_eq!(block_on(practice.bridge.resend_unanswered(&source(), &run)).unwrap(), Some(1));
    assert_eq!(block_on(practice.bridge.resend_unanswered(&source(), &run)).unwrap(), None);
    assert_eq!(runs(&practice)[0].state, RunState::Closed);
    pass(&practice, "2026-06-03T12:00:00Z", 60);
    assert_eq!(files(&practice)[1].1, "Chart No,tag\r\n4,a\r\n");
}

#[test]
fn an_answer_belongs_to_the_oldest_run_that_waits_for_it() {
    let practice = asked();
    change(&practice, 1, "b");
    pass(&practice, "2026-06-03T12:00:00Z", 60);
    answer(&practice, "answers-1.csv", "1,ERR\n2,OK\n3,OK\n4,OK\n");
    let states: Vec<RunState> = runs(&practice).iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Closed, RunState::Waiting]);
    answer(&practice, "answers-2.csv", "1,OK\n");
    assert_eq!(runs(&practice)[1].state, RunState::Closed);
    assert_eq!(runs(&practice)[1].answers, Some(Answers { accepted: 1, rejected: 0, unanswered: 0 }));
}

#[test]
fn rows_that_answer_for_nothing_are_set_aside_by_line_and_reason() {
    let practice = asked();
    let file = answer(&practice, "answers-1.csv", "1,OK\n9,OK\n2,MAYBE\n,OK\n1,OK\n");
    assert_eq!((file.progress.sent, file.progress.bad()), (1, 4));
    let quarantine = block_on(practice.bridge.quarantine(&file)).unwrap();
    for reason in ["has a record of this name", "neither in `result.accepted`", "names no record"] {
        assert!(quarantine.contains(reason), "{quarantine}");
    }
    assert!(!quarantine.contains("MAYBE"));
    assert_eq!(runs(&practice)[0].answers, Some(Answers { accepted: 1, rejected: 0, unanswered: 3 }));
}
