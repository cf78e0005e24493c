//! xDT as GDT 2.1 has it: each line says its length, each record says its own in field 8100, and field 9206 names the character
//! set. The writer counts; a record says the rest.

use bridge_core::feed::Charset;
use serde_json::{Map, Value};

use super::{Unwritable, WriteFault, charset::Encoder, csv::text};

/// Length (3), field (4) and CR LF.
const AROUND: usize = 9;
/// Digits of the record's length in field 8100.
const LENGTH_DIGITS: usize = 5;

pub(super) fn record(record: &Map<String, Value>, charset: &Encoder) -> Result<String, Unwritable> {
    let kind = text(record.get("record"), "record")?;
    let is_known = |name: &String| matches!(name.as_str(), "record" | "fields");
    let fields = record.get("fields").and_then(Value::as_array);
    let Some(fields) = fields.filter(|_| !kind.is_empty() && record.keys().all(is_known)) else {
        return Err(WriteFault::XdtShape.at(""));
    };
    let set = match charset.charset() {
        Charset::Cp437 => Some("2"),
        Charset::Iso8859_1 => Some("3"),
        _ => None,
    };
    let mut body = String::new();
    if let Some(set) = set {
        line("9206", set, charset, &mut body)?;
    }
    for (at, field) in fields.iter().enumerate() {
        let place = format!("fields[{at}]");
        let id = field.get("field").and_then(Value::as_str).unwrap_or_default();
        if id.len() != 4 || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(WriteFault::XdtShape.at(place));
        }
        let value = text(field.get("value"), &place)?;
        match id {
            "8000" if at == 0 && value == kind => {}
            // As it was read: it is counted anew.
            "8100" if at == 1 && value.bytes().all(|b| b.is_ascii_digit()) => {}
            "9206" if Some(value.as_str()) == set => {}
            "8000" | "8100" => return Err(WriteFault::XdtOwn.at(place)),
            "9206" if set.is_some() || value != "1" => return Err(WriteFault::XdtOwn.at(place)),
            _ => line(id, &value, charset, &mut body).map_err(|error| Unwritable { place, ..error })?,
        }
    }
    let mut whole = String::new();
    line("8000", &kind, charset, &mut whole)
        .map_err(|error| Unwritable { place: "record".to_owned(), ..error })?;
    let length = charset.length(&whole) + AROUND + LENGTH_DIGITS + charset.length(&body);
    if length >= 10_usize.pow(LENGTH_DIGITS as u32) {
        return Err(WriteFault::XdtContent.at(""));
    }
    line("8100", &format!("{length:05}"), charset, &mut whole)?;
    Ok(whole + &body)
}

fn line(field: &str, content: &str, charset: &Encoder, out: &mut String) -> Result<(), Unwritable> {
    charset.check(content, String::new)?;
    let length = charset.length(content) + AROUND;
    if length > 999 || content.contains(['\r', '\n']) {
        return Err(WriteFault::XdtContent.at(""));
    }
    out.push_str(&format!("{length:03}{field}{content}\r\n"));
    Ok(())
}
