//! One shard of a rate limit as a value: which calls of a period are spoken for, and whose turn it is.
//!
//! A period is cut into slices, and a call is given a slice: this one, or one of the next moments, so that whoever asks
//! can sit out the wait and call without asking again. Calls are counted by slice, so that no span as long as the period
//! ever has more of them than allowed, wherever it begins, and even where the way to the remote takes now more and now
//! less time. That costs a few slices' share: of a second 94 calls of 100 are used at best, of a minute 96. A limit that
//! the remote resets on the clock (each hour, each day) has one slice as long as the period, and loses its edges alone.
//!
//! Who finds nothing in the next moments gets a turn: a time to come back at, one after the other. Who comes for the first
//! time goes behind those who wait.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{Timestamp, manifest::Limit};
use serde::{Deserialize, Serialize};

/// Slices of a period.
const SLICES: i64 = 50;
/// What lies between leave for a call and its arrival differs by this much, in milliseconds.
const UNEVEN: i64 = 30;
/// A remote's clock is not ours: around its reset nothing is called for this long, in milliseconds.
const EDGE: i64 = 250;
/// Leave has to be written down before it can be used, which takes this long, more or less: a slice that is over sooner is not
/// given any more.
const TO_WRITE: Duration = Duration::from_millis(15);
/// What is given lies no further ahead: longer waits are not worth sitting out.
const AHEAD: Duration = Duration::from_secs(2);
/// One record takes this many calls a second; a limit above it is cut into shards.
const CALLS_PER_SHARD: u32 = 50;
/// More shards than this are more to look through than they are worth.
const MOST_SHARDS: u32 = 16;
/// What one process takes at a time of what nobody else asks for: what it does not use is lost.
const LARGEST_LEASE: u32 = 10;

/// A limit, as one of its shards has to keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Calls in a period.
    calls: u32,
    /// The length of a slice, in milliseconds.
    slice: i64,
    /// How many slices before this one a call counts against.
    reach: i64,
    /// What of a slice's beginning and end is not used, in milliseconds.
    edge: i64,
    /// What is leased at a time where there is plenty.
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
        let (slice, reach, edge) = if limit.on_the_clock {
            (period, 0, EDGE.min(period / 100))
        } else {
            let slice = period / SLICES;
            (slice, (period + UNEVEN + slice - 1) / slice, 0)
        };
        // A second's worth. A shorter slice would be over before the lease is used.
        let a_second = if slice < 1000 { 0 } else { limit.calls / shards / limit.seconds.max(1) };
        Self { calls, slice, reach, edge, lease: a_second.min(LARGEST_LEASE) }
    }

    /// The time from one call to the next, when all are spread evenly.
    fn between(&self) -> Duration {
        let period = self.slice * (self.reach + 1);
        Duration::from_millis(period.unsigned_abs()) / self.calls.max(1)
    }

    const fn slice_at(&self, at: Timestamp) -> i64 {
        at.as_millis().div_euclid(self.slice)
    }

    const fn from(&self, slice: i64) -> Timestamp {
        Timestamp::from_millis(slice * self.slice + self.edge)
    }

    const fn until(&self, slice: i64) -> Timestamp {
        Timestamp::from_millis((slice + 1) * self.slice - self.edge)
    }
}

/// What somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// So many calls, one right after the other.
    pub calls: u32,
    /// Who asks has not waited before.
    pub first: bool,
    /// They can't be made before.
    pub not_before: Timestamp,
}

/// Calls that may be made from `from` until `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// How many.
    pub calls: u32,
    /// Not before this.
    pub from: Timestamp,
    /// The end of the slice in which they are counted.
    pub until: Timestamp,
}

/// What is known of one shard.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bucket {
    /// Calls by number of slice since 1970: this one, those that it counts against, and those of the next moments.
    #[serde(default)]
    taken: BTreeMap<i64, u32>,
    /// The last turn that was given to somebody new.
    #[serde(default, skip_serializing_if = "is_never")]
    turn: Timestamp,
    /// The last turn that was given to somebody who had waited, and had found nothing again.
    #[serde(default, skip_serializing_if = "is_never")]
    again: Timestamp,
}

