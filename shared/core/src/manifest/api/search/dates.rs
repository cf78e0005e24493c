//! Dates in searches (FHIR R4, section 3.1.1.4.7): a value is as wide as it is precise.

use std::time::Duration;

use jiff::{
    ToSpan as _,
    civil::{Date, DateTime},
};

use super::TimeForm;
use crate::{Timestamp, Zone};

/// From a time, included, to a time, excluded; either may be open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
}

/// The units that a product may count in, in seconds.
const UNITS: [u64; 4] = [1, 60, 3600, 86_400];

impl Interval {
    pub(super) fn parse(text: &str, zone: &Zone) -> Option<Self> {
        let (prefix, value) = match text.split_at_checked(2) {
            Some((prefix, value)) if prefix.bytes().all(|b| b.is_ascii_lowercase()) => (prefix, value),
            _ => ("eq", text),
        };
        let (begin, end) = width(value, zone)?;
        let (from, to) = match prefix {
            "eq" => (Some(begin), Some(end)),
            "ge" => (Some(begin), None),
            "gt" => (Some(end), None),
            "le" => (None, Some(end)),
            "lt" => (None, Some(begin)),
            _ => return None,
        };
        Some(Self { from, to })
    }

    /// Both must hold.
    pub(super) fn narrow(&mut self, other: &Self) {
        self.from = self.from.max(other.from);
        self.to = match (self.to, other.to) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
    }

    /// Beginning and end as the product writes them; an end that falls between two of its units is the later one.
    pub(super) fn write(
        &self,
        form: &TimeForm,
        to_included: bool,
        zone: &Zone,
    ) -> Option<(Option<String>, Option<String>)> {
        let from = match self.from {
            Some(from) => Some(form.write(from, zone)?),
            None => None,
        };
        let to = match self.to {
            Some(to) if to_included => Some(form.write(to - Duration::from_millis(1), zone)?),
            Some(to) => Some(no_earlier(to, form, zone)?),
            None => None,
        };
        Some((from, to))
    }
}

/// `at` in this form, rounded up where the form is coarser.
fn no_earlier(at: Timestamp, form: &TimeForm, zone: &Zone) -> Option<String> {
    let text = form.write(at, zone)?;
    let covers = |text: &str| form.read(text, zone).is_none_or(|read| read >= at);
    if covers(&text) {
        return Some(text);
    }
    let later = UNITS.iter().filter_map(|unit| form.write(at + Duration::from_secs(*unit), zone));
    later.into_iter().find(|text| covers(text))
}

/// A whole day, with the prefix `eq` or none.
pub(super) fn day(text: &str) -> Option<Date> {
    let text = text.strip_prefix("eq").unwrap_or(text);
    (text.len() == 10).then(|| text.parse().ok()).flatten()
}

/// The time that a value covers: a year, a month, a day, a minute, a second. Without an offset it is the practice's time.
fn width(text: &str, zone: &Zone) -> Option<(Timestamp, Timestamp)> {
    let local = |at: DateTime| {
        let at = at.to_zoned(zone.rules()?).ok()?;
        Some(Timestamp::from_millis(at.timestamp().as_millisecond()))
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let days = match text.len() {
        4 if digits(text) => Some((format!("{text}-01-01"), 1.year())),
        7 => Some((format!("{text}-01"), 1.month())),
        10 => Some((text.to_owned(), 1.day())),
        _ => None,
    };
    if let Some((first, span)) = days {
        let first: Date = first.parse().ok()?;
        let after = first.checked_add(span).ok()?;
        return Some((local(first.to_datetime(jiff::civil::Time::midnight()))?, local(after.into())?));
    }
    let (_, time) = text.split_once('T')?;
    let clock = time.split(['Z', '+', '-']).next()?;
    // Seconds may be left out; what has a fraction is an instant, and the ledger counts in milliseconds.
    let wide = match clock.len() {
        5 => Duration::from_mins(1),
        8 => Duration::from_secs(1),
        _ => Duration::from_millis(1),
    };
    // A `+` that was not encoded arrives as a blank.
    let text = text.replace(' ', "+");
    let at = text.parse::<Timestamp>().ok().or_else(|| local(text.parse().ok()?))?;
    Some((at, at + wide))
}
