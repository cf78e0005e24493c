//! Numbers that a double cannot hold as they are written.
//!
//! JSONata computes with doubles: `1.00` would leave as `1`, `12345678901234567890` as `12345678901234567000`.
//! Such a number travels through the evaluation **protected**: as text behind a tag, a private-use character that
//! occurs nowhere else, and becomes the number again, as it was written, at the end. [`crate::exact`] sees to it
//! that nothing on the way mistakes it for text.

use std::cell::Cell;

use jsonata_core::value::{JArray, JValue};
use serde_json::{Map, Number, Value};

/// Functions for [`crate::exact`]; no mapping can spell their names. The nearest double.
pub(crate) const DOUBLE: &str = "as double";
/// The digits as written.
pub(crate) const TEXT: &str = "as text";
/// A value that is equal exactly when the decimal value is.
pub(crate) const COMPARED: &str = "as compared";
/// The number itself, unless it is zero, which JSONata takes for false.
pub(crate) const TRUTH: &str = "as truth";

/// What stands for a protected number's sign that it is one, while there is none.
pub(crate) const FIRST_TAG: char = '\u{E000}';
const LAST_TAG: char = '\u{F8FF}';

/// Whether `c` could be chosen as a tag.
pub(crate) fn is_tag(c: char) -> bool {
    (FIRST_TAG..=LAST_TAG).contains(&c)
}

/// A record as JSONata sees it.
pub(crate) struct Protected {
    pub(crate) value: JValue,
    /// The tag, when a number had to be protected.
    pub(crate) tag: Option<char>,
}

/// Makes JSONata's form of a record. `taken` are characters that occur in the mapping. Nothing when every
/// private-use character is taken.
pub(crate) fn protect(input: &Value, taken: &[char]) -> Option<Protected> {
    (FIRST_TAG..=LAST_TAG).filter(|tag| !taken.contains(tag)).find_map(|tag| {
        let mut protector = Protector { tag, used: false, clash: false };
        let value = protector.value(input);
        // Where nothing is protected, a clash does not matter.
        (!(protector.used && protector.clash))
            .then_some(Protected { value, tag: protector.used.then_some(tag) })
    })
}

struct Protector {
    tag: char,
    used: bool,
    clash: bool,
}

impl Protector {
    fn value(&mut self, value: &Value) -> JValue {
        match value {
            Value::Null => JValue::Null,
            Value::Bool(truth) => JValue::Bool(*truth),
            Value::Number(number) => self.number(number.as_str()),
            Value::String(text) => {
                self.watch(text);
                JValue::from(text.as_str())
            }
            Value::Array(items) => {
                let flat = !items.iter().any(Value::is_array);
                JValue::Array(JArray::new_flat(items.iter().map(|item| self.value(item)).collect(), flat))
            }
            Value::Object(fields) => {
                let mut field = |(name, value): (&String, &Value)| {
                    self.watch(name);
                    (name.clone(), self.value(value))
                };
                JValue::object(fields.iter().map(&mut field).collect())
            }
        }
    }

    fn number(&mut self, written: &str) -> JValue {
        match plain(written) {
            Some(double) => JValue::Number(double),
            None => {
                self.used = true;
                JValue::string(format!("{}{written}", self.tag))
            }
        }
    }

    fn watch(&mut self, text: &str) {
        self.clash |= !text.is_ascii() && text.contains(self.tag);
    }
}

/// The double that prints exactly as `written`, if there is one.
fn plain(written: &str) -> Option<f64> {
    // Most numbers are small integers: no need to print a double to know.
    if written.len() <= 15
        && written.bytes().all(|b| b.is_ascii_digit())
        && (written == "0" || !written.starts_with('0'))
    {
        return written.parse::<u64>().ok().map(|whole| whole as f64);
    }
    written.parse().ok().filter(|double| print(*double).as_deref() == Some(written))
}

/// A double as JSON: the shortest text that reads back the same, in JavaScript's form. Nothing for what JSON
/// cannot say (NaN, infinities).
pub(crate) fn print(double: f64) -> Option<String> {
    let magnitude = double.abs();
    if !double.is_finite() {
        None
    } else if double == 0.0 {
        Some("0".to_owned())
    } else if (1e-6..1e21).contains(&magnitude) {
        Some(double.to_string())
    } else {
        Some(format!("{double:e}"))
    }
}

/// A protected number's digits.
pub(crate) fn digits(value: &JValue, tag: char) -> Option<&str> {
    value.as_str()?.strip_prefix(tag)
}

/// Whether a number that is written so is zero.
pub(crate) fn is_zero(digits: &str) -> bool {
    digits.bytes().take_while(|b| !matches!(b, b'e' | b'E')).all(|b| b"-0.".contains(&b))
}