fn is_never(at: &Timestamp) -> bool {
    *at == Timestamp::default()
}

impl Bucket {
    /// Gives the next free moment, or a turn.
    ///
    /// # Errors
    /// With the time to come back at.
    pub fn take(&mut self, share: &Share, now: Timestamp, wish: &Wish) -> Result<Lease, Timestamp> {
        let current = share.slice_at(now);
        self.taken.retain(|at, _| *at >= current - share.reach);
        let wish = Wish { calls: wish.calls.clamp(1, share.calls.max(1)), ..*wish };
        let behind = if wish.first { self.turn } else { Timestamp::default() };
        let begin = now.max(wish.not_before).max(behind);
        let last = share.slice_at(now + AHEAD);
        let mut slices = share.slice_at(begin)..=last;
        let found = slices
            .find(|slice| begin + TO_WRITE < share.until(*slice) && self.fits(share, *slice, wish.calls))
            .map(|slice| (slice, share.from(slice).max(begin)));
        if let Some((slice, from)) = found
            && from <= now + AHEAD
        {
            *self.taken.entry(slice).or_default() += wish.calls;
            return Ok(Lease { calls: wish.calls, from, until: share.until(slice) });
        }
        let free_at =
            found.map_or_else(|| self.free_after(share, last, wish.calls).max(now), |(_, from)| from);
        let turn = if wish.first { &mut self.turn } else { &mut self.again };
        *turn = free_at.max(*turn + share.between());
        Err(*turn)
    }

    /// Takes a lease for calls that nobody has asked for yet, where there is plenty.
    pub fn take_more(&mut self, share: &Share, now: Timestamp) -> Option<Lease> {
        let slice = share.slice_at(now);
        let calls = share.lease.saturating_sub(1);
        let is_plenty = self.fits(share, slice, share.calls / 2 + calls);
        if calls == 0 || !is_plenty || share.from(slice) > now || share.until(slice) <= now {
            return None;
        }
        *self.taken.entry(slice).or_default() += calls;
        Some(Lease { calls, from: now, until: share.until(slice) })
    }

    /// The begin of the next slice after this one that has room. Nothing is given further ahead than the next moments, so
    /// that there is an end to the search.
    fn free_after(&self, share: &Share, last: i64, calls: u32) -> Timestamp {
        let free = (last + 1..=last + share.reach).find(|slice| self.fits(share, *slice, calls));
        share.from(free.unwrap_or(last + share.reach + 1))
    }

