//! Search parameters (FHIR R4, section 3.1.1.4), as far as practice systems offer them.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde_json::Value;

/// A search parameter of a type.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// `patient`
    pub name: &'static str,
    /// How values are compared.
    pub form: Form,
    /// Where in the resource, by element names; lists are gone through.
    pub path: &'static [&'static str],
}

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Codes, identifiers, booleans.
    Token,
    /// References to this type.
    Reference(&'static str),
    /// Points and spans of time.
    Date,
    /// The beginning of a text, whatever its case.
    Text,
}

impl Form {
    /// FHIR's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Reference(_) => "reference",
            Self::Date => "date",
            Self::Text => "string",
        }
    }
}

/// A value that can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadValue;

impl Parameter {
    /// Whether a resource fits a value, in which commas mean "or".
    ///
    /// # Errors
    /// When the value is none of the parameter's form.
    pub fn fits(&self, resource: &Value, value: &str) -> Result<bool, BadValue> {
        let mut found = Vec::new();
        collect(resource, self.path, &mut found);
        for one in value.split(',') {
            let fits = match self.form {
                Form::Token => found.iter().any(|element| is_token(element, one)),
                Form::Reference(kind) => {
                    let id = one.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')).unwrap_or(one);
                    let wanted = format!("{kind}/{id}");
                    found.iter().any(|element| element.get("reference").is_some_and(|known| *known == wanted))
                }
                Form::Date => {
                    let (prefix, from, to) = prefixed(one).ok_or(BadValue)?;
                    found
                        .iter()
                        .filter_map(|element| of_element(element))
                        .any(|at| compare(prefix, at, (from, to)))
                }
                Form::Text => found.iter().any(|element| begins(element, &one.to_lowercase())),
            };
            if fits {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The elements at a path, lists gone through.
pub fn collect<'a>(value: &'a Value, path: &[&str], found: &mut Vec<&'a Value>) {
    match (value, path.split_first()) {
        (Value::Array(all), _) => all.iter().for_each(|one| collect(one, path, found)),
        (value, None) => found.push(value),
        (value, Some((first, rest))) => {
            if let Some(inner) = value.get(first) {
                collect(inner, rest, found);
            }
        }
    }
}

fn is_token(element: &Value, wanted: &str) -> bool {
    let (system, code) = match wanted.split_once('|') {
        Some((system, code)) => (Some(system), code),
        None => (None, wanted),
    };
    match element {
        Value::String(text) => text == code,
        Value::Bool(flag) => flag.to_string() == code,
        Value::Object(_) => {
            if let Some(Value::Array(codings)) = element.get("coding") {
                return codings.iter().any(|coding| is_token(coding, wanted));
            }
            let value = element.get("code").or_else(|| element.get("value"));
            let known = element.get("system").and_then(Value::as_str).unwrap_or_default();
            value.is_some_and(|value| value == code) && system.is_none_or(|system| system == known)
        }
        _ => false,
    }
}

/// A text, or any text in a name or an address.
fn begins(element: &Value, wanted: &str) -> bool {
    match element {
        Value::String(text) => text.to_lowercase().starts_with(wanted),
        Value::Array(all) => all.iter().any(|one| begins(one, wanted)),
        Value::Object(members) => members.values().any(|one| begins(one, wanted)),
        _ => false,
    }
}

/// A prefix, and the span that a value of its precision covers; the end is not in it.
fn prefixed(value: &str) -> Option<(&str, Timestamp, Timestamp)> {
    let (prefix, text) = match value.split_at_checked(2) {
        Some((prefix, rest)) if prefix.bytes().all(|byte| byte.is_ascii_lowercase()) => (prefix, rest),
        _ => ("eq", value),
    };
    if !["eq", "ne", "gt", "ge", "lt", "le", "sa", "eb"].contains(&prefix) {
        return None;
    }
    let (from, to) = span(text)?;
    Some((prefix, from, to))
}

/// What a date or a time covers, in UTC where it has no offset.
fn span(text: &str) -> Option<(Timestamp, Timestamp)> {
    let midnight = |day: Date| day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    if text.contains('T') {
        let at: Timestamp = text.parse().ok()?;
        let step = if text.contains('.') { 1.millisecond() } else { 1.second() };
        return Some((at, at.checked_add(step).ok()?));
    }
    let (first, after) = match text.len() {
        4 => {
            let day = Date::new(text.parse().ok()?, 1, 1).ok()?;
            (day, day.checked_add(1.year()).ok()?)
        }
        7 => {
            let day: Date = format!("{text}-01").parse().ok()?;
            (day, day.checked_add(1.month()).ok()?)
        }
        10 => {
            let day: Date = text.parse().ok()?;
            (day, day.tomorrow().ok()?)
        }
        _ => return None,
    };
    Some((midnight(first)?, midnight(after)?))
}

/// What an element covers: a date, a time, or a Period with open ends.
fn of_element(element: &Value) -> Option<(Timestamp, Timestamp)> {
    if let Value::String(text) = element {
        return span(text);
    }
    let end = |name: &str| element.get(name).and_then(Value::as_str).and_then(span);
    let from = end("start").map_or(Timestamp::MIN, |(from, _)| from);
    let to = end("end").map_or(Timestamp::MAX, |(_, to)| to);
    Some((from, to))
}

fn compare(prefix: &str, at: (Timestamp, Timestamp), wanted: (Timestamp, Timestamp)) -> bool {
    match prefix {
        "gt" => at.1 > wanted.1,
        "ge" => at.1 > wanted.0,
        "lt" => at.0 < wanted.0,
        "le" => at.0 < wanted.1,
        "sa" => at.0 >= wanted.1,
        "eb" => at.1 <= wanted.0,
        "ne" => at.0 < wanted.0 || at.1 > wanted.1,
        _ => at.0 >= wanted.0 && at.1 <= wanted.1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_by_their_form() {
        let resource = json!({
            "status": "booked",
            "start": "2026-03-02T15:00:00.000Z",
            "identifier": [{"system": "urn:a", "value": "1"}],
            "name": [{"family": "Mockingham", "given": ["Alba"]}],
            "participant": [{"actor": {"reference": "Patient/p1"}}],
        });
        let fits = |form, path, value| Parameter { name: "x", form, path }.fits(&resource, value);
        assert_eq!(fits(Form::Token, &["status"], "arrived,booked"), Ok(true));
        assert_eq!(fits(Form::Token, &["identifier"], "urn:b|1"), Ok(false));
        assert_eq!(fits(Form::Token, &["identifier"], "urn:a|1"), Ok(true));
        assert_eq!(fits(Form::Text, &["name"], "mock"), Ok(true));
        assert_eq!(fits(Form::Reference("Patient"), &["participant", "actor"], "p1"), Ok(true));
        assert_eq!(fits(Form::Reference("Location"), &["participant", "actor"], "p1"), Ok(false));
        for (value, expected) in [
            ("2026-03-02", true),
            ("ge2026-03-02T15:00:00Z", true),
            ("gt2026-03-02", false),
            ("lt2026-03-03", true),
            ("le2026-03-02T14:59:59Z", false),
        ] {
            assert_eq!(fits(Form::Date, &["start"], value), Ok(expected), "{value}");
        }
        assert_eq!(fits(Form::Date, &["start"], "yesterday"), Err(BadValue));
    }
}
