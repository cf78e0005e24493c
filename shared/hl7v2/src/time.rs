//! Dates and times of HL7 v2: DTM, TS, DT (`YYYY[MM[DD[HH[MM[SS[.SSSS]]]]]][+/-ZZZZ]`) and TM (v2.5.1
//! §2.A.22, §2.A.75).
//!
//! Keeps what was written: how precise it is and which offset it names. Fills in nothing; the zone of a time
//! without an offset is the caller's to say.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil, tz};

/// How far a time stamp was written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// `YYYY`
    Year,
    /// `YYYYMM`
    Month,
    /// `YYYYMMDD`
    Day,
    /// `YYYYMMDDHH`
    Hour,
    /// `YYYYMMDDHHMM`
    Minute,
    /// `YYYYMMDDHHMMSS`
    Second,
    /// `YYYYMMDDHHMMSS.S…`, with so many digits (1 to 9).
    Fraction(u8),
}

/// Which part of a time stamp is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimeFault {
    /// Something other than digits, a point and an offset, or too few or too many of them.
    #[error("not of the form YYYY[MM[DD[HH[MM[SS[.S]]]]]][+/-ZZZZ]")]
    Form,
    /// The year 0.
    #[error("there is no year 0")]
    Year,
    /// Not 01 to 12.
    #[error("the month is not 01 to 12")]
    Month,
    /// No such day in that month.
    #[error("the month has no such day")]
    Day,
    /// Not 00 to 23.
    #[error("the hour is not 00 to 23")]
    Hour,
    /// Not 00 to 59.
    #[error("the minute is not 00 to 59")]
    Minute,
    /// Not 00 to 60; 60 is a leap second.
    #[error("the second is not 00 to 60")]
    Second,
    /// Not within 14 hours of UTC.
    #[error("the offset is not within 14:00 of UTC")]
    Offset,
}

/// A point in time as precise as it was written.
///
/// Parts that were not written read as their first value (month 1, hour 0); [`Dtm::precision`] tells which
/// were. Displays as it was written, except that `-0000` becomes `+0000`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dtm {
    date: civil::Date,
    time: Tm,
    precision: Precision,
}

impl Dtm {
    /// How far it was written out.
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// Its date. In a year or a month alone the rest is 1.
    pub fn date(self) -> civil::Date {
        self.date
    }

    /// Its date and time of day. A leap second reads as second 59.
    pub fn datetime(self) -> civil::DateTime {
        self.date.to_datetime(self.time.time())
    }

    /// Its time of day as written; midnight when none was.
    pub fn time(self) -> Tm {
        self.time
    }

    /// Its offset from UTC in minutes, when one was written.
    pub fn offset_minutes(self) -> Option<i16> {
        self.time.offset
    }

    /// The instant it means: by its own offset, or else in `zone`. A time that a change to summer time skips
    /// is read with the offset before the change, one that occurs twice is the first. `None` at the end of
    /// time.
    pub fn timestamp(self, zone: &tz::TimeZone) -> Option<Timestamp> {
        match self.time.offset {
            Some(minutes) => {
                let offset = tz::Offset::from_seconds(i32::from(minutes) * 60).ok()?;
                offset.to_timestamp(self.datetime()).ok()
            }
            None => zone.to_timestamp(self.datetime()).ok(),
        }
    }
}

impl FromStr for Dtm {
    type Err = TimeFault;

    fn from_str(text: &str) -> Result<Self, TimeFault> {
        let (body, offset) = split_offset(text)?;
        let digits = body.find('.').unwrap_or(body.len());
        let date_digits = digits.min(8);
        let Some((date, time)) = body.split_at_checked(date_digits) else { return Err(TimeFault::Form) };
        let year = number(date.get(..4).ok_or(TimeFault::Form)?)?;
        let month = date.get(4..6).map(number).transpose()?;
        let day = date.get(6..8).map(number).transpose()?;
        let date_precision = match date.len() {
            4 => Precision::Year,
            6 => Precision::Month,
            8 => Precision::Day,
            _ => return Err(TimeFault::Form),
        };
        let (time, precision) = match time {
            "" => (Tm { offset, ..Tm::MIDNIGHT }, date_precision),
            _ if date_precision < Precision::Day => return Err(TimeFault::Form),
            time => clock(time, offset)?,
        };
        if year == 0 {
            return Err(TimeFault::Year);
        }
        let month = narrow(month.unwrap_or(1), 1..=12, TimeFault::Month)?;
        let day = narrow(day.unwrap_or(1), 1..=31, TimeFault::Day)?;
        let year = i16::try_from(year).map_err(|_| TimeFault::Year)?;
        let date = civil::Date::new(year, month, day).map_err(|_| TimeFault::Day)?;
        Ok(Self { date, time, precision })
    }
}