    /// Whether so many calls in this slice leave every span of a period with no more than allowed: those that end with it,
    /// and those that end with a later one in which somebody has calls already.
    fn fits(&self, share: &Share, slice: i64, calls: u32) -> bool {
        let within =
            |end: i64| self.taken.range(end - share.reach..=end).map(|(_, calls)| calls).sum::<u32>();
        let ends = self.taken.range(slice + 1..slice + 1 + share.reach).map(|(end, _)| *end);
        std::iter::once(slice).chain(ends).all(|end| within(end).saturating_add(calls) <= share.calls)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const START: i64 = 1_700_000_000_000;

    fn limit(calls: u32, seconds: u32, on_the_clock: bool) -> Limit {
        Limit { calls, seconds, on_the_clock }
    }

    fn wish(calls: u32, first: bool) -> Wish {
        Wish { calls, first, not_before: Timestamp::default() }
    }

    /// Askers that always want more, each coming back when it is told to, on one shard; when their calls arrive, sorted.
    fn calls_under_load(limit: &Limit, askers: usize, at_once: u32, seconds: i64) -> Vec<i64> {
        let share = Share::of(limit, 0);
        let mut bucket = Bucket::default();
        let mut wakes: Vec<(i64, bool)> = (0..askers as i64).map(|n| (START + n * 7, true)).collect();
        let (mut calls, mut uneven) = (Vec::new(), 0);
        loop {
            wakes.sort_unstable();
            let (now, first) = wakes.remove(0);
            if now > START + seconds * 1000 {
                calls.sort_unstable();
                return calls;
            }
            match bucket.take(&share, Timestamp::from_millis(now), &wish(at_once, first)) {
                Ok(lease) => {
                    assert!(lease.from < lease.until && lease.from <= Timestamp::from_millis(now) + AHEAD);
                    uneven = (uneven + 17) % UNEVEN;
                    calls.extend((0..lease.calls).map(|_| lease.from.as_millis() + uneven));
                    wakes.push((lease.from.as_millis() + 20, true));
                }
                // Somewhat late, as everything is.
                Err(until) => wakes.push((until.as_millis() + 15, false)),
            }
        }
    }

    #[test]
    fn no_span_of_a_period_has_more_calls_than_allowed_and_nearly_all_are_used() {
        let limits = [
            (1, 1, 1),
            (10, 1, 1),
            (1, 5, 1),
            (200, 60, 1),
            (60, 60, 1),
            (1000, 60, 1),
            (50, 1, 1),
            (200, 60, 3),
        ];
        for (calls, seconds, at_once) in limits {
            let limit = limit(calls, seconds, false);
            let made = calls_under_load(&limit, 30, at_once, 1200);
            let period = i64::from(seconds) * 1000;
            for (at, begin) in made.iter().enumerate() {
                let within = made[at..].iter().take_while(|call| **call < begin + period).count();
                assert!(within <= calls as usize, "{within} calls in {seconds} s where {calls} are allowed");
            }
            let used = made.len() as f64 / (1200.0 / f64::from(seconds) * f64::from(calls));
            assert!(used >= 0.92, "{used} of {calls} in {seconds} s");
        }
    }

    #[test]
    fn a_limit_on_the_clock_is_used_up_and_begins_anew() {
        let made = calls_under_load(&limit(500, 3600, true), 30, 1, 4 * 3600);
        let mut hours: BTreeMap<i64, usize> = BTreeMap::new();
        made.iter().for_each(|at| *hours.entry(at / 3_600_000).or_default() += 1);
        assert!(hours.values().all(|calls| *calls <= 500), "{hours:?}");
        assert!(hours.values().filter(|calls| **calls == 500).count() >= 3, "{hours:?}");
    }

    #[test]
    fn who_waits_comes_before_who_is_new() {
        let (share, mut bucket) = (Share::of(&limit(1, 10, false), 0), Bucket::default());
        let at = |seconds: i64| Timestamp::from_millis(START + seconds * 1000);
        bucket.take(&share, at(0), &wish(1, true)).unwrap();
        let turn = bucket.take(&share, at(1), &wish(1, true)).unwrap_err();
        let behind = bucket.take(&share, at(2), &wish(1, true)).unwrap_err();
        assert!(behind > turn && behind.since(turn) <= Duration::from_secs(11));
        let new = bucket.take(&share, turn, &wish(1, true));
        assert!(new.is_err_and(|until| until > behind), "a new one goes behind");
        assert!(bucket.take(&share, turn, &wish(1, false)).is_ok());
    }

    #[test]
    fn who_finds_nothing_again_comes_back_one_after_the_other() {
        let (share, mut bucket) = (Share::of(&limit(2, 10, false), 0), Bucket::default());
        let now = Timestamp::from_millis(START);
        bucket.take(&share, now, &wish(2, false)).unwrap();
        let turns: Vec<Timestamp> =
            (0..3).map(|_| bucket.take(&share, now, &wish(1, false)).unwrap_err()).collect();
        assert!(turns.is_sorted_by(|a, b| b.since(*a) >= Duration::from_secs(5)), "{turns:?}");
    }

    #[test]
    fn what_is_plenty_is_leased_ahead_and_what_is_scarce_is_not() {
        let limit = limit(1000, 60, false);
        let (share, mut bucket) = (Share::of(&limit, 0), Bucket::default());
        let now = Timestamp::from_millis(START);
        let leased =
            std::iter::from_fn(|| bucket.take_more(&share, now)).map(|lease| lease.calls).sum::<u32>();
        assert!((400..=500).contains(&leased), "half of it at most: {leased}");
        let short = Share::of(&Limit { calls: 10, seconds: 1, ..limit }, 0);
        assert_eq!(Bucket::default().take_more(&short, now), None, "it would be over at once");
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
