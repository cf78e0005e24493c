//! What a destination in trouble does to itself and to others, in virtual time: ratios, the same on every machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use bridge_testkit::{
    load::{Load, OTHER},
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
    println!(
        "healthy neighbour: {:.3} of its throughput; dead endpoint: at most {} calls a minute",
        share(&load),
        most_in_a_minute(&load)
    );
    assert!(share(&load) >= 0.95);
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
