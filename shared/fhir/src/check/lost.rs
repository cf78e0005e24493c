//! What fhir-sdk would write, compared with what came in.

use serde_json::{Map, Value};

use super::{fault::Fault, holds_resources, path::Path, types};
use crate::Issue;

/// The text of an issue that is an element too many.
pub(super) const UNKNOWN: &str = "is not an element of FHIR R4 here";
const CHANGED: &str = "is not written as FHIR R4 writes this";

/// Reports everything of `given` that is not in `written`, its form in fhir-sdk.
pub(super) fn compare(given: &Value, written: &Value, path: &Path<'_>, issues: &mut Vec<Issue>) {
    match (given, written) {
        (Value::Object(fields), Value::Object(kept)) => {
            path.fields(fields, &mut |name, field, path| match kept.get(name) {
                Some(kept) => compare(field, kept, path, issues),
                None if holds_resources(name, field) || is_hollow(field) => {}
                None => issues.push(why(fields, kept, name, field, path)),
            })
        }
        (Value::Array(items), Value::Array(kept)) if items.len() == kept.len() => {
            for (index, (item, kept)) in items.iter().zip(kept).enumerate() {
                compare(item, kept, &Path::Item(path, index), issues);
            }
        }
        (Value::Number(given), Value::Number(kept)) if given.as_f64() == kept.as_f64() => {}
        (Value::String(given), Value::String(kept)) if same_text(given, kept) => {}
        (Value::Bool(given), Value::Bool(kept)) if given == kept => {}
        (Value::Null, Value::Null) => {}
        (Value::String(given), _) if given.starts_with(|c: char| c.is_ascii_digit()) => {
            issues.push(Fault::of_time().into_issue(path));
        }
        _ => issues.push(Issue::new(path.to_string(), CHANGED)),
    }
}

/// The rules report these already.
fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Why fhir-sdk dropped an element.
fn why(
    given: &Map<String, Value>,
    kept: &Map<String, Value>,
    name: &str,
    field: &Value,
    path: &Path<'_>,
) -> Issue {
    if let Some((stem, choice)) = types::choice_of(name) {
        if let Err(fault) = types::fits(choice, field, path) {
            return fault.into_issue(path);
        }
        let of_stem = |other: &String| types::choice_of(other).is_some_and(|(other, _)| other == stem);
        if kept.keys().any(of_stem) && given.keys().filter(|name| of_stem(name)).count() > 1 {
            return Issue::new(path.to_string(), format!("only one {stem}[x] may be given"));
        }
    }
    Issue::new(path.to_string(), UNKNOWN)
}

/// Equal, or the same instant, time or bytes: fhir-sdk writes these in a form of its own.
fn same_text(given: &str, kept: &str) -> bool {
    given == kept
        || stamp(given).is_some_and(|given| Some(given) == stamp(kept))
        || (given.contains(char::is_whitespace) && given.split_whitespace().collect::<String>() == kept)
}

/// Date and time to the second, fraction without trailing zeros, offset. Nothing for what R4 does not allow as an
/// `instant`, a `dateTime` with time or a `time`.
fn stamp(text: &str) -> Option<(&str, &str, &str)> {
    let (date, clock) = text.split_once('T').map_or((None, text), |(date, clock)| (Some(date), clock));
    let end = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
    let (clock, offset) = clock.split_at(end);
    let (clock, fraction) = match clock.split_once('.') {
        Some((_, "")) => return None,
        Some((clock, fraction)) => (clock, fraction.trim_end_matches('0')),
        None => (clock, ""),
    };
    let digits = |text: &str, form: &str| {
        text.len() == form.len()
            && text
                .bytes()
                .zip(form.bytes())
                .all(|(b, form)| if form == b'0' { b.is_ascii_digit() } else { b == form })
    };
    let offset = if matches!(offset, "+00:00" | "-00:00") { "Z" } else { offset };
    let offset_fits = offset == "Z" || offset.get(1..).is_some_and(|offset| digits(offset, "00:00"));
    let fits = match date {
        Some(date) => digits(date, "0000-00-00") && offset_fits,
        None => offset.is_empty(),
    };
    let to_the_second = &text[..date.map_or(0, |date| date.len() + 1) + clock.len()];
    (fits && digits(clock, "00:00:00")).then_some((to_the_second, fraction, offset))
}
