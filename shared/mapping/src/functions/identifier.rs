//! `$identifier(system, value)`: a FHIR `Identifier`, or nothing when there is no value.
//!
//! A numeric value becomes text with every digit it was written with.

use jsonata_core::value::JValue;

use super::{Example, args};
use crate::engine::Run;

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    (
        "$identifier('https://pms.example/PatNum', 42)",
        r#"{"system":"https://pms.example/PatNum","value":"42"}"#,
    ),
    ("{'identifier': $identifier('https://pms.example/PatNum', absent)}", "{}"),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let system = args::text(args, 0, run)?.ok_or("needs a system")?;
    let Some(value) = args::text(args, 1, run)? else { return Ok(JValue::Undefined) };
    let fields = [("system", system), ("value", value)];
    Ok(JValue::object(
        fields.into_iter().map(|(name, text)| (name.to_owned(), JValue::from(&*text))).collect(),
    ))
}
