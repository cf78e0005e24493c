//! `$pick(object, names)`: the fields of an object that have one of these names, in the object's order.

use jsonata_core::value::JValue;

use super::Example;
use crate::engine::Run;

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    (
        "$pick({'id': 1, 'status': 'booked', 'text': 'x'}, ['status', 'id', 'start'])",
        r#"{"id":1,"status":"booked"}"#,
    ),
    ("$pick({'id': 1}, 'id')", r#"{"id":1}"#),
    ("{'all': $pick(absent, ['id']), 'none': $pick({'id': 1}, ['start'])}", "{}"),
];

pub(super) fn call(args: &[JValue], _: &Run) -> Result<JValue, String> {
    let fields = match args.first() {
        None | Some(JValue::Undefined) => return Ok(JValue::Undefined),
        Some(JValue::Object(fields)) => fields,
        Some(_) => return Err("argument 1 must be an object".to_owned()),
    };
    let names = match args.get(1) {
        Some(JValue::Array(names)) => &names[..],
        Some(name @ JValue::String(_)) => std::slice::from_ref(name),
        _ => return Err("argument 2 must be a list of names".to_owned()),
    };
    let is_picked = |name: &str| names.iter().any(|known| known.as_str() == Some(name));
    let picked = fields.iter().filter(|(name, _)| is_picked(name));
    let picked: Vec<_> = picked.map(|(name, value)| (name.clone(), value.clone())).collect();
    // As `$sift` does: no object without fields.
    Ok(if picked.is_empty() { JValue::Undefined } else { JValue::object(picked.into_iter().collect()) })
}