impl fmt::Display for Dtm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.date.year())?;
        if self.precision >= Precision::Month {
            write!(f, "{:02}", self.date.month())?;
        }
        if self.precision >= Precision::Day {
            write!(f, "{:02}", self.date.day())?;
        }
        self.time.write(f, self.precision)
    }
}

/// A time of day as precise as it was written: `HH[MM[SS[.SSSS]]][+/-ZZZZ]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tm {
    hour: i8,
    minute: i8,
    second: i8,
    nanosecond: i32,
    offset: Option<i16>,
    precision: Precision,
}

impl Tm {
    const MIDNIGHT: Self =
        Self { hour: 0, minute: 0, second: 0, nanosecond: 0, offset: None, precision: Precision::Hour };

    /// How far it was written out: [`Precision::Hour`] or finer.
    pub fn precision(self) -> Precision {
        self.precision
    }

    /// The time of day. A leap second reads as second 59.
    pub fn time(self) -> civil::Time {
        civil::Time::new(self.hour, self.minute, self.second.min(59), self.nanosecond).unwrap_or_default()
    }

    /// Its offset from UTC in minutes, when one was written.
    pub fn offset_minutes(self) -> Option<i16> {
        self.offset
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, precision: Precision) -> fmt::Result {
        if precision >= Precision::Hour {
            write!(f, "{:02}", self.hour)?;
        }
        if precision >= Precision::Minute {
            write!(f, "{:02}", self.minute)?;
        }
        if precision >= Precision::Second {
            write!(f, "{:02}", self.second)?;
        }
        if let Precision::Fraction(digits) = precision {
            let nanoseconds = format!("{:09}", self.nanosecond);
            write!(f, ".{}", &nanoseconds[..usize::from(digits.min(9))])?;
        }
        if let Some(minutes) = self.offset {
            let (sign, minutes) = (if minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
            write!(f, "{sign}{:02}{:02}", minutes / 60, minutes % 60)?;
        }
        Ok(())
    }
}

impl FromStr for Tm {
    type Err = TimeFault;

    fn from_str(text: &str) -> Result<Self, TimeFault> {
        let (body, offset) = split_offset(text)?;
        Ok(clock(body, offset)?.0)
    }
}

impl fmt::Display for Tm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, self.precision)
    }
}

/// Takes `+/-ZZZZ` off the end, as minutes.
fn split_offset(text: &str) -> Result<(&str, Option<i16>), TimeFault> {
    let text = text.trim_matches(' ');
    let Some(at) = text.find(['+', '-']) else { return Ok((text, None)) };
    let (body, offset) = text.split_at(at);
    let (sign, digits) = offset.split_at(1);
    if digits.len() != 4 {
        return Err(TimeFault::Form);
    }
    let digits = number(digits)?;
    let (hours, minutes) = (digits / 100, digits % 100);
    let total = i16::try_from(hours * 60 + minutes).map_err(|_| TimeFault::Offset)?;
    if minutes > 59 || total > 14 * 60 {
        return Err(TimeFault::Offset);
    }
    Ok((body, Some(if sign == "-" { -total } else { total })))
}

/// `HH[MM[SS[.SSSS]]]`.
fn clock(text: &str, offset: Option<i16>) -> Result<(Tm, Precision), TimeFault> {
    let (whole, fraction) =
        text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let part = |at: std::ops::Range<usize>| whole.get(at).map(number).transpose();
    let precision = match (whole.len(), fraction.map(str::len)) {
        (2, None) => Precision::Hour,
        (4, None) => Precision::Minute,
        (6, None) => Precision::Second,
        (6, Some(digits @ 1..=9)) => Precision::Fraction(u8::try_from(digits).unwrap_or(9)),
        _ => return Err(TimeFault::Form),
    };
    let scale = fraction.map_or(0, |f| 10_u32.pow(9_u32.saturating_sub(u32::try_from(f.len()).unwrap_or(9))));
    let nanosecond = fraction.map(number).transpose()?.unwrap_or(0) * scale;
    let time = Tm {
        hour: narrow(part(0..2)?.unwrap_or(0), 0..=23, TimeFault::Hour)?,
        minute: narrow(part(2..4)?.unwrap_or(0), 0..=59, TimeFault::Minute)?,
        second: narrow(part(4..6)?.unwrap_or(0), 0..=60, TimeFault::Second)?,
        nanosecond: i32::try_from(nanosecond).map_err(|_| TimeFault::Form)?,
        offset,
        precision,
    };
    Ok((time, precision))
}

