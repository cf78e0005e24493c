//! `$pad(text, width, char?)`: JSONata's own, with an end: a width beyond [`crate::limits::PAD`] is refused.
//!
//! A negative width pads on the left.

use jsonata_core::value::JValue;

use super::{Example, args};
use crate::{engine::Run, limits};

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    ("$pad('7', -3, '0')", r#""007""#),
    ("$pad('ab', 5, '-+')", r#""ab-+-""#),
    ("$pad('abc', 2)", r#""abc""#),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let Some(JValue::String(text)) = args.first() else {
        return args::text(args, 0, run)?
            .map_or(Ok(JValue::Undefined), |_| Err("argument 1 must be a string".to_owned()));
    };
    let width = args::integer(args, 1, run)?.ok_or("needs a width")?;
    let wanted = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
    if wanted > limits::PAD {
        return Err(format!("pads to {} characters at most", limits::PAD));
    }
    let filler = match args.get(2) {
        Some(JValue::String(filler)) if !filler.is_empty() => filler,
        _ => " ",
    };
    let missing = wanted.saturating_sub(text.chars().count());
    let padding: String = filler.chars().cycle().take(missing).collect();
    Ok(JValue::from(if width < 0 { padding + text } else { format!("{text}{padding}") }))
}
