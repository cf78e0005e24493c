//! `$list(items)`: the items, or nothing when there are none: FHIR has no empty lists.

use jsonata_core::value::JValue;

use super::Example;
use crate::engine::Run;

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    ("{'given': $list(['Tansy', absent])}", r#"{"given":["Tansy"]}"#),
    ("{'given': $list([absent, absent])}", "{}"),
    ("{'given': $list(absent)}", "{}"),
];

pub(super) fn call(args: &[JValue], _: &Run) -> Result<JValue, String> {
    Ok(match args.first() {
        None => JValue::Undefined,
        Some(JValue::Array(items)) if items.is_empty() => JValue::Undefined,
        Some(items) => items.clone(),
    })
}
