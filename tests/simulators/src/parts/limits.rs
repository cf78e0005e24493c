//! Counting calls, as products do it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// So many calls of one caller in each window that begins on the clock: every full minute, hour or day of UTC.
#[derive(Debug)]
pub struct FixedWindow {
    calls: u64,
    seconds: i64,
    counts: Mutex<HashMap<String, (i64, u64)>>,
}

impl FixedWindow {
    /// `calls` in each `seconds`.
    #[must_use]
    pub fn new(calls: u64, seconds: u32) -> Self {
        Self { calls, seconds: i64::from(seconds).max(1), counts: Mutex::default() }
    }

    /// Counts a call of `caller`.
    ///
    /// # Errors
    /// When it is one too many: the moment at which the next window begins. It is not counted then.
    pub fn take(&self, caller: &str, now: Timestamp) -> Result<(), Timestamp> {
        let window = now.as_second().div_euclid(self.seconds);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(caller.to_owned()).or_default();
        if count.0 != window {
            *count = (window, 0);
        }
        if count.1 >= self.calls {
            let next = (window + 1).saturating_mul(self.seconds);
            return Err(Timestamp::from_second(next).unwrap_or(Timestamp::MAX));
        }
        count.1 += 1;
        Ok(())
    }
}

/// A bucket that leaks: `burst` calls at once, then one each `interval`.
#[derive(Debug)]
pub struct Leaky {
    burst: i64,
    interval: SignedDuration,
    /// When the bucket of a caller will be empty.
    empty_at: Mutex<HashMap<String, Timestamp>>,
}

impl Leaky {
    /// Up to `burst` calls at once, then one each `millis` milliseconds.
    #[must_use]
    pub fn new(burst: u32, millis: u32) -> Self {
        let interval = SignedDuration::from_millis(i64::from(millis).max(1));
        Self { burst: i64::from(burst).max(1), interval, empty_at: Mutex::default() }
    }

    /// Counts a call of `caller`.
    ///
    /// # Errors
    /// When it is one too many: how long until there is room. It is not counted then.
    pub fn take(&self, caller: &str, now: Timestamp) -> Result<(), SignedDuration> {
        let mut buckets = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let empty_at = buckets.entry(caller.to_owned()).or_insert(now);
        let filled = (*empty_at).max(now).duration_since(now);
        let millis = i64::try_from(self.interval.as_millis()).unwrap_or(i64::MAX);
        let room = SignedDuration::from_millis(millis.saturating_mul(self.burst - 1));
        if filled > room {
            return Err(filled.saturating_sub(room));
        }
        *empty_at = now.saturating_add(filled.saturating_add(self.interval)).unwrap_or(Timestamp::MAX);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
    }

    #[test]
    fn a_window_begins_anew_on_the_clock() {
        let limit = FixedWindow::new(2, 60);
        assert_eq!(limit.take("a", at(59_000)), Ok(()));
        assert_eq!(limit.take("a", at(59_500)), Ok(()));
        assert_eq!(limit.take("a", at(59_900)), Err(at(60_000)));
        assert_eq!(limit.take("b", at(59_900)), Ok(()));
        assert_eq!(limit.take("a", at(60_000)), Ok(()));
    }

    #[test]
    fn a_bucket_leaks_steadily() {
        let limit = Leaky::new(2, 1_000);
        assert_eq!(limit.take("a", at(0)), Ok(()));
        assert_eq!(limit.take("a", at(0)), Ok(()));
        assert_eq!(limit.take("a", at(400)), Err(SignedDuration::from_millis(600)));
        assert_eq!(limit.take("a", at(1_000)), Ok(()));
        assert!(limit.take("a", at(1_000)).is_err());
    }
}
