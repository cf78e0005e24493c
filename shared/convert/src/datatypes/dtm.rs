//! DTM, DT, TS and TM: dates and times as precise as they were written, with the offset they were written with, or
//! else the one the sender's zone had at that moment.

use bridge_hl7v2::{
    Value,
    time::{Dtm, Precision, Tm},
};
use jiff::{Timestamp, tz::TimeZone};

use crate::{conversion::Conversion, json::Json, report::Reason};

/// A `dateTime`: a date alone stays a date. FHIR has no hours without minutes and seconds; those not written are 0.
pub(crate) fn date_time<'m>(c: &mut Conversion<'m>, w: &mut Json, key: &str, value: Value<'m>) {
    if let Some(dtm) = read(c, value) {
        write(c, w, key, dtm);
    }
}

/// One that has been read.
pub(crate) fn write(c: &Conversion<'_>, w: &mut Json, key: &str, dtm: Dtm) {
    w.key(key);
    w.push(b"\"");
    w.push(Text::of(dtm, &c.profile.zone).bytes());
    w.push(b"\"");
}

/// Whether one time lies before another, as far as both are known.
pub(crate) fn is_before(c: &mut Conversion<'_>, one: Dtm, other: Dtm) -> bool {
    if let (Some(one), Some(other)) = (moment(c, one), moment(c, other)) {
        return one < other;
    }
    let [one, other] = [one, other].map(|dtm| {
        let mut text = Text::default();
        text.date(dtm);
        text
    });
    let differ = one.bytes().iter().zip(other.bytes()).find(|(one, other)| one != other);
    differ.is_some_and(|(one, other)| one < other)
}

/// A `date`: the time of day is the caller's to keep.
pub(crate) fn date<'m>(c: &mut Conversion<'m>, w: &mut Json, key: &str, value: Value<'m>) -> Option<Dtm> {
    let dtm = read(c, value)?;
    let mut text = Text::default();
    text.date(dtm);
    w.key(key);
    w.push(b"\"");
    w.push(text.bytes());
    w.push(b"\"");
    Some(dtm)
}

/// An `instant`, which must be told to the second; less gives nothing, and a note. Tells whether it was written.
pub(crate) fn instant<'m>(c: &mut Conversion<'m>, w: &mut Json, key: &str, value: Value<'m>) -> bool {
    let Some(dtm) = read(c, value) else { return false };
    if dtm.precision() < Precision::Minute {
        c.note(value, Reason::TooCoarse("an instant"));
        return false;
    }
    w.key(key);
    w.push(b"\"");
    w.push(Text::of(dtm, &c.profile.zone).bytes());
    w.push(b"\"");
    true
}

/// A `time`: a time of day, of no zone.
pub(crate) fn time<'m>(c: &mut Conversion<'m>, w: &mut Json, key: &str, value: Value<'m>) {
    match value.tm() {
        Ok(Some(tm)) => {
            let mut text = Text::default();
            text.clock(tm);
            w.key(key);
            w.push(b"\"");
            w.push(text.bytes());
            w.push(b"\"");
        }
        Ok(None) => {}
        Err(error) => c.unreadable(&error),
    }
}

/// A moment computed from others, as a `dateTime` in the sender's zone.
pub(crate) fn computed(c: &Conversion<'_>, w: &mut Json, key: &str, at: Timestamp) {
    let mut text = Text::default();
    text.moment(at, c.profile.zone.to_offset(at).seconds());
    w.key(key);
    w.push(b"\"");
    w.push(text.bytes());
    w.push(b"\"");
}

/// The value, when it is a date or time; a note, when it is something else.
pub(crate) fn read<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Dtm> {
    // TS had a second component, the precision, which the digits tell as well.
    if value.raw().bytes().any(|b| !b.is_ascii_digit()) {
        for further in value.parts().skip(1).filter(|part| part.content().is_some()) {
            c.note(further, Reason::NotMapped);
        }
    }
    value.dtm().unwrap_or_else(|error| {
        c.unreadable(&error);
        None
    })
}

/// The moment the value names; `None` when it names a day or more.
pub(crate) fn moment(c: &mut Conversion<'_>, dtm: Dtm) -> Option<Timestamp> {
    (dtm.precision() >= Precision::Hour).then(|| dtm.timestamp(&c.profile.zone)).flatten()
}

/// The text of a date or time, put together without allocating: `2024-02-29T23:59:59.123456789+05:45` and no longer.
struct Text {
    bytes: [u8; 40],
    len: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self { bytes: [0; 40], len: 0 }
    }
}

