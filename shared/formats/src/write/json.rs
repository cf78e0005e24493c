//! JSON: an array of records, wherever in the document the shape has it, and one record a line.

use serde_json::{Map, Value};

use super::{Unwritable, WriteFault, charset::Encoder};

/// The document around an array.
#[derive(Debug, Clone)]
pub(super) struct Elements {
    names: Vec<String>,
}

impl Elements {
    /// `records` is a path of member names, separated by dots.
    pub(super) fn new(records: &str) -> Self {
        Self { names: records.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect() }
    }

    pub(super) fn begin(&self) -> String {
        let mut head = String::new();
        for name in &self.names {
            head.push('{');
            super::string(name, &mut head);
            head.push(':');
        }
        head + "["
    }

    pub(super) fn record(
        &self,
        record: &Map<String, Value>,
        records: u64,
        charset: &Encoder,
    ) -> Result<String, Unwritable> {
        let before = if records == 0 { "\n" } else { ",\n" };
        Ok(format!("{before}{}", object(record, charset)?))
    }

    pub(super) fn end(&self) -> String {
        format!("\n]{}\n", "}".repeat(self.names.len()))
    }
}

/// One record a line; with `is_fhir`, a resource.
pub(super) fn line(
    record: &Map<String, Value>,
    is_fhir: bool,
    charset: &Encoder,
) -> Result<String, Unwritable> {
    if is_fhir && !record.get("resourceType").is_some_and(Value::is_string) {
        return Err(WriteFault::NoType.at(""));
    }
    Ok(object(record, charset)? + "\n")
}

fn object(record: &Map<String, Value>, charset: &Encoder) -> Result<String, Unwritable> {
    for (name, value) in record {
        charset.check(name, String::new)?;
        check(value, name, charset)?;
    }
    serde_json::to_string(record).map_err(|_| WriteFault::NotAnObject.at(""))
}

/// Whether all text in `value` is in the set.
fn check(value: &Value, place: &str, charset: &Encoder) -> Result<(), Unwritable> {
    match value {
        Value::String(text) => charset.check(text, || place.to_owned()),
        Value::Array(items) => items.iter().try_for_each(|item| check(item, place, charset)),
        Value::Object(members) => members.iter().try_for_each(|(name, value)| {
            charset.check(name, || place.to_owned())?;
            check(value, &format!("{place}.{name}"), charset)
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}
