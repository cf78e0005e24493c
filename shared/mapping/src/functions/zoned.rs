//! `$zoned(text, zone?)`: local time as a FHIR `dateTime` or `instant`, with the offset it had in the zone.
//!
//! * The zone is the connection's, or the IANA name given as second argument.
//! * `2026-03-05 14:30:00`, `2026-03-05T14:30:00` and `2026-03-05 14:30` are local; fractions keep their digits.
//! * Text that already has an offset is not converted; only a blank between date and time becomes `T`.
//! * A date alone stays a date: it must not gain a time nobody wrote.
//! * Blank text and the empty dates of databases (years 0 and 1) are nothing.
//! * When clocks go **forward**, a local time that did not exist is moved forward by the length of the gap.
//!   When they go **back**, a local time that existed twice is the first of the two. Both are what RFC 5545
//!   calendars do, and both give the same answer on every replay.

use jiff::tz::TimeZone;
use jsonata_core::value::JValue;

use super::{
    Example, args,
    time::{self, Stamp},
};
use crate::engine::Run;

const FORM: &str = "must be yyyy-MM-dd HH:mm[:ss], with T or a blank between date and time";

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    ("$zoned('2026-03-05 14:30:00')", r#""2026-03-05T14:30:00-06:00""#),
    ("$zoned('2026-07-05T14:30:00')", r#""2026-07-05T14:30:00-05:00""#),
    ("$zoned('2026-07-05 14:30')", r#""2026-07-05T14:30:00-05:00""#),
    ("$zoned('2026-07-05T14:30:00.120')", r#""2026-07-05T14:30:00.120-05:00""#),
    ("$zoned('2026-07-05 14:30:00', 'America/Phoenix')", r#""2026-07-05T14:30:00-07:00""#),
    ("$zoned('2026-07-05T14:30:00+02:00')", r#""2026-07-05T14:30:00+02:00""#),
    ("$zoned('2026-07-05 14:30:00Z')", r#""2026-07-05T14:30:00Z""#),
    ("$zoned('2026-07-05')", r#""2026-07-05""#),
    ("$zoned('2026-03-08 02:30:00')", r#""2026-03-08T03:30:00-05:00""#),
    ("$zoned('2026-11-01 01:30:00')", r#""2026-11-01T01:30:00-05:00""#),
    ("{'start': $zoned('0001-01-01 00:00:00')}", "{}"),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let Some(text) = args::text(args, 0, run)? else { return Ok(JValue::Undefined) };
    if time::is_empty_date(&text) {
        return Ok(JValue::Undefined);
    }
    if text.len() == "yyyy-MM-dd".len() && text.parse::<jiff::civil::Date>().is_ok() {
        return Ok(JValue::from(&*text));
    }
    let stamp = Stamp::parse(&text).ok_or(FORM)?;
    let local = stamp.civil().ok_or(FORM)?;
    let Stamp { date, minute, offset, .. } = stamp;
    let seconds = stamp.seconds();
    if !offset.is_empty() {
        return Ok(JValue::from(format!("{date}T{minute}:{seconds}{offset}")));
    }
    let zone = match args::text(args, 1, run)? {
        Some(name) => TimeZone::get(&name).map_err(|_| "argument 2 must be an IANA time zone")?,
        None => run.zone().cloned().ok_or("the connection has no zone")?,
    };
    let zoned = zone.to_ambiguous_zoned(local).compatible().map_err(|_| "is outside the calendar")?;
    let offset = time::print_offset(zoned.offset()).ok_or("lies before the zone had a standard time")?;
    Ok(JValue::from(format!("{}:{seconds}{offset}", zoned.datetime().strftime("%Y-%m-%dT%H:%M"))))
}
