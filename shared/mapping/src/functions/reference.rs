//! `$reference(type, system, value)`: a FHIR `Reference` by identifier, or nothing when there is no value.
//!
//! The result is a conditional reference (FHIR R4, section 3.1.0.11.2), `{"reference": "Patient?identifier=system|value"}`,
//! with what a URL cannot hold percent-encoded. `bridge-fhir` replaces it with `Patient/id` when the message is
//! assembled, so a mapping never has to know an id.

use std::fmt::Write as _;

use jsonata_core::value::JValue;

use super::{Example, args};
use crate::engine::Run;

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    (
        "$reference('Patient', 'https://pms.example/PatNum', 42)",
        r#"{"reference":"Patient?identifier=https://pms.example/PatNum|42"}"#,
    ),
    (
        "$reference('Location', 'urn:oid:1.2.3', 'Room 4|B')",
        r#"{"reference":"Location?identifier=urn:oid:1.2.3|Room%204%7CB"}"#,
    ),
    ("{'actor': $reference('Patient', 'urn:oid:1.2.3', '')}", "{}"),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let Some(reference) = target(args, run)? else { return Ok(JValue::Undefined) };
    Ok(JValue::object([("reference".to_owned(), JValue::from(reference))].into_iter().collect()))
}

/// What is referred to.
pub(super) fn target(args: &[JValue], run: &Run) -> Result<Option<String>, String> {
    let kind = args::text(args, 0, run)?.ok_or("needs a resource type")?;
    if !kind.starts_with(|c: char| c.is_ascii_uppercase()) || !kind.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Err("argument 1 must be a resource type".to_owned());
    }
    let system = args::text(args, 1, run)?.ok_or("needs a system")?;
    let Some(value) = args::text(args, 2, run)? else { return Ok(None) };
    let mut reference = format!("{kind}?identifier=");
    encode(&system, &mut reference);
    reference.push('|');
    encode(&value, &mut reference);
    Ok(Some(reference))
}

/// Percent-encodes all but the characters that mean nothing in a URL's query nor in a FHIR token.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
