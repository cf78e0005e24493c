//! How a product writes a point in time.

use jiff::{
    Zoned,
    civil::{Date, DateTime, Time},
    fmt::strtime,
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::{Timestamp, Zone};

/// How a product writes a point in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TimeForm {
    /// In the words of strftime, for example `%Y-%m-%d %H:%M:%S`.
    #[serde(default = "rfc3339")]
    pub form: String,
    /// The clock it is read from.
    #[serde(default)]
    pub clock: Clock,
}

/// A clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// UTC.
    #[default]
    Utc,
    /// The practice's, in the connection's zone.
    Local,
}

impl TimeForm {
    /// A point in time in this form, by a practice's clock in `zone`. What the form has no room for is cut off. `None` when
    /// the form is not one of strftime ([`Self::is_valid`]), or the year has more than four digits.
    pub fn write(&self, at: Timestamp, zone: &Zone) -> Option<String> {
        let at = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
        strtime::format(&self.form, &at.to_zoned(self.clock.zone(zone)?)).ok()
    }

    /// A whole day in this form: a birth date, which is the same everywhere.
    pub fn write_day(&self, day: Date) -> Option<String> {
        let at = day.to_zoned(TimeZone::UTC).ok()?;
        strtime::format(&self.form, &at).ok()
    }

    /// The point in time that a text says: in this form, else as ISO 8601 has it (products answer with more digits than
    /// they take). An offset in the text counts before the clock; a local time that a change of clocks leaves out is an
    /// hour later, one that it repeats is the first; a day alone is its beginning.
    pub fn read(&self, text: &str, zone: &Zone) -> Option<Timestamp> {
        let text = text.trim();
        self.by_form(text, zone).or_else(|| self.by_iso(text, zone))
    }

    /// Whether times can be written so.
    pub fn is_valid(&self) -> bool {
        let sample = Date::constant(2026, 3, 5).to_zoned(TimeZone::UTC);
        !self.form.is_empty() && sample.is_ok_and(|at| strtime::format(&self.form, &at).is_ok())
    }

    fn by_form(&self, text: &str, zone: &Zone) -> Option<Timestamp> {
        let parsed = strtime::parse(&self.form, text).ok()?;
        if let Ok(at) = parsed.to_timestamp() {
            return Some(Timestamp::from_millis(at.as_millisecond()));
        }
        let time = parsed.to_time().unwrap_or(Time::midnight());
        self.local(parsed.to_date().ok()?.to_datetime(time), zone)
    }

    fn by_iso(&self, text: &str, zone: &Zone) -> Option<Timestamp> {
        text.parse::<Timestamp>().ok().or_else(|| self.local(text.parse::<DateTime>().ok()?, zone))
    }

    fn local(&self, at: DateTime, zone: &Zone) -> Option<Timestamp> {
        let at: Zoned = at.to_zoned(self.clock.zone(zone)?).ok()?;
        Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
    }
}

impl Clock {
    fn zone(self, practice: &Zone) -> Option<TimeZone> {
        match self {
            Self::Utc => Some(TimeZone::UTC),
            Self::Local => practice.rules(),
        }
    }
}

impl Default for TimeForm {
    fn default() -> Self {
        Self { form: rfc3339(), clock: Clock::Utc }
    }
}

fn rfc3339() -> String {
    "%Y-%m-%dT%H:%M:%SZ".to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn form(form: &str, clock: Clock) -> TimeForm {
        TimeForm { form: form.to_owned(), clock }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_written_by_the_clock_of_the_form() {
        let denver: Zone = "America/Denver".parse().unwrap();
        let moment = at("2026-07-01T05:30:00.250Z");
        let cases = [
            ("%Y-%m-%dT%H:%M:%SZ", Clock::Utc, "2026-07-01T05:30:00Z"),
            ("%Y-%m-%d %H:%M:%S", Clock::Local, "2026-06-30 23:30:00"),
            ("%m/%d/%Y", Clock::Local, "06/30/2026"),
            ("%-m/%-d/%Y", Clock::Utc, "7/1/2026"),
            ("%Y-%m-%dT%H:%M:%S%:z", Clock::Local, "2026-06-30T23:30:00-06:00"),
            ("%Y-%m-%dT%H:%M:%S.%3fZ", Clock::Utc, "2026-07-01T05:30:00.250Z"),
            ("%s", Clock::Utc, "1782883800"),
        ];
        for (pattern, clock, text) in cases {
            let form = form(pattern, clock);
            assert!(form.is_valid(), "{pattern}");
            assert_eq!(form.write(moment, &denver).as_deref(), Some(text), "{pattern}");
        }
        for wrong in ["", "%K", "%"] {
            assert!(!form(wrong, Clock::Utc).is_valid(), "{wrong:?}");
        }
    }

    #[test]
    fn times_are_read_as_they_are_written_and_as_iso_8601() {
        let denver: Zone = "America/Denver".parse().unwrap();
        let cases = [
            ("%Y-%m-%dT%H:%M:%SZ", Clock::Utc, "2026-07-01T05:30:00Z", "2026-07-01T05:30:00Z"),
            ("%Y-%m-%dT%H:%M:%SZ", Clock::Utc, "2026-07-01T05:30:00.123Z", "2026-07-01T05:30:00.123Z"),
            ("%Y-%m-%dT%H:%M:%SZ", Clock::Utc, "2026-06-30T23:30:00-06:00", "2026-07-01T05:30:00Z"),
            ("%Y-%m-%d %H:%M:%S", Clock::Local, "2026-06-30 23:30:00", "2026-07-01T05:30:00Z"),
            ("%Y-%m-%d %H:%M:%S", Clock::Local, "2026-06-30T23:30:00.5", "2026-07-01T05:30:00.500Z"),
            ("%m/%d/%Y", Clock::Local, "06/30/2026", "2026-06-30T06:00:00Z"),
            ("%Y-%m-%d %H:%M:%S %z", Clock::Local, "2026-07-01 00:30:00 -0500", "2026-07-01T05:30:00Z"),
            ("%s", Clock::Utc, "1782883800", "2026-07-01T05:30:00Z"),
            // Clocks go from 2:00 to 3:00, and in November from 2:00 back to 1:00.
            ("%Y-%m-%d %H:%M", Clock::Local, "2026-03-08 02:30", "2026-03-08T09:30:00Z"),
            ("%Y-%m-%d %H:%M", Clock::Local, "2026-11-01 01:30", "2026-11-01T07:30:00Z"),
        ];
        for (pattern, clock, text, moment) in cases {
            assert_eq!(form(pattern, clock).read(text, &denver), Some(at(moment)), "{pattern} {text}");
        }
        for wrong in ["", "soon", "2026-02-30T00:00:00Z"] {
            assert_eq!(TimeForm::default().read(wrong, &denver), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_day_is_the_same_everywhere() {
        let day = Date::constant(1980, 1, 2);
        assert_eq!(form("%m/%d/%Y", Clock::Local).write_day(day).as_deref(), Some("01/02/1980"));
    }
}
