//! Numbers that a double cannot hold as they are written.
//!
//! JSONata computes with doubles: `1.00` would leave as `1`, `12345678901234567890` as `12345678901234567000`.
//! Such a number travels through the evaluation as text behind a tag, a private-use character that occurs
//! nowhere in the record, and becomes the number again, as it was written, at the end.

use jsonata_core::value::{JArray, JValue};
use serde_json::{Map, Number, Value};

/// Where tags are taken from: the private use area of the basic multilingual plane.
const TAGS: std::ops::RangeInclusive<char> = '\u{E000}'..='\u{F8FF}';

/// The first private-use character that no text of `input` contains.
pub(crate) fn free_tag(input: &Value) -> Option<char> {
    TAGS.into_iter().find(|tag| !mentions(input, *tag))
}

fn mentions(value: &Value, tag: char) -> bool {
    match value {
        Value::String(text) => text.contains(tag),
        Value::Array(items) => items.iter().any(|item| mentions(item, tag)),
        Value::Object(fields) => {
            fields.iter().any(|(name, field)| name.contains(tag) || mentions(field, tag))
        }
        _ => false,
    }
}

/// The record as JSONata sees it.
pub(crate) fn protect(value: &Value, tag: char) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(truth) => JValue::Bool(*truth),
        Value::Number(number) => protect_number(number, tag),
        Value::String(text) => JValue::from(text.as_str()),
        Value::Array(items) => {
            let flat = !items.iter().any(Value::is_array);
            JValue::Array(JArray::new_flat(items.iter().map(|item| protect(item, tag)).collect(), flat))
        }
        Value::Object(fields) => {
            JValue::object(fields.iter().map(|(name, field)| (name.clone(), protect(field, tag))).collect())
        }
    }
}

fn protect_number(number: &Number, tag: char) -> JValue {
    let written = number.as_str();
    match written.parse::<f64>() {
        Ok(double) if print(double).as_deref() == Some(written) => JValue::Number(double),
        _ => JValue::string(format!("{tag}{written}")),
    }
}

/// A double as JSON: the shortest text that reads back the same, integers without a point. Nothing for what
/// JSON cannot say (NaN, infinities).
pub(crate) fn print(double: f64) -> Option<String> {
    if !double.is_finite() {
        return None;
    }
    let magnitude = double.abs();
    // The same switch to exponents as JavaScript, which JSONata's own `$string` follows.
    Some(if double == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e21).contains(&magnitude) {
        format!("{double}")
    } else {
        format!("{double:e}")
    })
}

/// The result as JSON again. Nothing when it holds more than `budget` values or a number JSON cannot say.
pub(crate) fn restore(value: &JValue, tag: char, budget: &mut usize) -> Option<Value> {
    *budget = budget.checked_sub(1)?;
    Some(match value {
        JValue::Bool(truth) => Value::Bool(*truth),
        JValue::Number(double) => Value::Number(print(*double)?.parse().ok()?),
        JValue::String(text) => restore_text(text, tag),
        JValue::Array(items) => {
            Value::Array(items.iter().map(|item| restore(item, tag, budget)).collect::<Option<_>>()?)
        }
        JValue::Object(fields) => {
            let mut map = Map::with_capacity(fields.len());
            for (name, field) in fields.iter() {
                if !matches!(field, JValue::Undefined) {
                    map.insert(name.clone(), restore(field, tag, budget)?);
                }
            }
            Value::Object(map)
        }
        // Functions and patterns have no JSON form; JSONata leaves them out.
        _ => Value::Null,
    })
}

fn restore_text(text: &str, tag: char) -> Value {
    match text.strip_prefix(tag).and_then(|written| written.parse::<Number>().ok()) {
        Some(number) => Value::Number(number),
        None if text.contains(tag) => Value::String(text.replace(tag, "")),
        None => Value::String(text.to_owned()),
    }
}
