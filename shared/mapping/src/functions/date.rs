//! `$date(text)`: the date part of a date or time stamp, as a FHIR `date`.
//!
//! Nothing for blank text and for the dates that databases write when they have none (years 0 and 1:
//! `0001-01-01`, `0000-00-00`). The date is taken as written: a time stamp's offset does not move it.

use jsonata_core::value::JValue;

use super::{Example, args, time};
use crate::engine::Run;

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    ("$date('2026-03-05')", r#""2026-03-05""#),
    ("$date('2026-03-05 23:59:59')", r#""2026-03-05""#),
    ("$date('2026-03-05T23:59:59+02:00')", r#""2026-03-05""#),
    ("{'birthDate': $date('0001-01-01')}", "{}"),
    ("{'birthDate': $date('0000-00-00 00:00:00')}", "{}"),
    ("{'birthDate': $date('')}", "{}"),
    ("{'birthDate': $date(absent)}", "{}"),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let Some(text) = args::text(args, 0, run)? else { return Ok(JValue::Undefined) };
    let date = text.split_once(['T', ' ']).map_or(&*text, |(date, _)| date);
    if time::is_empty_date(date) {
        return Ok(JValue::Undefined);
    }
    match date.parse::<jiff::civil::Date>() {
        Ok(_) if date.len() == "yyyy-MM-dd".len() => Ok(JValue::from(date)),
        _ => Err("must begin with a date of the form yyyy-MM-dd".to_owned()),
    }
}
