//! `$minutesBetween(from, to)`: how many whole minutes lie between two time stamps with offsets.
//!
//! Negative when the second is the earlier one. Seconds are left out of account.

use jsonata_core::value::JValue;

use super::{Example, args, time::Stamp};
use crate::engine::Run;

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    ("$minutesBetween('2026-03-05T14:30:00-06:00', '2026-03-05T21:15:00Z')", "45"),
    ("$minutesBetween('2026-03-08T01:45:00-06:00', '2026-03-08T03:15:00-05:00')", "30"),
    ("$minutesBetween('2026-03-05T14:30:00Z', '2026-03-05T14:20:00Z')", "-10"),
    ("{'minutes': $minutesBetween('2026-03-05T14:30:00Z', absent)}", "{}"),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let instant = |index: usize| match args::text(args, index, run) {
        Ok(None) => Ok(None),
        Ok(Some(text)) => {
            let form = || format!("argument {} must be a time stamp with an offset", index + 1);
            Stamp::parse(&text).and_then(|stamp| stamp.instant()).map(Some).ok_or_else(form)
        }
        Err(error) => Err(error),
    };
    let (Some(from), Some(to)) = (instant(0)?, instant(1)?) else { return Ok(JValue::Undefined) };
    let minutes = (to.as_second() - from.as_second()) / 60;
    #[expect(clippy::cast_precision_loss, reason = "all minutes of the calendar fit a double")]
    let number = minutes as f64;
    Ok(JValue::from(number))
}
