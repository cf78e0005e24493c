//! `$link(type, system, value, display?)`: [`$reference`](super::reference) with what it says about itself: its type, its
//! identifier, and a text for people.

use jsonata_core::value::JValue;

use super::{Example, args, identifier, reference};
use crate::engine::Run;

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    (
        "$link('Patient', 'urn:oid:1.2.3', 42, 'Tansy Quillfeather')",
        r#"{"reference":"Patient?identifier=urn:oid:1.2.3|42","type":"Patient","identifier":{"system":"urn:oid:1.2.3","value":"42"},"display":"Tansy Quillfeather"}"#,
    ),
    (
        "$link('Location', 'urn:oid:1.2.3', 'Room 4')",
        r#"{"reference":"Location?identifier=urn:oid:1.2.3|Room%204","type":"Location","identifier":{"system":"urn:oid:1.2.3","value":"Room 4"}}"#,
    ),
    ("{'actor': $link('Patient', 'urn:oid:1.2.3', absent, 'Somebody')}", "{}"),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let Some(target) = reference::target(args, run)? else { return Ok(JValue::Undefined) };
    let identifier = identifier::call(args.get(1..).unwrap_or_default(), run)?;
    let mut link = vec![
        ("reference".to_owned(), JValue::from(target)),
        ("type".to_owned(), args.first().cloned().unwrap_or(JValue::Undefined)),
        ("identifier".to_owned(), identifier),
    ];
    if let Some(display) = args::text(args, 3, run)? {
        link.push(("display".to_owned(), JValue::from(&*display)));
    }
    Ok(JValue::object(link.into_iter().collect()))
}
