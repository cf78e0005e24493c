//! The clock of a simulated product.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

/// Real time with an offset, or time that stands still until it is moved.
#[derive(Debug)]
pub struct Clock(Mutex<Time>);

#[derive(Debug, Clone, Copy)]
enum Time {
    Running { ahead: SignedDuration },
    Still { at: Timestamp },
}

impl Default for Clock {
    /// Real time.
    fn default() -> Self {
        Self(Mutex::new(Time::Running { ahead: SignedDuration::ZERO }))
    }
}

impl Clock {
    /// A clock that stands still.
    #[must_use]
    pub fn still(at: Timestamp) -> Self {
        Self(Mutex::new(Time::Still { at }))
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match *self.time() {
            Time::Still { at } => at,
            Time::Running { ahead } => real().saturating_add(ahead).unwrap_or(Timestamp::MAX),
        }
    }

    /// Moves on by this much, running or not.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        let mut time = self.time();
        *time = match *time {
            Time::Running { ahead } => Time::Running { ahead: ahead.saturating_add(by) },
            Time::Still { at } => Time::Still { at: at.saturating_add(by).unwrap_or(Timestamp::MAX) },
        };
    }

    /// From now on it stands still at this time.
    pub fn hold(&self, at: Timestamp) {
        *self.time() = Time::Still { at };
    }

    /// From now on it runs, beginning with the time that it shows.
    pub fn run(&self) {
        let ahead = self.now().duration_since(real());
        *self.time() = Time::Running { ahead };
    }

    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where simulated products get their time")]
fn real() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_moves_when_it_is_moved() {
        let at: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        let clock = Clock::still(at);
        clock.advance(Duration::from_secs(90));
        assert_eq!(clock.now().to_string(), "2026-03-02T09:01:30Z");
        clock.run();
        let (first, second) = (clock.now(), clock.now());
        assert!(second >= first && first.duration_since(at) < SignedDuration::from_secs(3_600));
        clock.advance(Duration::from_secs(7_200));
        assert!(clock.now().duration_since(at) > SignedDuration::from_secs(7_200));
    }
}
