//! Calendar rules: every so many minutes, or at a time of day on certain days, where the practice is.
//!
//! A time that the clocks skip is the moment after the gap, as much later as they skip. A time that they repeat is the first of
//! the two. So every day has its run, and has it once.

use std::{fmt, num::NonZeroU16, str::FromStr};

use jiff::{
    ToSpan,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Timestamp, Zone};

/// When an export runs: either `every-minutes`, or `at` a time of day; then on all days, on `weekdays`, or on `month-days`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Schedule {
    /// So many minutes apart, counted from 1970-01-01T00:00Z: clocks that change don't matter to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_minutes: Option<NonZeroU16>,
    /// The time of day, where the practice is: `02:30`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<TimeOfDay>,
    /// Only on these days of the week.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weekdays: Vec<Weekday>,
    /// Only on these days of the month. One that a month does not have is its last: 31 is the end of every month.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub month_days: Vec<u8>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    const fn civil(self) -> jiff::civil::Weekday {
        match self {
            Self::Monday => jiff::civil::Weekday::Monday,
            Self::Tuesday => jiff::civil::Weekday::Tuesday,
            Self::Wednesday => jiff::civil::Weekday::Wednesday,
            Self::Thursday => jiff::civil::Weekday::Thursday,
            Self::Friday => jiff::civil::Weekday::Friday,
            Self::Saturday => jiff::civil::Weekday::Saturday,
            Self::Sunday => jiff::civil::Weekday::Sunday,
        }
    }
}

/// A time of day, `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay(Time);

