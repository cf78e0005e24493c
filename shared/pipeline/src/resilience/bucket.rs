//! One shard of a rate limit as a value: how many calls of a period are spoken for, and whose turn it is.
//!
//! A period is cut into slices and calls are counted by slice, so that no span as long as the period ever has more
//! calls than allowed, wherever it begins. That costs a slice's share: 12 of 13 calls are used at best. A limit that
//! the remote resets on the clock (each hour, each day) has one slice as long as the period, and loses nothing.
//!
//! Who finds nothing gets a turn: a time to come back at, one after the other. Who comes for the first time goes
//! behind those who wait; who comes back and finds nothing again waits for what becomes free next.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{Timestamp, manifest::Limit};
use serde::{Deserialize, Serialize};

/// Slices of a period.
const SLICES: i64 = 12;
/// One record takes this many calls a second; a limit above it is cut into shards.
const CALLS_PER_SHARD: u32 = 50;
/// More shards than this are more to look through than they are worth.
const MOST_SHARDS: u32 = 16;
/// Tokens that one process takes at a time: what it does not use is lost to the others.
const LARGEST_LEASE: u32 = 10;

/// A limit, as one of its shards has to keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Calls in a period.
    calls: u32,
    /// The period, in milliseconds.
    period: i64,
    /// The length of a slice, in milliseconds.
    slice: i64,
    /// How many slices before this one a call counts against.
    reach: i64,
    /// What is leased at a time.
    lease: u32,
}

/// How many records keep a limit.
pub fn shards(limit: &Limit) -> u32 {
    (limit.calls / limit.seconds.max(1)).div_ceil(CALLS_PER_SHARD).clamp(1, MOST_SHARDS)
}

impl Share {
    /// What shard number `shard` keeps of a limit.
    pub fn of(limit: &Limit, shard: u32) -> Self {
        let shards = shards(limit);
        let calls = limit.calls / shards + u32::from(shard < limit.calls % shards);
        let period = i64::from(limit.seconds.max(1)) * 1000;
        let (slice, reach) = if limit.on_the_clock { (period, 0) } else { (period / SLICES, SLICES) };
        // A second's worth; of short periods no more than belongs to a slice.
        let a_second = limit.calls / shards / limit.seconds.max(1);
        let lease = a_second.min(calls / SLICES as u32).clamp(1, LARGEST_LEASE);
        Self { calls, period, slice, reach, lease }
    }

    /// The time from one call to the next, when all are spread evenly.
    fn between(&self) -> Duration {
        let period = self.slice * (self.reach + 1);
        Duration::from_millis(period as u64) / self.calls.max(1)
    }
}

/// Calls that may be made until `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How many.
    pub calls: u32,
    /// The end of the slice in which they are counted.
    pub until: Timestamp,
}

/// What is known of one shard.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// Calls by number of slice since 1970.
    #[serde(default)]
    taken: BTreeMap<i64, u32>,
    /// The last turn that was given to somebody new.
    #[serde(default)]
    turn: Timestamp,
}

