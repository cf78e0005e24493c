//! `$local(text, zone?)`: an instant as local time without an offset, as products write it: the way back of `$zoned`.
//!
//! * The zone is the connection's, or the IANA name given as second argument; `UTC` is one.
//! * The result has the form `yyyy-MM-ddTHH:mm:ss`; a fraction of a second is cut off.
//! * A date alone stays a date.
//! * When clocks go back, two instants have the same local time; it can't be told which one was meant.

use jiff::tz::TimeZone;
use jsonata_core::value::JValue;

use super::{Example, args, time::Stamp};
use crate::engine::Run;

const FORM: &str = "argument 1 must be a time stamp with an offset, or a date";

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    ("$local('2026-03-05T20:30:00Z')", r#""2026-03-05T14:30:00""#),
    ("$local('2026-07-05T20:30:15.250Z')", r#""2026-07-05T15:30:15""#),
    ("$local('2026-07-05T22:30:00+02:00')", r#""2026-07-05T15:30:00""#),
    ("$local('2026-07-05T20:30:00Z', 'America/Phoenix')", r#""2026-07-05T13:30:00""#),
    ("$local('2026-03-05T14:30:00-06:00', 'UTC') & 'Z'", r#""2026-03-05T20:30:00Z""#),
    ("$local('2026-07-05')", r#""2026-07-05""#),
    ("{'start': $local(absent)}", "{}"),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let Some(text) = args::text(args, 0, run)? else { return Ok(JValue::Undefined) };
    if text.len() == "yyyy-MM-dd".len() && text.parse::<jiff::civil::Date>().is_ok() {
        return Ok(JValue::from(&*text));
    }
    let stamp = Stamp::parse(&text).ok_or(FORM)?;
    let zone = match args::text(args, 1, run)? {
        Some(name) => TimeZone::get(&name).map_err(|_| "argument 2 must be an IANA time zone")?,
        None => run.zone().cloned().ok_or("the connection has no zone")?,
    };
    let local = stamp.instant().ok_or(FORM)?.to_zoned(zone).datetime();
    // `civil` counts whole minutes: the seconds are those that were written.
    let seconds = stamp.seconds().get(..2).ok_or(FORM)?;
    Ok(JValue::from(format!("{}:{seconds}", local.strftime("%Y-%m-%dT%H:%M"))))
}