impl Text {
    fn of(dtm: Dtm, zone: &TimeZone) -> Self {
        let mut text = Self::default();
        text.date(dtm);
        if dtm.precision() >= Precision::Hour {
            text.push(b'T');
            text.clock(dtm.time());
            let minutes = dtm.offset_minutes().map(i32::from);
            let here = || dtm.timestamp(zone).map_or(0, |at| zone.to_offset(at).seconds() / 60);
            text.offset(minutes.unwrap_or_else(here));
        }
        text
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn date(&mut self, dtm: Dtm) {
        let date = dtm.date();
        self.digits(u32::from(date.year().unsigned_abs()), 4);
        if dtm.precision() >= Precision::Month {
            self.push(b'-');
            self.digits(u32::from(date.month().unsigned_abs()), 2);
        }
        if dtm.precision() >= Precision::Day {
            self.push(b'-');
            self.digits(u32::from(date.day().unsigned_abs()), 2);
        }
    }

    fn clock(&mut self, tm: Tm) {
        let time = tm.time();
        self.digits(u32::from(time.hour().unsigned_abs()), 2);
        self.push(b':');
        self.digits(u32::from(time.minute().unsigned_abs()), 2);
        self.push(b':');
        // FHIR takes a leap second as 60 in its grammar, and few of its readers do: 59 is the second before.
        self.digits(u32::from(time.second().unsigned_abs()), 2);
        if let Precision::Fraction(digits) = tm.precision() {
            self.push(b'.');
            let start = self.len;
            self.digits(time.subsec_nanosecond().unsigned_abs(), 9);
            self.len = start + usize::from(digits.min(9));
        }
    }

    fn moment(&mut self, at: Timestamp, offset: i32) {
        let local = jiff::tz::Offset::from_seconds(offset).unwrap_or(jiff::tz::Offset::UTC).to_datetime(at);
        self.digits(u32::from(local.year().unsigned_abs()), 4);
        for (separator, part) in [
            (b'-', local.month()),
            (b'-', local.day()),
            (b'T', local.hour()),
            (b':', local.minute()),
            (b':', local.second()),
        ] {
            self.push(separator);
            self.digits(u32::from(part.unsigned_abs()), 2);
        }
        self.offset(offset / 60);
    }

    fn offset(&mut self, minutes: i32) {
        self.push(if minutes < 0 { b'-' } else { b'+' });
        let minutes = minutes.unsigned_abs();
        self.digits(minutes / 60, 2);
        self.push(b':');
        self.digits(minutes % 60, 2);
    }

    fn digits(&mut self, number: u32, width: usize) {
        let mut rest = number;
        for slot in self.bytes[self.len..self.len + width].iter_mut().rev() {
            *slot = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        self.len += width;
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }
}

/// The moment a timestamp of ours names, as an `instant`.
pub(crate) fn own_instant(w: &mut Json, key: &str, at: Timestamp) {
    let mut text = Text::default();
    text.moment(at, 0);
    w.key(key);
    w.push(b"\"");
    w.push(text.bytes());
    w.push(b"\"");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn written(text: &str, zone: &str) -> String {
        let zone = TimeZone::get(zone).unwrap();
        String::from_utf8(Text::of(text.parse().unwrap(), &zone).bytes().to_vec()).unwrap()
    }

    #[test]
    fn precision_and_offset_stay_as_written() {
        for (v2, fhir) in [
            ("2024", "2024"),
            ("202402", "2024-02"),
            ("20240229", "2024-02-29"),
            ("2024022923", "2024-02-29T23:00:00-06:00"),
            ("202402292359", "2024-02-29T23:59:00-06:00"),
            ("20240729235959", "2024-07-29T23:59:59-05:00"),
            ("20240229235959.120", "2024-02-29T23:59:59.120-06:00"),
            ("20240229235959.123456789+0545", "2024-02-29T23:59:59.123456789+05:45"),
            ("20240229235959-0030", "2024-02-29T23:59:59-00:30"),
            ("20240229+0100", "2024-02-29"),
            ("20161231235960+0000", "2016-12-31T23:59:59+00:00"),
        ] {
            assert_eq!(written(v2, "America/Chicago"), fhir, "{v2}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_is_the_first_and_one_that_never_comes_is_moved_by_none() {
        assert_eq!(written("20241103013000", "America/Chicago"), "2024-11-03T01:30:00-05:00");
        assert_eq!(written("20240310023000", "America/Chicago"), "2024-03-10T02:30:00-05:00");
    }
}
