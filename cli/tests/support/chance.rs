//! Moments and choices of a run: any, and the same again from the same `BRIDGE_SEED`.

use std::time::SystemTime;

/// Xorshift: enough for moments and choices.
pub(crate) struct Chance(u64);

impl Chance {
    /// From a seed.
    pub(crate) const fn of(seed: u64) -> Self {
        // Small seeds would begin alike.
        Self((seed ^ 0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The seed that the environment gives, or one of the moment; printed, so that a run can be had again.
    #[expect(clippy::disallowed_methods, reason = "any moment is as good as another")]
    pub(crate) fn seed() -> u64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let seed = variable("BRIDGE_SEED").unwrap_or(now.subsec_nanos().into());
        println!("BRIDGE_SEED={seed}");
        seed
    }

    /// Below `limit`.
    pub(crate) const fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// A number that the environment gives to a test.
#[expect(clippy::disallowed_methods, reason = "a test has no other way to be told its size")]
pub(crate) fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
