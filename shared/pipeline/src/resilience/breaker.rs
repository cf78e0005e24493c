//! A circuit breaker as a value: what it answers at a time, and what it becomes by what it is told.
//!
//! ```text
//!            half of the calls of a window failed
//!   Closed ─────────────────────────────────────▶ Open { until }
//!     ▲                                            │    ▲
//!     │ CLOSES_AFTER probes succeeded       elected│    │ the probe failed: a longer time
//!     └───────────────────────────────────── Probing { lease } ── it succeeded: Open, due at once
//! ```
//!
//! It is shared by all processes as one document and changed by compare-and-set, so that of all who ask for the
//! probe one gets it. A probe whose process died is given to the next one when its lease is over.

use std::time::Duration;

use bridge_core::Timestamp;
use serde::{Deserialize, Serialize};

/// Half of the window: a rate is over the last one to two of these.
pub(super) const HALF_WINDOW: Duration = Duration::from_secs(30);
/// Fewer calls than this in a window say nothing.
const FEWEST_CALLS: u32 = 5;
/// The first failure in a window is told at once, successes come with the next look of every other process. No
/// sooner than that is the rate a rate.
const HEARD: Duration = Duration::from_secs(6);
/// How long it stays open the first time; doubles each time after.
const FIRST_OPEN: Duration = Duration::from_secs(10);
const LONGEST_OPEN: Duration = Duration::from_mins(5);
/// A breaker that trips within this of its closing was closed too early: its next time is longer still.
const CALM: Duration = Duration::from_mins(10);
/// Probes in a row that must succeed.
const CLOSES_AFTER: u32 = 3;

/// Calls and how many of them failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Calls that showed the endpoint at work: delivered, or rejected for what they carried.
    pub good: u32,
    /// Calls that it failed, or did not answer.
    pub bad: u32,
}

impl Counts {
    const fn plus(self, other: Self) -> Self {
        Self { good: self.good.saturating_add(other.good), bad: self.bad.saturating_add(other.bad) }
    }
}

/// Where a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Calls go through.
    Closed {
        /// Since when.
        since: Timestamp,
    },
    /// Calls wait. From `until` on one of them may probe.
    Open {
        /// When it left `Closed`.
        since: Timestamp,
        /// When the next probe is due.
        until: Timestamp,
        /// Probes in a row that succeeded.
        passed: u32,
    },
    /// One call probes, the others wait.
    Probing {
        /// When it left `Closed`.
        since: Timestamp,
        /// After this the probe is given up.
        lease: Timestamp,
        /// Probes in a row that succeeded before this one.
        passed: u32,
    },
}

impl State {
    /// One word, for events.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed { .. } => "closed",
            Self::Open { .. } => "open",
            Self::Probing { .. } => "probing",
        }
    }
}

/// What a breaker answers to who wants to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go ahead.
    Go,
    /// A probe is due: go ahead if you are elected.
    Probe,
    /// Not before this.
    Wait(Timestamp),
}

/// How the calls of a window went: this half of it and the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    start: Timestamp,
    current: Counts,
    previous: Counts,
    /// Since when there have been failures in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suspected: Option<Timestamp>,
}

impl Window {
    const fn total(&self) -> Counts {
        self.current.plus(self.previous)
    }

    fn add(&mut self, now: Timestamp, counts: Counts) {
        let age = now.since(self.start);
        if age >= HALF_WINDOW * 2 {
            *self = Self { start: now, suspected: None, ..Self::default() };
        } else if age >= HALF_WINDOW {
            *self = Self { start: self.start + HALF_WINDOW, previous: self.current, ..*self };
            self.current = Counts::default();
        }
        self.current = self.current.plus(counts);
        self.suspected = if self.total().bad == 0 { None } else { self.suspected.or(Some(now)) };
    }

    fn is_failing(&self, now: Timestamp) -> bool {
        let Counts { good, bad } = self.total();
        let heard = self.suspected.is_some_and(|since| now.since(since) >= HEARD);
        heard && good.saturating_add(bad) >= FEWEST_CALLS && bad >= good
    }
}

