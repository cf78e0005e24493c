//! `$identifier(system, value)`: a FHIR `Identifier`, or nothing when there is no value.
//!
//! A numeric value becomes text with every digit it was written with.

use jsonata_core::value::JValue;

use super::args;
use crate::engine::Run;

pub(super) fn call(args: &[JValue], run: &Run) -> Result<JValue, String> {
    let system = args::text(args, 0, run)?.ok_or("needs a system")?;
    let Some(value) = args::text(args, 1, run)? else { return Ok(JValue::Undefined) };
    let fields = [("system", system), ("value", value)];
    Ok(JValue::object(
        fields.into_iter().map(|(name, text)| (name.to_owned(), JValue::from(&*text))).collect(),
    ))
}
