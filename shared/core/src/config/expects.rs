//! What is expected of a connection: how often it speaks, and when it may be silent.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Zone;

/// The rhythm of a connection. Empty: it is learned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Expects {
    /// Its silence is no news.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nothing: bool,
    /// A message within so many minutes of open time. Without it the rhythm is learned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_minutes: Option<u32>,
    /// The days on which the practice is open. Empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// From when to when it is open. Without: all day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// Where these times are meant. Without: where the practice is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// Days on which it is closed whatever day of the week they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holidays: Vec<Holiday>,
}

/// The shortest rhythm that can be expected: a message's record may be some minutes behind its arrival.
pub const SHORTEST_RHYTHM: u32 = 5;
/// The longest, in minutes: 60 days of open time.
pub const LONGEST_RHYTHM: u32 = 60 * 24 * 60;

impl Expects {
    /// What contradicts itself: the word, and what to do about it.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        if self.nothing && *self != (Self { nothing: true, ..Self::default() }) {
            problems
                .push(("nothing", "`nothing: true` stands alone: leave out the rest, or this".to_owned()));
        }
        if let Some(minutes) = self.every_minutes
            && !(SHORTEST_RHYTHM..=LONGEST_RHYTHM).contains(&minutes)
        {
            let text = format!("from {SHORTEST_RHYTHM} to {LONGEST_RHYTHM} minutes can be expected");
            problems.push(("every-minutes", text));
        }
        problems
    }
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "everybody knows them")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    /// 0 for Monday to 6 for Sunday.
    pub const fn from_monday(self) -> u8 {
        self as u8
    }
}

/// Opening hours, `08:00-17:30`. Where the end is not after the beginning, it is on the next day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// Minutes after midnight, below 1440.
    pub open: u16,
    /// Minutes after midnight, up to 1440.
    pub close: u16,
}

/// Minutes of a day.
const DAY: u16 = 24 * 60;

impl FromStr for Hours {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let minutes = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let two = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
            let (hour, minute) = (two(hour)?, two(minute)?);
            (minute < 60).then_some(hour * 60 + minute)
        };
        let both = text.split_once('-').and_then(|(open, close)| Some((minutes(open)?, minutes(close)?)));
        match both {
            Some((open, close)) if open < DAY && close <= DAY && open != close => Ok(Self { open, close }),
            _ => Err(format!("`{text}` are no hours (example: 08:00-17:30)")),
        }
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { open, close } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", open / 60, open % 60, close / 60, close % 60)
    }
}

/// A day without work: of every year (`12-25`) or of one (`2026-11-26`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday {
    /// Of this year alone.
    pub year: Option<i16>,
    /// 1 to 12.
    pub month: i8,
    /// 1 to 31.
    pub day: i8,
}

impl FromStr for Holiday {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The 29th of February exists in leap years: one stands in for all.
        let whole = if text.len() == 5 { format!("2024-{text}") } else { text.to_owned() };
        let date = whole.parse::<jiff::civil::Date>().ok().filter(|date| date.to_string() == whole);
        let date = date.ok_or_else(|| format!("`{text}` is no day (examples: 12-25, 2026-11-26)"))?;
        let year = (text.len() != 5).then(|| date.year());
        Ok(Self { year, month: date.month(), day: date.day() })
    }
}

impl fmt::Display for Holiday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(year) = self.year {
            write!(f, "{year:04}-")?;
        }
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
as_text!(Hours, Holiday);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hours_and_holidays_are_read_as_they_are_written() {
        for text in ["08:00-17:30", "22:00-06:00", "00:00-24:00"] {
            assert_eq!(text.parse::<Hours>().unwrap().to_string(), text);
        }
        for wrong in ["8-17", "08:00", "24:00-01:00", "08:60-09:00", "08:00-08:00", "08:00-25:00", ""] {
            assert!(wrong.parse::<Hours>().is_err_and(|error| error.contains("08:00-17:30")), "{wrong}");
        }
        for text in ["12-25", "02-29", "2026-11-26"] {
            assert_eq!(text.parse::<Holiday>().unwrap().to_string(), text);
        }
        for wrong in ["25-12", "2026-02-29", "26-11-26", "Christmas", ""] {
            assert!(wrong.parse::<Holiday>().is_err_and(|error| error.contains("12-25")), "{wrong}");
        }
    }

    #[test]
    fn what_contradicts_itself_is_named() {
        let fields = |expects: &Expects| expects.problems().iter().map(|(word, _)| *word).collect::<Vec<_>>();
        let every = |minutes| Expects { every_minutes: Some(minutes), ..Expects::default() };
        assert!(fields(&Expects::default()).is_empty());
        assert!(fields(&every(30)).is_empty());
        assert_eq!(fields(&every(4)), ["every-minutes"]);
        assert_eq!(fields(&Expects { nothing: true, ..every(30) }), ["nothing"]);
    }
}