/// A breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breaker {
    /// Where it stands.
    pub state: State,
    /// How often it has opened without a calm time between.
    #[serde(default)]
    opened: u32,
    #[serde(default)]
    window: Window,
}

impl Default for Breaker {
    fn default() -> Self {
        let since = Timestamp::default();
        Self { state: State::Closed { since }, opened: 0, window: Window::default() }
    }
}

impl Breaker {
    /// What to do with a call at `now`.
    pub fn ask(&self, now: Timestamp) -> Answer {
        match self.state {
            State::Closed { .. } => Answer::Go,
            State::Open { until: wait, .. } | State::Probing { lease: wait, .. } if wait > now => {
                Answer::Wait(wait)
            }
            State::Open { .. } | State::Probing { .. } => Answer::Probe,
        }
    }

    /// Whether there were failures of late, so that everybody's successes are of interest, too.
    pub fn is_suspicious(&self, now: Timestamp) -> bool {
        let fresh = now.since(self.window.start) < HALF_WINDOW * 2;
        matches!(self.state, State::Closed { .. }) && fresh && self.window.suspected.is_some()
    }

    /// Gives the probe that is due to who asks, until `lease`.
    pub const fn elect(&mut self, lease: Timestamp) {
        if let State::Open { since, passed, .. } | State::Probing { since, passed, .. } = self.state {
            self.state = State::Probing { since, lease, passed };
        }
    }

    /// The probe came to something; `None` when it was not made after all.
    pub fn probed(&mut self, now: Timestamp, good: Option<bool>) {
        let State::Probing { since, passed, .. } = self.state else { return };
        match good {
            None => self.state = State::Open { since, until: now, passed },
            Some(true) if passed + 1 >= CLOSES_AFTER => {
                self.state = State::Closed { since: now };
                self.window = Window::default();
            }
            Some(true) => self.state = State::Open { since, until: now, passed: passed + 1 },
            Some(false) => self.open(since, now),
        }
    }

    /// Calls were made while it was closed. What comes in later says nothing new.
    pub fn count(&mut self, now: Timestamp, counts: Counts) {
        let State::Closed { since } = self.state else { return };
        self.window.add(now, counts);
        if self.window.is_failing(now) {
            if now.since(since) > CALM {
                self.opened = 0;
            }
            self.open(now, now);
        }
    }

    fn open(&mut self, since: Timestamp, now: Timestamp) {
        let time = FIRST_OPEN.saturating_mul(1 << self.opened.min(10)).min(LONGEST_OPEN);
        self.opened = self.opened.saturating_add(1);
        self.state = State::Open { since, until: now + time, passed: 0 };
        self.window = Window::default();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
    }

    const fn bad(bad: u32) -> Counts {
        Counts { good: 0, bad }
    }

    /// Open since `at(10)`, with the next probe due at `at(20)`.
    fn tripped() -> Breaker {
        let mut breaker = Breaker::default();
        breaker.count(at(0), bad(4));
        breaker.count(at(10), bad(1));
        assert_eq!(breaker.state, State::Open { since: at(10), until: at(20), passed: 0 });
        breaker
    }

    #[test]
    fn it_trips_on_a_rate_that_all_had_time_to_speak_to() {
        tripped();
        let mut early = Breaker::default();
        early.count(at(0), bad(100));
        early.count(at(5), bad(100));
        assert_eq!(early.ask(at(5)), Answer::Go, "others have not been heard");
        let mut healthy = Breaker::default();
        healthy.count(at(0), bad(20));
        healthy.count(at(5), Counts { good: 500, bad: 0 });
        healthy.count(at(10), bad(20));
        assert_eq!(healthy.ask(at(10)), Answer::Go, "one process in trouble is not the endpoint in trouble");
        let mut few = Breaker::default();
        (0..4).for_each(|n| few.count(at(n * 4), bad(1)));
        assert_eq!(few.ask(at(16)), Answer::Go, "four calls say nothing");
        let mut rare = Breaker::default();
        (0..50).for_each(|n| rare.count(at(n * 61), bad(1)));
        assert_eq!(rare.ask(at(50 * 61)), Answer::Go, "what is long ago does not count");
    }

