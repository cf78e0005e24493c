//! Reading what people write: durations, times, states.

use std::time::Duration;

use bridge_core::Timestamp;
use bridge_pipeline::queries::Standing;

/// A point in time: RFC 3339, or how long ago (`30m`, `2h`, `7d`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// This one.
    At(Timestamp),
    /// So long ago.
    Ago(Duration),
}

impl When {
    /// The instant.
    pub(crate) fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(duration) => now - duration,
        }
    }
}

/// Reads a point in time.
pub(crate) fn when(text: &str) -> Result<When, String> {
    if let Ok(at) = text.parse() {
        return Ok(When::At(at));
    }
    let wrong =
        || format!("`{text}` is neither a time (2026-01-31T08:00:00Z) nor how long ago (30m, 2h, 7d)");
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(seconds).map(|seconds| When::Ago(Duration::from_secs(seconds))).ok_or_else(wrong)
}

/// Reads a state.
pub(crate) fn standing(text: &str) -> Result<Standing, String> {
    Standing::ALL.into_iter().find(|standing| standing.word() == text).ok_or_else(|| {
        let words = Standing::ALL.map(Standing::word).join(", ");
        format!("`{text}` is no state (there are: {words})")
    })
}

/// Reads `name=value`.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(name, value)| !name.is_empty() && !value.is_empty());
    let (name, value) = pair.ok_or_else(|| format!("`{text}` is not name=value (example: patient=4711)"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// `1 message`, `2 messages`.
pub(crate) fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(when("2h"), Ok(When::Ago(Duration::from_hours(2))));
        assert_eq!(when("1970-01-01T00:00:01Z"), Ok(When::At(Timestamp::from_millis(1_000))));
        let now = Timestamp::from_millis(10_000);
        assert_eq!(when("3s").map(|when| when.before(now)), Ok(Timestamp::from_millis(7_000)));
        for wrong in ["", "h", "2 h", "2w", "yesterday", "99999999999999999999d", "9999999999999999999d"] {
            assert!(when(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pairs_and_states_are_read_or_refused() {
        assert_eq!(pair("patient=a=b"), Ok(("patient".to_owned(), "a=b".to_owned())));
        assert!(pair("patient").is_err() && pair("=x").is_err() && pair("x=").is_err());
        assert_eq!(standing("waiting"), Ok(Standing::Waiting));
        assert!(standing("lost").is_err_and(|error| error.contains("parked, waiting")));
    }
}
