//! XML 1.0: records become the elements at a path, the way elements become records: `@name` is an attribute, `#text` the text
//! beside elements, a list the same element again.

use bridge_core::feed::Charset;
use serde_json::{Map, Value};

use super::{Unwritable, WriteFault, charset::Encoder, csv::text};

/// The document around the records.
#[derive(Debug, Clone)]
pub(super) struct Elements {
    around: Vec<String>,
    record: String,
}

impl Elements {
    /// `records` is a path of element names, separated by slashes.
    pub(super) fn new(records: &str) -> Self {
        let mut around: Vec<String> =
            records.split('/').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        let record = around.pop().unwrap_or_default();
        Self { around, record }
    }

    pub(super) fn begin(&self, charset: &Encoder) -> Result<String, Unwritable> {
        let encoding = match charset.charset() {
            Charset::Utf16Le | Charset::Utf16Be => "utf-16",
            other => other.name(),
        };
        let mut head = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n");
        for name in self.around.iter().chain([&self.record]) {
            check_name(name, "")?;
            charset.check(name, String::new)?;
        }
        self.around.iter().for_each(|name| head.push_str(&format!("<{name}>")));
        Ok(head + "\n")
    }

    pub(super) fn record(
        &self,
        record: &Map<String, Value>,
        charset: &Encoder,
    ) -> Result<String, Unwritable> {
        let mut out = String::new();
        element(&self.record, record, "", charset, &mut out)?;
        out.push('\n');
        Ok(out)
    }

    pub(super) fn end(&self) -> String {
        let mut tail: String = self.around.iter().rev().map(|name| format!("</{name}>")).collect();
        tail.push('\n');
        tail
    }
}

fn element(
    name: &str,
    members: &Map<String, Value>,
    place: &str,
    charset: &Encoder,
    out: &mut String,
) -> Result<(), Unwritable> {
    out.push('<');
    out.push_str(name);
    for (member, value) in members {
        let Some(attribute) = member.strip_prefix('@') else { continue };
        let place = format!("{place}{member}");
        check_name(attribute, &place)?;
        let value = text(Some(value), &place)?;
        out.push_str(&format!(" {attribute}=\""));
        escape(&value, true, &place, charset, out)?;
        out.push('"');
    }
    out.push('>');
    let has_elements =
        members.iter().any(|(member, value)| !member.starts_with(['@', '#']) && !is_nothing(value));
    for (member, value) in members.iter().filter(|(member, _)| !member.starts_with('@')) {
        let place = format!("{place}{member}");
        if member == "#text" {
            let value = text(Some(value), &place)?;
            if has_elements && !value.is_empty() && value.trim().is_empty() {
                return Err(WriteFault::XmlBlank.at(place));
            }
            escape(&value, false, &place, charset, out)?;
            continue;
        }
        check_name(member, &place)?;
        charset.check(member, || place.clone())?;
        match value {
            Value::Array(items) => {
                items.iter().try_for_each(|item| child(member, item, &place, charset, out))?
            }
            one if is_nothing(one) => {}
            one => child(member, one, &place, charset, out)?,
        }
    }
    out.push_str(&format!("</{name}>"));
    Ok(())
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_array().is_some_and(Vec::is_empty)
}

fn child(
    name: &str,
    value: &Value,
    place: &str,
    charset: &Encoder,
    out: &mut String,
) -> Result<(), Unwritable> {
    if let Value::Object(members) = value {
        return element(name, members, &format!("{place}/"), charset, out);
    }
    let value = text(Some(value), place)?;
    out.push_str(&format!("<{name}>"));
    escape(&value, false, place, charset, out)?;
    out.push_str(&format!("</{name}>"));
    Ok(())
}

/// Readers turn a CR into an LF, and in attributes both into blanks, unless they are written as references (XML 1.0 §2.11,
/// §3.3.3).
fn escape(
    value: &str,
    is_attribute: bool,
    place: &str,
    charset: &Encoder,
    out: &mut String,
) -> Result<(), Unwritable> {
    charset.check(value, || place.to_owned())?;
    for character in value.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if is_attribute => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' if is_attribute => out.push_str("&#10;"),
            '\t' if is_attribute => out.push_str("&#9;"),
            '\n' | '\t' | '\u{20}'..='\u{fffd}' | '\u{10000}'..='\u{10ffff}' => out.push(character),
            _ => return Err(WriteFault::XmlCharacter.at(place)),
        }
    }
    Ok(())
}

fn check_name(name: &str, place: &str) -> Result<(), Unwritable> {
    let begins = name.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let goes_on = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if begins && goes_on && name != "xmlns" { Ok(()) } else { Err(WriteFault::XmlName.at(place)) }
}