    #[test]
    fn one_probe_at_a_time_and_a_lost_one_is_replaced() {
        let mut breaker = tripped();
        assert_eq!(breaker.ask(at(19)), Answer::Wait(at(20)));
        assert_eq!(breaker.ask(at(20)), Answer::Probe);
        breaker.elect(at(50));
        assert_eq!(breaker.ask(at(49)), Answer::Wait(at(50)));
        assert_eq!(breaker.ask(at(50)), Answer::Probe);
        breaker.elect(at(80));
        breaker.probed(at(60), None);
        assert_eq!(breaker.ask(at(60)), Answer::Probe, "a probe that was not made is due at once");
    }

    #[test]
    fn it_closes_after_three_good_probes_and_opens_longer_each_time() {
        let mut breaker = tripped();
        let mut now = 20;
        for expected in [20, 40, 80, 160, 300, 300] {
            breaker.elect(at(now + 30));
            breaker.probed(at(now), Some(false));
            assert_eq!(breaker.ask(at(now)), Answer::Wait(at(now + expected)));
            now += expected;
        }
        for _ in 0..CLOSES_AFTER {
            assert_eq!(breaker.ask(at(now)), Answer::Probe);
            breaker.elect(at(now + 30));
            breaker.probed(at(now), Some(true));
        }
        assert_eq!(breaker.state, State::Closed { since: at(now) });
        // Again within ten minutes: as long as before. After them: from the start.
        let mut again = breaker;
        again.count(at(now), bad(4));
        again.count(at(now + 10), bad(4));
        assert_eq!(again.ask(at(now + 10)), Answer::Wait(at(now + 310)));
        breaker.count(at(now + 700), bad(4));
        breaker.count(at(now + 710), bad(4));
        assert_eq!(breaker.ask(at(now + 710)), Answer::Wait(at(now + 720)));
    }

    /// Any order of events, times and results.
    #[test]
    fn whatever_happens_it_keeps_its_promises() {
        let mut chance = 1_u64;
        let mut below = |n: u64| {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (chance >> 33) % n
        };
        let (mut opened, mut closed) = (0, 0);
        for _ in 0..2_000 {
            let (mut breaker, mut now, mut passed) = (Breaker::default(), 0, 0);
            let mut probing = None;
            for _ in 0..200 {
                now += i64::try_from(below(12)).unwrap();
                let before = breaker;
                match breaker.ask(at(now)) {
                    Answer::Go => {
                        let counts = Counts {
                            good: u32::try_from(below(3)).unwrap(),
                            bad: u32::try_from(below(4)).unwrap(),
                        };
                        breaker.count(at(now), counts);
                        if let State::Open { until, since, .. } = breaker.state {
                            opened += 1;
                            passed = 0;
                            assert!(since == at(now));
                            assert!(
                                until.since(at(now)) >= FIRST_OPEN && until.since(at(now)) <= LONGEST_OPEN
                            );
                        }
                    }
                    Answer::Probe => {
                        assert!(probing.is_none_or(|lease| lease <= now), "two probes at a time");
                        breaker.elect(at(now + 25));
                        probing = Some(now + 25);
                    }
                    Answer::Wait(until) => {
                        assert!(until > at(now), "a wait that is over");
                        if probing.is_some_and(|lease| lease > now) && below(2) == 0 {
                            probing = None;
                            let good = match below(3) {
                                0 => None,
                                1 => Some(true),
                                _ => Some(false),
                            };
                            breaker.probed(at(now), good);
                            passed = match good {
                                Some(true) => passed + 1,
                                Some(false) => 0,
                                None => passed,
                            };
                        }
                    }
                }
                if matches!(breaker.state, State::Closed { .. })
                    && !matches!(before.state, State::Closed { .. })
                {
                    closed += 1;
                    assert_eq!(passed, CLOSES_AFTER, "closed by anything but probes in a row");
                }
            }
        }
        assert!(opened > 1_000 && closed > 100, "{opened} {closed}");
    }
}