impl Bucket {
    /// Takes what is free, or gives a turn. `first` says that the asker has not waited for a turn before.
    ///
    /// # Errors
    /// With the time to come back at.
    pub fn take(&mut self, share: &Share, now: Timestamp, first: bool) -> Result<Lease, Timestamp> {
        let slice = now.as_millis().div_euclid(share.slice);
        self.taken.retain(|at, _| *at >= slice - share.reach);
        let taken = self.taken.values().sum::<u32>();
        let free = share.calls.saturating_sub(taken);
        let others_wait = first && self.turn > now;
        if free > 0 && !others_wait {
            let calls = free.min(share.lease);
            *self.taken.entry(slice).or_default() += calls;
            return Ok(Lease { calls, until: Timestamp::from_millis((slice + 1) * share.slice) });
        }
        let oldest = self.taken.keys().next().copied().unwrap_or(slice);
        let free_at =
            if free > 0 { now } else { Timestamp::from_millis((oldest + share.reach + 1) * share.slice) };
        if !first {
            return Err(free_at.max(now));
        }
        self.turn = free_at.max(self.turn + share.between()).max(now);
        Err(self.turn)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn limit(calls: u32, seconds: u32, on_the_clock: bool) -> Limit {
        Limit { calls, seconds, on_the_clock }
    }

    /// Askers that always want more, each coming back when it is told to, on one shard; the times of their calls.
    fn calls_under_load(limit: &Limit, askers: usize, seconds: i64) -> Vec<i64> {
        let share = Share::of(limit, 0);
        let mut bucket = Bucket::default();
        let start = 1_700_000_000_000;
        let mut wakes: Vec<(i64, bool)> = (0..askers as i64).map(|n| (start + n * 7, true)).collect();
        let mut calls = Vec::new();
        loop {
            wakes.sort_unstable();
            let (now, first) = wakes.remove(0);
            if now > start + seconds * 1000 {
                return calls;
            }
            match bucket.take(&share, Timestamp::from_millis(now), first) {
                Ok(lease) => {
                    calls.extend((0..lease.calls).map(|_| now));
                    wakes.push((now + 20, true));
                }
                // Somewhat late, as everything is.
                Err(until) => wakes.push((until.as_millis() + 15, false)),
            }
        }
    }

    #[test]
    fn no_span_of_a_period_has_more_calls_than_allowed_and_nearly_all_are_used() {
        for (calls, seconds) in [(1, 1), (10, 1), (1, 5), (200, 60), (60, 60), (1000, 60), (50, 1)] {
            let limit = limit(calls, seconds, false);
            let made = calls_under_load(&limit, 30, 1200);
            let period = i64::from(seconds) * 1000;
            for (at, begin) in made.iter().enumerate() {
                let within = made[at..].iter().take_while(|call| **call < begin + period).count();
                assert!(within <= calls as usize, "{within} calls in {seconds} s where {calls} are allowed");
            }
            let used = made.len() as f64 / (1200.0 / f64::from(seconds) * f64::from(calls));
            assert!(used >= 0.9, "{used} of {calls} in {seconds} s");
        }
    }

    #[test]
    fn a_limit_on_the_clock_is_used_up_and_begins_anew() {
        let made = calls_under_load(&limit(500, 3600, true), 30, 4 * 3600);
        let mut hours: BTreeMap<i64, usize> = BTreeMap::new();
        made.iter().for_each(|at| *hours.entry(at / 3_600_000).or_default() += 1);
        assert!(hours.values().all(|calls| *calls <= 500), "{hours:?}");
        assert!(hours.values().filter(|calls| **calls == 500).count() >= 3, "{hours:?}");
    }

    #[test]
    fn who_waits_comes_before_who_is_new() {
        let (share, mut bucket) = (Share::of(&limit(1, 10, false), 0), Bucket::default());
        let at = |seconds: i64| Timestamp::from_millis(1_700_000_000_000 + seconds * 1000);
        bucket.take(&share, at(0), true).unwrap();
        let turn = bucket.take(&share, at(1), true).unwrap_err();
        let behind = bucket.take(&share, at(2), true).unwrap_err();
        assert!(behind > turn && behind.since(turn) <= Duration::from_secs(11));
        let new = bucket.take(&share, turn, true);
        assert!(new.is_err_and(|until| until > behind), "a new one goes behind");
        assert!(bucket.take(&share, turn, false).is_ok());
    }

    #[test]
    fn a_high_limit_is_cut_into_shards_that_add_up() {
        for calls in [1, 49, 50, 51, 101, 999, 5000] {
            let limit = limit(calls, 1, false);
            let sum: u32 = (0..shards(&limit)).map(|shard| Share::of(&limit, shard).calls).sum();
            assert_eq!(sum, calls);
        }
        assert_eq!(
            (shards(&limit(50, 1, false)), shards(&limit(51, 1, false)), shards(&limit(1000, 60, false))),
            (1, 2, 1)
        );
    }
}
