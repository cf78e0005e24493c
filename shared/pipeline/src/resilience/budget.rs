//! How much trying again adds to what a destination is called anyway, as a value.
//!
//! Each call that it answers earns half a retry and each retry spends one: a destination in trouble is called at most
//! half as often again. A few a minute are always left, so that nothing waits for ever.

use std::time::Duration;

use bridge_core::Timestamp;
use serde::{Deserialize, Serialize};

/// What a good call earns.
const EARNED: f64 = 0.5;
/// What can be saved up; also what a destination begins with.
const MOST: f64 = 10.0;
/// What comes by itself, a second.
const TRICKLE: f64 = 0.1;
/// What one process takes at a time.
const LEASE: u32 = 4;
/// What it does not use within this time is lost.
const LEASED: Duration = Duration::from_secs(30);

/// What is left for retries, for all processes together.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Budget {
    left: f64,
    at: Timestamp,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MOST, at: Timestamp::default() }
    }
}

impl Budget {
    /// Adds what a process has earned, and gives it some retries.
    ///
    /// # Errors
    /// With the time of the next one, where none is left.
    pub(super) fn take(&mut self, now: Timestamp, earned: f64) -> Result<u32, Timestamp> {
        let trickle = now.since(self.at).as_secs_f64() * TRICKLE;
        self.left = (self.left + trickle + earned).min(MOST);
        self.at = self.at.max(now);
        if self.left < 1.0 {
            return Err(now + Duration::from_secs_f64((1.0 - self.left) / TRICKLE));
        }
        let taken = (self.left as u32).min(LEASE);
        self.left -= f64::from(taken);
        Ok(taken)
    }
}

/// What one process has of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Purse {
    /// Of calls that were answered, and not told yet.
    earned: f64,
    retries: u32,
    until: Timestamp,
    /// There is none before this, as it was told.
    none_before: Timestamp,
}

impl Purse {
    /// A call was answered.
    pub(super) fn earn(&mut self) {
        self.earned = (self.earned + EARNED).min(MOST);
    }

    /// Takes a retry (`None`), or says until when there is none; nothing where that has to be asked for.
    pub(super) fn take(&mut self, now: Timestamp) -> Option<Option<Timestamp>> {
        if self.retries > 0 && now < self.until {
            self.retries -= 1;
            return Some(None);
        }
        // What was earned since may be enough.
        (now < self.none_before && self.earned < 1.0).then_some(Some(self.none_before))
    }

    /// A retry was not made after all.
    pub(super) const fn give_back(&mut self) {
        self.retries += 1;
    }

    /// What it has earned, to be told once.
    pub(super) const fn tell(&mut self) -> f64 {
        std::mem::replace(&mut self.earned, 0.0)
    }

    /// That could not be told.
    pub(super) fn untell(&mut self, earned: f64) {
        self.earned = (self.earned + earned).min(MOST);
    }

    /// What the budget said to it. Of what it was given one retry is taken.
    pub(super) fn told(&mut self, now: Timestamp, taken: Result<u32, Timestamp>) {
        match taken {
            Ok(retries) => {
                let kept = if now < self.until { self.retries } else { 0 };
                (self.retries, self.until) = ((kept + retries).saturating_sub(1), now + LEASED);
                self.none_before = Timestamp::default();
            }
            Err(until) => self.none_before = until,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000 + seconds * 1000)
    }

    /// One process's retry, where it may be made.
    fn retries(budget: &mut Budget, purse: &mut Purse, now: i64) -> bool {
        let wait = purse.take(at(now)).unwrap_or_else(|| {
            let taken = budget.take(at(now), purse.tell());
            purse.told(at(now), taken);
            taken.err()
        });
        wait.is_none()
    }

    #[test]
    fn retries_are_half_of_the_answers_and_a_few_a_minute() {
        let (mut budget, mut purse) = (Budget::default(), Purse::default());
        let mut made = |purse: &mut Purse, now: i64| retries(&mut budget, purse, now);
        assert_eq!((0..100).filter(|_| made(&mut purse, 0)).count(), 10, "what it begins with");
        assert_eq!((0..600).filter(|second| made(&mut purse, *second)).count(), 59, "one in ten seconds");
        (0..12).for_each(|_| purse.earn());
        assert_eq!((0..100).filter(|_| made(&mut purse, 600)).count(), 7, "half of twelve answers, and one");
        (0..1000).for_each(|_| purse.earn());
        assert_eq!((0..100).filter(|_| made(&mut purse, 601)).count(), 10, "no more is saved up");
    }

    #[test]
    fn many_processes_have_one_budget() {
        let mut budget = Budget::default();
        let mut purses = vec![Purse::default(); 50];
        let made = purses.iter_mut().map(|purse| (0..10).filter(|_| retries(&mut budget, purse, 0)).count());
        assert_eq!(made.sum::<usize>(), 10);
    }

    #[test]
    fn what_is_not_used_is_asked_for_again() {
        let (mut budget, mut purse) = (Budget::default(), Purse::default());
        assert!(retries(&mut budget, &mut purse, 0));
        assert_eq!(purse.take(at(29)), Some(None));
        purse.give_back();
        assert_eq!(purse.take(at(31)), None);
    }
}
