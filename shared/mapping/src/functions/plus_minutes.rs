//! `$plusMinutes(text, n)`: the instant `n` minutes after a time stamp that has an offset.
//!
//! `n` is a whole number and may be negative. Seconds and their fraction keep their digits. A time stamp that
//! is written as in the connection's zone comes out as in that zone, so an appointment that spans a change of
//! clocks ends with the new offset; any other keeps its own offset.

use jiff::{Span, tz::TimeZone};
use jsonata_core::value::JValue;

use super::{
    Example, args,
    time::{self, Stamp},
};
use crate::engine::Run;

const FORM: &str = "argument 1 must be a time stamp with an offset, as $zoned gives";

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    ("$plusMinutes('2026-03-05T14:30:00-06:00', 45)", r#""2026-03-05T15:15:00-06:00""#),
    ("$plusMinutes('2026-03-05T14:30:12.50Z', -31)", r#""2026-03-05T13:59:12.50Z""#),
    ("$plusMinutes('2026-03-08T01:45:00-06:00', 30)", r#""2026-03-08T03:15:00-05:00""#),
    ("$plusMinutes('2026-11-01T01:45:00-05:00', 30)", r#""2026-11-01T01:15:00-06:00""#),
    ("$plusMinutes('2026-03-08T01:45:00+01:00', 30)", r#""2026-03-08T02:15:00+01:00""#),
    ("{'end': $plusMinutes(absent, 30)}", "{}"),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let Some(text) = args::text(args, 0, run)? else { return Ok(JValue::Undefined) };
    let Some(minutes) = args::integer(args, 1, run)? else { return Ok(JValue::Undefined) };
    let stamp = Stamp::parse(&text).ok_or(FORM)?;
    let written = stamp.written_offset().ok_or(FORM)?;
    let start = stamp.instant().ok_or(FORM)?;
    let span = Span::new().try_minutes(minutes).map_err(|_| "argument 2 is out of range")?;
    let end = start.checked_add(span).map_err(|_| "argument 2 is out of range")?;

    let follows_zone = run.zone().filter(|zone| zone.to_offset(start) == written);
    let end = end.to_zoned(follows_zone.cloned().unwrap_or_else(|| TimeZone::fixed(written)));
    let offset = match stamp.offset {
        "Z" if end.offset() == written => "Z".to_owned(),
        _ => time::print_offset(end.offset()).ok_or(FORM)?,
    };
    Ok(JValue::from(format!("{}:{}{offset}", end.datetime().strftime("%Y-%m-%dT%H:%M"), stamp.seconds())))
}
