//! Moments for a `kill -9`: any, and the same again from the same `BRIDGE_SEED`.

use std::time::SystemTime;

/// Xorshift: enough for moments.
pub(crate) struct Chance(u64);

impl Chance {
    #[expect(clippy::disallowed_methods, reason = "any moment is as good as another")]
    pub(crate) fn new() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let seed = variable("BRIDGE_SEED").unwrap_or(now.subsec_nanos().into()).max(1);
        println!("BRIDGE_SEED={seed}");
        Self(seed)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// What the environment says of a test's size.
#[expect(clippy::disallowed_methods, reason = "a test has no other way to be told its size")]
pub(crate) fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
