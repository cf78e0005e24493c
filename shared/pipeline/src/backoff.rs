//! Exponential back-off with full jitter: the wait is uniform below a limit that doubles.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_mins(15);

/// The wait after the `tries`th try (1 for the first), for a `chance` in `0.0..1.0`.
pub(crate) fn full_jitter(tries: u32, chance: f64) -> Duration {
    let limit = FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST);
    limit.mul_f64(chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_doubles_up_to_a_quarter_of_an_hour() {
        let limits: Vec<u64> = (1..=12).map(|tries| full_jitter(tries, 1.0).as_secs()).collect();
        assert_eq!(limits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(full_jitter(u32::MAX, 0.5), Duration::from_secs(450));
        assert_eq!(full_jitter(3, 0.0), Duration::ZERO);
    }
}
