//! Files that are written, see [`Writer`]; and JSON text, written as it is read: no tree is built for a row.

mod charset;
mod csv;
mod error;
mod hl7;
mod json;
mod writer;
mod xdt;
mod xml;

pub use error::{Unwritable, WriteFault};
pub use hl7::Envelope;
pub use writer::Writer;

use crate::words::{is_plain, must_be_escaped};

/// Appends `text` as a JSON string (RFC 8259 §7).
pub(crate) fn string(text: &str, out: &mut String) {
    out.reserve(text.len() + 2);
    out.push('"');
    if is_plain(text.as_bytes()) {
        out.push_str(text);
        out.push('"');
        return;
    }
    let mut from = 0;
    for (at, b) in text.bytes().enumerate().filter(|(_, b)| must_be_escaped(*b)) {
        out.push_str(text.get(from..at).unwrap_or_default());
        match b {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                out.push_str("\\u00");
                for digit in [b >> 4, b & 15] {
                    out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                }
            }
        }
        from = at + 1;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out.push('"');
}

/// Appends `"name":value`, with a comma where something stands before it.
pub(crate) fn member(name: &str, value: &str, out: &mut String) {
    key(name, out);
    string(value, out);
}

/// Appends `"name":`, with a comma where something stands before it.
pub(crate) fn key(name: &str, out: &mut String) {
    comma(out);
    string(name, out);
    out.push(':');
}

/// Appends a comma, unless a list or an object has just begun.
pub(crate) fn comma(out: &mut String) {
    if !out.ends_with(['{', '[', ':']) {
        out.push(',');
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    #[test]
    fn every_character_is_read_back_by_serde_json() {
        let all: String = (0..=0x2ff_u32).filter_map(char::from_u32).chain("日🦷".chars()).collect();
        let mut out = String::new();
        super::string(&all, &mut out);
        assert_eq!(serde_json::from_str::<String>(&out).unwrap(), all);
    }
}
