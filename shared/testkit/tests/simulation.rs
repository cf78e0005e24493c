//! Seeds of the simulation. `SIM_SEEDS` says how many, `SIM_FIRST` where to begin.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use bridge_testkit::sim::{Coverage, Flaw, simulate};

fn number(name: &str, default: u64) -> u64 {
    #[expect(clippy::disallowed_methods, reason = "how long to simulate is the caller's choice")]
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn no_seed_breaks_a_promise() {
    let (first, count) = (number("SIM_FIRST", 0), number("SIM_SEEDS", 300));
    if count == 1 {
        // One seed is looked at by somebody: show what happens in it.
        let _ = tracing_subscriber::fmt().with_ansi(false).without_time().with_test_writer().try_init();
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(count as usize);
    let totals: Vec<Coverage> = std::thread::scope(|scope| {
        let run = |thread: usize| {
            scope.spawn(move || run_seeds((first..first + count).skip(thread).step_by(threads)))
        };
        let running: Vec<_> = (0..threads).map(run).collect();
        running.into_iter().map(|thread| thread.join().expect("a broken promise was printed")).collect()
    });
    let mut total = Coverage::default();
    totals.iter().for_each(|part| total.add(part));
    println!("{count} seeds: {total:?}");
    assert!(count < 100 || total.reaches_everything(), "the seeds do not reach everything: {total:?}");
}

fn run_seeds(seeds: impl Iterator<Item = u64>) -> Coverage {
    let mut total = Coverage::default();
    for seed in seeds {
        let run = simulate(seed, None);
        assert!(
            run.violations.is_empty(),
            "seed {seed} broke a promise: {:?}\nsee it again: SIM_FIRST={seed} SIM_SEEDS=1 cargo test -p \
             bridge-testkit --test simulation -- --nocapture\n{:?}",
            run.violations,
            run.coverage
        );
        total.add(&run.coverage);
    }
    total
}

#[test]
fn a_seed_decides_everything() {
    for seed in 0..5 {
        let (a, b) = (simulate(seed, None), simulate(seed, None));
        assert_eq!(format!("{a:?}"), format!("{b:?}"), "seed {seed} is not deterministic");
    }
}

#[test]
fn every_planted_bug_is_found() {
    for flaw in Flaw::ALL {
        let found = (0..5_000).find(|seed| !simulate(*seed, Some(flaw)).violations.is_empty());
        let seed = found.unwrap_or_else(|| panic!("{flaw:?} was not found in 5000 seeds"));
        println!("{flaw:?}: seed {seed}, {:?}", simulate(seed, Some(flaw)).violations);
    }
}