impl FromStr for TimeOfDay {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{text}` is not a time of day (example: \"02:30\", in quotes)");
        let digits = text.split_once(':').ok_or_else(wrong)?;
        let two = |digits: &str| {
            let is_two = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<i8>().ok().filter(|_| is_two).ok_or_else(wrong)
        };
        Time::new(two(digits.0)?, two(digits.1)?, 0, 0).map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Whatever the rule, one of so many days in a row is one of its days.
const DAYS: usize = 64;
const MINUTE_MS: i64 = 60_000;

impl Schedule {
    /// The first time after `now`; `None` where the rule is none (see `Export::problems`).
    pub fn next(&self, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        if let Some(minutes) = self.every_minutes {
            let every = i64::from(minutes.get()) * MINUTE_MS;
            return Some(Timestamp::from_millis((now.as_millis().div_euclid(every) + 1) * every));
        }
        let (at, zone) = (self.at?, zone.rules()?);
        let today = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?.to_zoned(zone.clone()).date();
        // A day's time may lie on the day after, where the clocks skip midnight.
        let first = today.checked_sub(1.day()).ok()?;
        let days = first.series(1.day()).take(DAYS).filter(|day| self.has(*day));
        days.filter_map(|day| moment(day, at, &zone)).find(|at| *at > now)
    }

    /// The last time up to `now` that comes after `since`, which is one of its times: what was missed meanwhile is one run.
    pub fn latest(&self, since: Timestamp, now: Timestamp, zone: &Zone) -> Timestamp {
        if let Some(minutes) = self.every_minutes {
            let every = i64::from(minutes.get()) * MINUTE_MS;
            return since.max(Timestamp::from_millis(now.as_millis().div_euclid(every) * every));
        }
        let mut latest = since;
        while let Some(next) = self.next(latest, zone).filter(|next| *next <= now) {
            latest = next;
        }
        latest
    }

    fn has(&self, day: Date) -> bool {
        let last = day.days_in_month();
        let is_weekday = self.weekdays.iter().any(|weekday| weekday.civil() == day.weekday());
        let is_month_day =
            self.month_days.iter().any(|of| i8::try_from(*of).unwrap_or(last).min(last) == day.day());
        match (self.weekdays.is_empty(), self.month_days.is_empty()) {
            (true, true) => true,
            _ => is_weekday || is_month_day,
        }
    }
}

/// A time of day as an instant: after a gap, and the first of two.
fn moment(day: Date, at: TimeOfDay, zone: &TimeZone) -> Option<Timestamp> {
    let at = zone.to_ambiguous_timestamp(day.to_datetime(at.0)).compatible().ok()?;
    Some(Timestamp::from_millis(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn times(rule: &str, zone: &str, from: &str, count: usize) -> Vec<String> {
        let zone: Zone = zone.parse().unwrap();
        let rule: Schedule = serde_json::from_str(rule).unwrap();
        let mut at: Timestamp = from.parse().unwrap();
        let next = || {
            at = rule.next(at, &zone).unwrap();
            let local =
                jiff::Timestamp::from_millisecond(at.as_millis()).unwrap().to_zoned(zone.rules().unwrap());
            local.strftime("%a %m-%d %H:%M %z").to_string()
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    #[test]
    fn a_time_that_the_clocks_skip_comes_after_the_gap() {
        let found = times(r#"{"at": "02:30"}"#, "America/Chicago", "2026-03-07T12:00:00Z", 3);
        assert_eq!(found, ["Sun 03-08 03:30 -0500", "Mon 03-09 02:30 -0500", "Tue 03-10 02:30 -0500"]);
    }

    #[test]
    fn a_time_that_they_repeat_comes_once() {
        let found = times(r#"{"at": "01:30"}"#, "America/Chicago", "2026-10-31T12:00:00Z", 3);
        assert_eq!(found, ["Sun 11-01 01:30 -0500", "Mon 11-02 01:30 -0600", "Tue 11-03 01:30 -0600"]);
    }

    #[test]
    fn a_midnight_that_they_skip_is_the_first_moment_of_its_day() {
        let found = times(r#"{"at": "00:00"}"#, "America/Santiago", "2026-09-05T12:00:00Z", 2);
        assert_eq!(found, ["Sun 09-06 01:00 -0300", "Mon 09-07 00:00 -0300"]);
    }

    #[test]
    fn months_end_when_they_end() {
        let found =
            times(r#"{"at": "23:45", "month-days": [31]}"#, "Europe/Berlin", "2027-12-15T00:00:00Z", 5);
        let days: Vec<&str> = found.iter().map(|text| &text[4..9]).collect();
        assert_eq!(days, ["12-31", "01-31", "02-29", "03-31", "04-30"]);
        let found = times(r#"{"at": "08:00", "month-days": [30, 31, 1]}"#, "UTC", "2026-02-20T00:00:00Z", 4);
        let days: Vec<&str> = found.iter().map(|text| &text[4..9]).collect();
        assert_eq!(days, ["02-28", "03-01", "03-30", "03-31"]);
    }

    #[test]
    fn days_of_the_week_are_those_of_the_practice() {
        let rule = r#"{"at": "22:00", "weekdays": ["monday", "friday"]}"#;
        let found = times(rule, "Pacific/Auckland", "2026-03-03T00:00:00Z", 3);
        assert_eq!(found, ["Fri 03-06 22:00 +1300", "Mon 03-09 22:00 +1300", "Fri 03-13 22:00 +1300"]);
    }

    #[test]
    fn minutes_are_counted_through_both_changes_of_the_clocks() {
        for from in ["2026-03-08T07:00:00Z", "2026-11-01T06:00:00Z"] {
            let found = times(r#"{"every-minutes": 20}"#, "America/Chicago", from, 9);
            let distinct: std::collections::BTreeSet<_> = found.iter().collect();
            assert_eq!(distinct.len(), 9, "{found:?}");
        }
    }

    #[test]
    fn what_was_missed_is_one_run_at_the_last_of_its_times() {
        let zone: Zone = "America/Chicago".parse().unwrap();
        let rule: Schedule = serde_json::from_str(r#"{"at": "02:30"}"#).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let since = rule.next(at("2026-03-05T00:00:00Z"), &zone).unwrap();
        assert_eq!(rule.latest(since, at("2026-03-09T12:00:00Z"), &zone), at("2026-03-09T07:30:00Z"));
        assert_eq!(rule.latest(since, since, &zone), since);
    }

    #[test]
    fn a_time_of_day_is_written_as_clocks_show_it() {
        for wrong in ["2:30", "24:00", "02:60", "0230", "02:3", "-1:00", "02:30:00"] {
            assert!(wrong.parse::<TimeOfDay>().is_err(), "{wrong}");
        }
        assert_eq!("02:30".parse::<TimeOfDay>().unwrap().to_string(), "02:30");
    }
}
