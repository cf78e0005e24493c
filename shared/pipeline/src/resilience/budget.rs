//! How much trying again adds to what a destination is called anyway, as a value.
//!
//! Each call that it answers earns half a retry and each retry spends one: a destination in trouble is called at most
//! half as often again. A few a minute are always left, so that nothing waits for ever. Kept by each process for itself.

use std::time::Duration;

use bridge_core::Timestamp;

/// What a good call earns.
const EARNED: f64 = 0.5;
/// What can be saved up; also what a process begins with.
const MOST: f64 = 10.0;
/// What comes by itself, a second.
const TRICKLE: f64 = 0.1;

/// What is left for retries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Budget {
    left: f64,
    at: Timestamp,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MOST, at: Timestamp::default() }
    }
}

impl Budget {
    fn pass_to(&mut self, now: Timestamp) {
        let trickle = now.since(self.at).as_secs_f64() * TRICKLE;
        self.left = (self.left + trickle).min(MOST);
        self.at = self.at.max(now);
    }

    /// When the next retry may be made, where none may be made now.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.pass_to(now);
        let missing = 1.0 - self.left;
        (missing > 0.0).then(|| now + Duration::from_secs_f64(missing / TRICKLE))
    }

    /// A retry is made.
    pub(crate) const fn spend(&mut self) {
        self.left -= 1.0;
    }

    /// A call was answered.
    pub(crate) fn earn(&mut self) {
        self.left = (self.left + EARNED).min(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retries_are_half_of_the_answers_and_a_few_a_minute() {
        let at = |seconds: i64| Timestamp::from_millis(1_700_000_000_000 + seconds * 1000);
        let mut budget = Budget::default();
        let made = |budget: &mut Budget, now: i64| {
            let may = budget.next(at(now)).is_none();
            if may {
                budget.spend();
            }
            may
        };
        assert_eq!((0..100).filter(|_| made(&mut budget, 0)).count(), 10, "what it begins with");
        assert_eq!(budget.next(at(0)), Some(at(10)));
        assert_eq!((0..600).filter(|second| made(&mut budget, *second)).count(), 59, "one in ten seconds");
        for _ in 0..12 {
            budget.earn();
        }
        assert_eq!((0..100).filter(|_| made(&mut budget, 600)).count(), 7, "half of twelve answers, and one");
        (0..1000).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| made(&mut budget, 601)).count(), 10, "no more is saved up");
    }
}
