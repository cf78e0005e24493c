//! `$text(value)`: text without blanks around it and with single ones inside, as JSONata's `$trim` makes it; a number as it
//! was written.
//!
//! Products write "nothing" in many ways. What is blank, or is false to JSONata (`null`, `false`, 0, `{}`), is nothing.

use jsonata_core::value::JValue;

use super::{Example, args};
use crate::{engine::Run, number};

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    ("$text('  Bring \n the  X-rays. ')", r#""Bring the X-rays.""#),
    ("$text(4711)", r#""4711""#),
    ("{'a': $text('  '), 'b': $text(absent), 'c': $text(null), 'd': $text(0), 'e': $text(false)}", "{}"),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let Some(value) = args.first() else { return Ok(JValue::Undefined) };
    let digits = run.tag.and_then(|tag| number::digits(value, tag));
    Ok(match (value, digits) {
        (_, Some(digits)) if number::is_zero(digits) => JValue::Undefined,
        (_, Some(digits)) => JValue::from(digits),
        (JValue::String(text), None) => tidy(text),
        (JValue::Bool(false), _) => JValue::Undefined,
        (JValue::Number(number), _) if *number == 0.0 => JValue::Undefined,
        (JValue::Array(items), _) if items.is_empty() => JValue::Undefined,
        (JValue::Object(fields), _) if fields.is_empty() => JValue::Undefined,
        _ => args::text(args, 0, run)?.map_or(JValue::Undefined, |text| JValue::from(&*text)),
    })
}

/// As `$trim` does: single blanks for JSON's white space, and none of any kind at the ends.
fn tidy(text: &str) -> JValue {
    let mut words = text.trim().split([' ', '\t', '\n', '\r']).filter(|word| !word.is_empty());
    let Some(first) = words.next() else { return JValue::Undefined };
    let mut tidied = String::with_capacity(text.len());
    tidied.push_str(first);
    for word in words {
        tidied.push(' ');
        tidied.push_str(word);
    }
    JValue::from(tidied)
}
