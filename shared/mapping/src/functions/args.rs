//! Reading a function's arguments.

use std::borrow::Cow;

use jsonata_core::value::JValue;

use crate::{engine::Run, number};

/// The argument as text: a string, or a number as it was written. Nothing for a missing, null or blank one.
pub(super) fn text<'a>(args: &'a [JValue], index: usize, run: &Run) -> Result<Option<Cow<'a, str>>, String> {
    let text = match args.get(index) {
        None | Some(JValue::Undefined | JValue::Null) => return Ok(None),
        Some(JValue::String(text)) => {
            Cow::Borrowed(run.tag.and_then(|tag| text.strip_prefix(tag)).unwrap_or(text).trim())
        }
        Some(JValue::Number(double)) => match number::print(*double) {
            Some(text) => Cow::Owned(text),
            None => return Err(format!("argument {} is not a finite number", index + 1)),
        },
        Some(_) => return Err(format!("argument {} must be a string or a number", index + 1)),
    };
    Ok(if text.is_empty() { None } else { Some(text) })
}

/// The argument as a whole number.
pub(super) fn integer(args: &[JValue], index: usize, run: &Run) -> Result<Option<i64>, String> {
    let Some(text) = text(args, index, run)? else { return Ok(None) };
    // `30.0` and `30.00` are whole too.
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    match whole.parse() {
        Ok(whole) if fraction.bytes().all(|digit| digit == b'0') => Ok(Some(whole)),
        _ => Err(format!("argument {} must be a whole number", index + 1)),
    }
}
