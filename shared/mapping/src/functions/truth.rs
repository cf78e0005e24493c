//! `$truth(text)`: a boolean, from a product that writes booleans as text.
//!
//! `true`, `"true"` and `"True"` are `true`; `false`, `"false"` and `"False"` are `false`. Blank text is nothing;
//! any other is an error, because a guess (`"N"`? `"0"`?) would be the adapter's to declare.

use jsonata_core::value::JValue;

use super::{Example, args};
use crate::engine::Run;

/// Expressions with their results in the zone `America/Chicago`; each one is a test.
pub const EXAMPLES: &[Example] = &[
    ("[$truth('true'), $truth('False'), $truth(true)]", "[true,false,true]"),
    ("{'active': $truth('')}", "{}"),
    ("{'active': $truth(absent)}", "{}"),
];

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    if let Some(JValue::Bool(truth)) = args.first() {
        return Ok(JValue::Bool(*truth));
    }
    let Some(text) = args::text(args, 0, run)? else { return Ok(JValue::Undefined) };
    if text.eq_ignore_ascii_case("true") {
        Ok(JValue::Bool(true))
    } else if text.eq_ignore_ascii_case("false") {
        Ok(JValue::Bool(false))
    } else {
        Err("must be a boolean, \"true\" or \"false\"".to_owned())
    }
}
