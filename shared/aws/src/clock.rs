//! The system's clock: the only place of the project that reads it.

use std::time::{Duration, SystemTime};

use bridge_core::Timestamp;
use bridge_pipeline::ports::Clock;

/// The system's clock and a pseudo-random generator that the system seeds.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(since_epoch().as_millis()).unwrap_or(i64::MAX))
    }

    fn chance(&self) -> f64 {
        fastrand::f64()
    }

    async fn sleep(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}

/// Nanoseconds since 1970: differs between any two calls that matter, and grows as far as clocks agree.
pub(crate) fn nanos() -> u64 {
    u64::try_from(since_epoch().as_nanos()).unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "the clock that everybody else must ask")]
fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}