/// Every protected number in `value` replaced by what `change` makes of it. Values without any are not copied.
pub(crate) fn replace(value: &JValue, tag: char, change: &dyn Fn(&JValue, &str) -> JValue) -> JValue {
    match value {
        JValue::String(_) => digits(value, tag).map_or_else(|| value.clone(), |digits| change(value, digits)),
        JValue::Array(items) if holds_any(value, tag) => {
            JValue::Array(items.with_items(items.iter().map(|item| replace(item, tag, change)).collect()))
        }
        JValue::Object(fields) if holds_any(value, tag) => JValue::object(
            fields.iter().map(|(name, field)| (name.clone(), replace(field, tag, change))).collect(),
        ),
        _ => value.clone(),
    }
}

fn holds_any(value: &JValue, tag: char) -> bool {
    match value {
        JValue::String(_) => digits(value, tag).is_some(),
        JValue::Array(items) => items.iter().any(|item| holds_any(item, tag)),
        JValue::Object(fields) => fields.values().any(|field| holds_any(field, tag)),
        _ => false,
    }
}

/// [`DOUBLE`].
pub(crate) fn as_double(value: &JValue, tag: char) -> JValue {
    replace(value, tag, &|_, digits| digits.parse().map_or(JValue::Undefined, JValue::Number))
}

/// [`TEXT`]: digits for a number by itself; inside of objects, which become JSON text, doubles.
pub(crate) fn as_text(value: &JValue, tag: char) -> JValue {
    match digits(value, tag) {
        Some(digits) => JValue::from(digits),
        None => as_double(value, tag),
    }
}

/// [`COMPARED`]: `0.10` and `0.1` are one value; what a double cannot hold stays decimal.
pub(crate) fn as_compared(value: &JValue, tag: char) -> JValue {
    replace(value, tag, &|_, digits| {
        let exact = canonical(digits);
        let double =
            digits.parse().ok().filter(|double| print(*double).is_some_and(|text| canonical(&text) == exact));
        double.map_or_else(|| JValue::string(format!("{tag}{exact}")), JValue::Number)
    })
}

/// [`TRUTH`].
pub(crate) fn as_truth(value: &JValue, tag: char) -> JValue {
    let keep = Cell::new(false);
    let zeros = replace(value, tag, &|value, digits| {
        keep.set(keep.get() || !is_zero(digits));
        if is_zero(digits) { JValue::Number(0.0) } else { value.clone() }
    });
    // One true item makes an array true, so there is nothing to change.
    if keep.get() { value.clone() } else { zeros }
}

/// One text for one decimal value: `-120e3`, `-1.20e5` and `-120000` are `-12e4`.
fn canonical(digits: &str) -> String {
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
    let (mantissa, exponent) = digits.split_once(['e', 'E']).unwrap_or((digits, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    let dropped = all.len() - all.trim_end_matches('0').len();
    // An exponent of more digits than an i128 has is no number anybody compares.
    let exponent = exponent.parse::<i128>().unwrap_or(i128::from(i64::MAX));
    let exponent = exponent + dropped as i128 - fraction.len() as i128;
    format!("{sign}{significant}e{exponent}")
}

/// Why a result has no JSON form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoJson {
    /// It holds more values than the budget.
    TooLarge,
    /// It holds a number that is not finite.
    NotFinite,
}

/// The result as JSON again; `budget` is how many values it may hold.
pub(crate) fn restore(value: &JValue, tag: Option<char>, budget: &mut usize) -> Result<Value, NoJson> {
    *budget = budget.checked_sub(1).ok_or(NoJson::TooLarge)?;
    Ok(match value {
        JValue::Bool(truth) => Value::Bool(*truth),
        JValue::Number(double) => number(*double)?,
        JValue::String(text) => match tag.and_then(|tag| text.strip_prefix(tag)) {
            Some(digits) => Value::Number(digits.parse::<Number>().map_err(|_| NoJson::NotFinite)?),
            None => Value::String(text.to_string()),
        },
        JValue::Array(items) => {
            Value::Array(items.iter().map(|item| restore(item, tag, budget)).collect::<Result<_, _>>()?)
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
        // Functions and patterns have no JSON form.
        _ => Value::Null,
    })
}

fn number(double: f64) -> Result<Value, NoJson> {
    // Integers need no printing and parsing; 2^53 bounds those a double holds one by one.
    if double.fract() == 0.0 && double.abs() < 9_007_199_254_740_992.0 {
        return Ok(Value::from(double as i64));
    }
    let text = print(double).ok_or(NoJson::NotFinite)?;
    text.parse().map(Value::Number).map_err(|_| NoJson::NotFinite)
}
