//! Polls of a product whose records change: every change comes through, once per state, whatever happens to the processes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

#[path = "polling/office.rs"]
mod office;

use office::{KEYED, Office, Plan, STAMPED};

const SINCE: &str = "{operation: since, every: 60, delta: {kind: since, argument: from, overlap: 120}}";
const SINCE_ANSWER: &str = "{operation: since, every: 60, delta: {kind: since, argument: from, overlap: 120, \
    mark: {answer: {header: date}}}}";
const SINCE_RECORD: &str = "{operation: since, every: 60, delta: {kind: since, argument: from, overlap: 120, \
    mark: {record: /changed}}, reconcile: {operation: all, every: 6}}";
const WINDOW: &str =
    "{operation: window, every: 60, delta: {kind: window, from: from, to: to, overlap: 120, longest: 1}}";
const QUEUE: &str = "{operation: queue, every: 60, delta: {kind: queue, again: {from: from, to: to}}}";
const NEWEST: &str = "{operation: newest, every: 60, delta: {kind: newest, changed: /changed, overlap: 120}}";
const WHOLE: &str = "{operation: all, every: 60, delta: {kind: whole}}";

fn number(name: &str, default: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how long to simulate is the caller's choice")]
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Seeds of each kind.
fn seeds() -> u64 {
    number("POLL_SEEDS", 2)
}

fn storms(poll: &'static str, kind: &'static str, stamps: bool) {
    let mut kills = 0;
    for seed in 0..seeds() {
        let mut office = Office::new(&Plan { seed, poll, kind, stamps, page: 7, ..Plan::default() });
        office.storm(300);
        office.settle();
        office.check();
        kills += office.kills;
    }
    assert!(kills > 2 * seeds(), "{kills} kills are no storm");
}

#[test]
fn since_by_our_clock() {
    storms(SINCE, STAMPED, true);
}

#[test]
fn since_by_the_clock_of_the_answer() {
    storms(SINCE_ANSWER, STAMPED, true);
}

#[test]
fn since_by_the_stamps_of_the_records_and_everything_now_and_then() {
    storms(SINCE_RECORD, STAMPED, true);
}

#[test]
fn window_by_window() {
    storms(WINDOW, STAMPED, true);
}

#[test]
fn a_queue_that_is_read_once() {
    storms(QUEUE, KEYED, false);
}

#[test]
fn newest_first() {
    storms(NEWEST, STAMPED, true);
}

#[test]
fn everything_every_time_and_there_and_back_again() {
    storms(WHOLE, "{mapping: record, lane: [/id]}", false);
}

#[test]
fn what_is_gone_is_counted_and_what_did_not_change_is_not_sent_again() {
    let poll = "{operation: since, every: 60, delta: {kind: since, argument: from, overlap: 120}, \
        reconcile: {operation: all, every: 6}}";
    let mut office = Office::new(&Plan { poll, kind: STAMPED, stamps: true, page: 10, ..Plan::default() });
    office.set(0..100, 1);
    office.settle();
    let sent = office.messages();
    assert_eq!(sent, 100);
    (0..7).for_each(|id| office.clinic.book().remove(id));
    office.pass_hours(7);
    office.settle();
    let status = office.status();
    let listing = status.resources[0].1.listing.unwrap();
    assert_eq!((listing.records, listing.gone), (93, 7));
    assert_eq!(office.queued, 100, "a listing of what is known queues nothing");
    // They are gone once.
    office.pass_hours(7);
    office.settle();
    assert_eq!(office.status().resources[0].1.listing.unwrap().gone, 0);
}

#[test]
fn an_overlap_costs_nothing() {
    let mut office =
        Office::new(&Plan { poll: SINCE, kind: STAMPED, stamps: true, page: 10, ..Plan::default() });
    office.set(0..50, 1);
    office.settle();
    for _ in 0..3 {
        office.pass_minutes(1);
        office.settle();
    }
    assert_eq!((office.queued, office.messages()), (50, 50));
}

#[test]
fn a_product_that_limits_calls_is_not_called_more_often() {
    let limits = "[{calls: 10, seconds: 60}]";
    let mut office = Office::new(&Plan {
        poll: SINCE,
        kind: STAMPED,
        stamps: true,
        page: 5,
        limits,
        allows: Some((10, 60_000)),
        ..Plan::default()
    });
    office.set(0..400, 1);
    office.settle();
    office.check();
    let book = office.clinic.book();
    // Clocks that differ by seconds cost a call now and then at the end of a minute.
    assert!(book.refused * 50 <= book.answered, "{} of {} calls refused", book.refused, book.answered);
}

#[test]
fn a_failure_is_seen_in_the_status_and_ends_with_the_next_success() {
    let mut office =
        Office::new(&Plan { poll: SINCE, kind: STAMPED, stamps: true, page: 5, ..Plan::default() });
    office.settle();
    office.revoke();
    office.set(0..10, 1);
    office.pass_hours(1);
    office.work_once();
    let status = office.status();
    let cursor = &status.resources[0].1;
    let cause = cursor.cause.clone().unwrap();
    assert_eq!((cause.code.as_str(), cursor.failures), ("connection.unauthorized", 1));
    assert!(cause.text.contains("needs to be authorised again"));
    office.authorise_again();
    office.settle();
    office.check();
    assert_eq!(office.status().resources[0].1.cause, None);
}

#[test]
fn a_list_that_leads_back_to_itself_is_an_error_and_not_for_ever() {
    let mut office =
        Office::new(&Plan { poll: SINCE, kind: STAMPED, stamps: true, page: 5, ..Plan::default() });
    office.clinic.book().circles = true;
    office.set(0..10, 1);
    office.pass_minutes(1);
    office.work_once();
    assert_eq!(office.status().resources[0].1.cause.clone().unwrap().code, "poll.loop");
    assert!(office.clinic.book().answered < 10);
}
