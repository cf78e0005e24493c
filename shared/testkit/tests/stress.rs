//! What a destination in trouble does to itself and to others, in virtual time: ratios, the same on every machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use bridge_core::manifest::Limit;
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

/// A name, a manifest's words, and so many notes in so many lanes for so many seconds.
type Profile = (&'static str, &'static str, usize, usize, f64);

/// The limits that products are known to have.
const PROFILES: [Profile; 5] = [
    ("one in five seconds", "limits: [{calls: 1, seconds: 5}]", 80, 40, 300.0),
    ("one a second", "limits: [{calls: 1, seconds: 1}]", 350, 60, 300.0),
    ("ten a second", "limits: [{calls: 10, seconds: 1}]", 1300, 200, 100.0),
    ("200 a minute", "limits: [{calls: 200, seconds: 60}]", 1100, 100, 300.0),
    (
        "60 a minute by the clock, ten a second",
        "limits: [{calls: 60, seconds: 60, on-the-clock: true}, {calls: 10, seconds: 1}]",
        500,
        100,
        400.0,
    ),
];

/// A process that waits for a moment does nothing else: a high limit takes some of them.
const PROCESSES: u64 = 16;

/// How much of the allowance was used, and how many of the calls were refused.
fn use_of((_, words, notes, lanes, seconds): Profile, forgets: Option<&'static str>) -> (f64, f64) {
    let limits: Vec<Limit> = serde_norway::from_str(words.strip_prefix("limits: ").unwrap()).unwrap();
    let allowed = |limit: &Limit| f64::from(limit.calls) * seconds / f64::from(limit.seconds);
    let allowed = limits.iter().map(allowed).fold(f64::MAX, f64::min);
    let mut load = Load::limited(words, PROCESSES, forgets);
    load.pile_up(notes, lanes);
    load.run(seconds, 0, lanes);
    let calls = load.calls(DESTINATION, 0.0, seconds) as f64;
    (load.delivered(DESTINATION, 0.0, seconds) as f64 / allowed, load.refused() as f64 / calls)
}

#[test]
fn limits_are_kept_and_nearly_used_up() {
    let mut failed = Vec::new();
    for profile in PROFILES {
        let (used, refused) = use_of(profile, None);
        println!("{}: {used:.3} of the allowance used, {refused:.4} of the calls refused", profile.0);
        if used < 0.9 || refused > 0.01 {
            failed.push(profile.0);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
    let (_, refused) = use_of(PROFILES[3], Some("limit"));
    println!("200 a minute, leases forgotten: {refused:.4} refused");
    assert!(refused > 0.01, "a limit that nobody keeps is not noticed");
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
    println!("{lanes} lanes, live p99 {live} ms, calm {calm} ms, {} left", load.parked());
    assert_eq!((parked, lanes, load.parked()), (PARKED, 50, 0));
    assert!(live < 2 * calm, "live p99 {live} ms, {calm} ms without the replay");
    load.assert_in_order(OTHER);
}
