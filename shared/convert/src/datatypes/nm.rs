//! NM, a number: as exact as it was written.

use std::borrow::Cow;

use bridge_hl7v2::Value;

use crate::{conversion::Conversion, json::Json, report::Reason};

/// A `decimal` member, digits kept; a note, when it is no number.
pub(crate) fn decimal_member<'m>(c: &mut Conversion<'m>, w: &mut Json, key: &str, value: Value<'m>) {
    let Some(text) = value.content() else { return };
    match decimal(text.trim()) {
        Some(number) => w.literal(key, &number),
        None => c.note(value, Reason::NotANumber),
    }
}

/// A `positiveInt` (or, with `least` 0, `unsignedInt`) member; a note, when it is none.
pub(crate) fn integer_member<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    key: &str,
    value: Value<'m>,
    least: i64,
) {
    match integer(c, value) {
        Some(number) if number >= least => w.literal(key, &number.to_string()),
        Some(_) => c.note(value, Reason::NotANumber),
        None => {}
    }
}

/// A whole number that fits FHIR's 32 bits; a trailing `.0` does not make it another one.
pub(crate) fn integer<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<i64> {
    let text = value.content()?;
    let text = text.trim();
    let whole = text
        .split_once('.')
        .map_or(text, |(whole, zeros)| if zeros.bytes().all(|b| b == b'0') { whole } else { text });
    let number = whole.parse::<i32>().ok().map(i64::from);
    if number.is_none() {
        c.note(value, Reason::NotANumber);
    }
    number
}

/// The number as JSON writes it (RFC 8259 §6), the digits behind the point untouched.
pub(crate) fn decimal(text: &str) -> Option<Cow<'_, str>> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let fraction = fraction.filter(|f| !f.is_empty());
    // FHIR R4 asks readers for 18 digits; more is text, not a measurement.
    let fits = whole.len() + fraction.map_or(0, str::len) <= 30;
    if (whole.is_empty() && fraction.is_none()) || !all_digits(whole) || !fits {
        return None;
    }
    if !fraction.is_none_or(all_digits) {
        return None;
    }
    let significant = whole.trim_start_matches('0');
    let plain = whole == "0" || (significant.len() == whole.len() && !whole.is_empty());
    if plain && !text.starts_with('+') && !text.ends_with('.') {
        return Some(Cow::Borrowed(text));
    }
    let whole = if significant.is_empty() { "0" } else { significant };
    let point = if fraction.is_some() { "." } else { "" };
    Some(Cow::Owned([sign, whole, point, fraction.unwrap_or_default()].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_kept_and_the_form_is_json() {
        for (v2, json) in [
            ("5.40", Some("5.40")),
            ("-0.5", Some("-0.5")),
            ("+7", Some("7")),
            ("007.10", Some("7.10")),
            (".5", Some("0.5")),
            ("-.5", Some("-0.5")),
            ("5.", Some("5")),
            ("0", Some("0")),
            ("00", Some("0")),
            ("", None),
            (".", None),
            ("-", None),
            ("1e5", None),
            ("1,5", None),
            ("<5", None),
            ("1.2.3", None),
        ] {
            assert_eq!(decimal(v2).as_deref(), json, "{v2}");
        }
    }
}