/// At most nine digits, all ASCII: `parse` alone would take a sign.
fn number(digits: &str) -> Result<u32, TimeFault> {
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(TimeFault::Form);
    }
    digits.parse().map_err(|_| TimeFault::Form)
}

fn narrow(n: u32, range: std::ops::RangeInclusive<i8>, fault: TimeFault) -> Result<i8, TimeFault> {
    i8::try_from(n).ok().filter(|n| range.contains(n)).ok_or(fault)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_precision_keeps_itself() {
        for (text, precision) in [
            ("2024", Precision::Year),
            ("202402", Precision::Month),
            ("20240229", Precision::Day),
            ("2024022923", Precision::Hour),
            ("202402292359", Precision::Minute),
            ("20240229235960", Precision::Second),
            ("20240229235959.1", Precision::Fraction(1)),
            ("20240229235959.0000", Precision::Fraction(4)),
            ("20240229235959.123456789-0330", Precision::Fraction(9)),
            ("20240229+0000", Precision::Day),
            ("2024-0500", Precision::Year),
        ] {
            let read: Dtm = text.parse().unwrap();
            assert_eq!((read.precision(), read.to_string().as_str()), (precision, text));
        }
    }

    #[test]
    fn offsets_west_of_greenwich_by_less_than_an_hour_stay_west() {
        let read: Dtm = "202401011200-0030".parse().unwrap();
        assert_eq!(read.offset_minutes(), Some(-30));
        assert_eq!(read.to_string(), "202401011200-0030");
    }

    #[test]
    fn each_wrong_part_is_named() {
        for (text, fault) in [
            ("", TimeFault::Form),
            ("202", TimeFault::Form),
            ("2024-01-01", TimeFault::Form),
            ("20240", TimeFault::Form),
            ("2024.5", TimeFault::Form),
            ("202401011", TimeFault::Form),
            ("202401011200.5", TimeFault::Form),
            ("20240101120000.", TimeFault::Form),
            ("20240101120000.1234567890", TimeFault::Form),
            ("2024x101", TimeFault::Form),
            ("２０２４", TimeFault::Form),
            ("00000000", TimeFault::Year),
            ("20241301", TimeFault::Month),
            ("20240001", TimeFault::Month),
            ("20230229", TimeFault::Day),
            ("20240100", TimeFault::Day),
            ("2024010124", TimeFault::Hour),
            ("202401011260", TimeFault::Minute),
            ("20240101120061", TimeFault::Second),
            ("20240101+1500", TimeFault::Offset),
            ("20240101+0160", TimeFault::Offset),
            ("20240101+01", TimeFault::Form),
        ] {
            assert_eq!(text.parse::<Dtm>(), Err(fault), "{text}");
        }
    }

    #[test]
    fn instants_use_their_own_offset_before_the_zone() {
        let zone = tz::TimeZone::get("America/Chicago").unwrap();
        let at = |text: &str| text.parse::<Dtm>().unwrap().timestamp(&zone).unwrap().to_string();
        assert_eq!(at("20240701120000"), "2024-07-01T17:00:00Z");
        assert_eq!(at("20240101120000"), "2024-01-01T18:00:00Z");
        assert_eq!(at("20240101120000+0100"), "2024-01-01T11:00:00Z");
    }

    #[test]
    fn times_of_day() {
        for text in ["09", "0930", "093015", "093015.25", "0930-0500"] {
            assert_eq!(text.parse::<Tm>().unwrap().to_string(), text);
        }
        assert_eq!("2460".parse::<Tm>(), Err(TimeFault::Hour));
        assert_eq!("9".parse::<Tm>(), Err(TimeFault::Form));
    }

    proptest! {
        #[test]
        fn whatever_is_read_prints_as_it_was(text in "[0-9]{4,14}(\\.[0-9]{1,9})?([+-](0[0-9]|1[0-3])[0-5][0-9])?") {
            if let Ok(read) = text.parse::<Dtm>() {
                prop_assert_eq!(read.to_string(), text.replace("-0000", "+0000"));
            }
        }

        #[test]
        fn nothing_panics(text in any::<String>()) {
            let _ = (text.parse::<Dtm>(), text.parse::<Tm>());
        }
    }
}
