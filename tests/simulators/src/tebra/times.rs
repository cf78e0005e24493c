//! Times: US text in the account's zone out, the same or `xs:dateTime` in.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// The simulated account's zone.
pub(super) const ZONE: &str = "America/Chicago";

fn zone() -> TimeZone {
    TimeZone::get(ZONE).unwrap_or(TimeZone::UTC)
}

/// `6/1/2025 2:30:00 PM`.
pub(super) fn written(at: Timestamp) -> String {
    at.to_zoned(zone()).strftime("%-m/%-d/%Y %-I:%M:%S %p").to_string()
}

/// `2025-06-01T14:30:00`, as the newer operations write it.
pub(super) fn civil(at: Timestamp) -> String {
    at.to_zoned(zone()).strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// A filter's date or time, or a new operation's `xs:dateTime`; without an offset in the account's zone.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at);
    }
    let forms = ["%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y"];
    let us = forms.iter().find_map(|form| {
        let broken = jiff::fmt::strtime::parse(form, text).ok()?;
        broken.to_datetime().ok().or_else(|| Some(broken.to_date().ok()?.at(0, 0, 0, 0)))
    });
    let civil: DateTime = us.or_else(|| text.parse().ok())?;
    civil.to_zoned(zone()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_us_text_in_the_accounts_zone() {
        let at: Timestamp = "2026-07-01T19:30:00Z".parse().unwrap();
        assert_eq!(written(at), "7/1/2026 2:30:00 PM");
        for text in ["7/1/2026 2:30:00 PM", "7/1/2026 2:30 PM", "2026-07-01T14:30:00", "2026-07-01T19:30:00Z"]
        {
            assert_eq!(read(text), Some(at), "{text}");
        }
        assert_eq!(read("7/1/2026"), "2026-07-01T05:00:00Z".parse().ok());
        assert_eq!(read("soon"), None);
    }
}
