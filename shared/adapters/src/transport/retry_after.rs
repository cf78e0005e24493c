//! `Retry-After` (RFC 9110, section 10.2.3): seconds, or an HTTP date.

use std::time::Duration;

use bridge_core::Timestamp;

/// How long to wait from `now`; zero for a date that has passed, nothing for what is neither form.
pub(crate) fn parse(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return value.parse().ok().map(Duration::from_secs);
    }
    Some(Timestamp::from_http_date(value)?.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        // 1994-11-06T08:49:07Z: thirty seconds before RFC 9110's example.
        let now = Timestamp::from_millis(784_111_747_000);
        let wait = |value| parse(value, now).map(|wait| wait.as_secs());
        assert_eq!(wait("120"), Some(120));
        assert_eq!(wait(" 0 "), Some(0));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(30));
        assert_eq!(wait("Sunday, 06-Nov-94 08:49:37 GMT"), Some(30));
        assert_eq!(wait("Sun Nov  6 08:49:37 1994"), Some(30));
        assert_eq!(wait("Sat, 05 Nov 1994 08:49:37 GMT"), Some(0), "a date in the past");
        for neither in ["", "soon", "-5", "1.5", "99999999999999999999999", "Sun, 06 Nov 1994"] {
            assert_eq!(wait(neither), None, "{neither}");
        }
    }
}
