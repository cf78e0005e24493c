//! What a destination in trouble does to itself and to others, in virtual time: ratios, the same on every machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use bridge_testkit::{
    load::{Load, OTHER},
    memory::lock,
    sim::DESTINATION,
};

const GAP_MS: i64 = 500;
const PATIENTS: usize = 40;
const WORKERS: u64 = 2;

/// One destination hangs from 60 s to 300 s.
fn outage(forgets: Option<&'static str>) -> Load {
    let mut load = Load::new(WORKERS, forgets);
    load.run(60.0, GAP_MS, PATIENTS);
    load.set_down(OTHER, Some(10_000));
    load.run(300.0, GAP_MS, PATIENTS);
    load
}

/// The most calls to the dead endpoint in any minute, once the breaker has had a minute and a half to open.
fn most_in_a_minute(load: &Load) -> usize {
    (150..240).map(|from| load.calls(OTHER, f64::from(from), f64::from(from + 60))).max().unwrap_or(0)
}

#[test]
fn a_dead_endpoint_is_probed_and_its_neighbour_does_not_notice() {
    let mut calm = Load::new(WORKERS, None);
    calm.run(300.0, GAP_MS, PATIENTS);
    let mut load = outage(None);
    let share = |load: &Load| {
        load.delivered(DESTINATION, 60.0, 300.0) as f64 / calm.delivered(DESTINATION, 60.0, 300.0) as f64
    };
    // The same within the one run: what it takes a second during the outage, and before.
    let before = load.delivered(DESTINATION, 0.0, 60.0) as f64 / 60.0;
    let meanwhile = load.delivered(DESTINATION, 60.0, 300.0) as f64 / 240.0 / before;
    println!(
        "healthy neighbour: {:.3} of its throughput, {meanwhile:.3} of what it had before; dead endpoint: at most {} calls \
         a minute",
        share(&load),
        most_in_a_minute(&load)
    );
    assert!(share(&load) >= 0.95 && meanwhile >= 0.95);
    // The shortest time between two probes is ten seconds.
    assert!(most_in_a_minute(&load) <= 6);

    // Its probes have become rare by now: the longest time between two is 160 s.
    load.set_down(OTHER, None);
    let mut closed_after = None;
    for second in 301..520 {
        load.run(f64::from(second), if second < 480 { GAP_MS } else { 0 }, PATIENTS);
        if load.endpoint(OTHER).breaker.state.word() == "closed" {
            closed_after = Some(second - 300);
            break;
        }
    }
    println!("closed {closed_after:?} s after its return");
    assert!(closed_after.is_some_and(|seconds| seconds <= 160 + 15));

    // A breaker that nobody remembers keeps neither promise.
    let broken = outage(Some("endpoint"));
    println!("without breaker: {:.3}, {} calls", share(&broken), most_in_a_minute(&broken));
    assert!(share(&broken) < 0.95 || most_in_a_minute(&broken) > 6);
}

/// The 99th of a hundred, in milliseconds.
fn p99(ages: &[i64]) -> i64 {
    ages.get(ages.len().saturating_sub(1) * 99 / 100).copied().unwrap_or(i64::MAX)
}

#[test]
fn a_thousand_parked_deliveries_go_out_in_order_beside_live_work() {
    const PARKED: usize = 1000;
    let mut load = Load::new(2 * WORKERS, None);
    load.run(60.0, GAP_MS, PATIENTS);
    // A pause, and its end, are seen by every process after half a minute.
    load.pause(OTHER, true);
    load.run(95.0, 0, PATIENTS);
    load.pile_up(PARKED, 50);
    load.run(140.0, 0, PATIENTS);
    load.pause(OTHER, false);
    load.run(175.0, 0, PATIENTS);
    let (parked, before) = (load.parked(), load.posted());
    let lanes = load.release_parked(OTHER, 20);
    // Live work is about other patients: in the released lanes it would wait behind what was parked.
    load.run_with(300.0, GAP_MS, |number| format!("live-{}", number % PATIENTS));
    let calm = p99(&load.ages(DESTINATION, 0.0, 60.0));
    let live = p99(&load.ages_since(DESTINATION, before));
    // Where the replay goes, too.
    let (calm_there, live_there) = (p99(&load.ages(OTHER, 0.0, 60.0)), p99(&load.ages_since(OTHER, before)));
    println!(
        "{lanes} lanes, live p99 {live} ms, calm {calm} ms; at the replay's destination {live_there} ms, calm {calm_there} \
         ms; {} left",
        load.parked()
    );
    assert_eq!((parked, lanes, load.parked()), (PARKED, 50, 0));
    assert!(live < 2 * calm, "live p99 {live} ms, {calm} ms without the replay");
    assert!(live_there < 2 * calm_there, "live p99 {live_there} ms, {calm_there} ms without the replay");
    load.assert_in_order(OTHER);
    load.assert_in_order(DESTINATION);
}

/// Retries that were made of 600 deliveries at least, and how many there may be, where two of five calls fail.
fn retries(forgets: Option<&'static str>) -> (usize, f64) {
    const SECONDS: f64 = 200.0;
    let mut load = Load::new(16, forgets);
    lock(&load.practice.world).receiver.fail = 0.4;
    load.run(60.0, 100, 200);
    load.run(SECONDS, 0, 200);
    let answers = load.delivered(DESTINATION, 0.0, SECONDS) as f64;
    let retries = load.calls(DESTINATION, 0.0, SECONDS).saturating_sub(load.posted());
    // What a destination begins with, what comes by itself, and half of the answers.
    (retries, 10.0 + 0.1 * SECONDS + 0.5 * answers)
}

#[test]
fn all_processes_share_a_destinations_retry_budget() {
    let (made, allowed) = retries(None);
    println!("{made} retries where {allowed} are allowed");
    assert!(made as f64 <= allowed && made > 100);
    let (made, allowed) = retries(Some("retries"));
    println!("{made} retries where {allowed} are allowed, and nobody knows of the others'");
    assert!(made as f64 > allowed, "a budget of each process's own is not noticed");
}
