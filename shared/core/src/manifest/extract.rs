//! Finding a piece of text in a message.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where to find a piece of text in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Extract {
    /// A JSON pointer (RFC 6901) into the message; a string, number or boolean is taken as text.
    Pointer(String),
    /// A header, optionally without a fixed prefix.
    Header {
        /// Lower-case name.
        header: String,
        /// Cut off when present.
        #[serde(default)]
        strip: String,
    },
    /// The part of the text at `pointer` after the last `/` (FHIR references, topic URLs).
    Tail {
        /// A JSON pointer.
        tail: String,
    },
    /// Always this text.
    Constant {
        /// The text.
        constant: String,
    },
    /// The first of several places that has something.
    First {
        /// The places, in order.
        first: Vec<Extract>,
    },
}

/// A string, number or boolean as text; nothing else is. An empty string is nothing.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

impl Extract {
    /// The text in a message of a request with these headers; `None` when it is missing or empty.
    pub fn find<'a>(&self, message: &Value, header: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        let found = match self {
            Self::Pointer(pointer) => message.pointer(pointer).and_then(scalar),
            Self::Header { header: name, strip } => {
                let value = header(name)?.trim();
                Some(value.strip_prefix(strip.as_str()).unwrap_or(value).to_owned())
            }
            Self::Tail { tail } => {
                let text = message.pointer(tail).and_then(scalar)?;
                text.rsplit('/').next().map(str::to_owned)
            }
            Self::Constant { constant } => Some(constant.clone()),
            Self::First { first } => first
                .iter()
                .find_map(|place| place.find(message, &header as &dyn Fn(&str) -> Option<&'a str>)),
        };
        found.filter(|text| !text.is_empty())
    }

    /// The text in a message alone: what stood in a header is not there any more.
    pub fn find_in(&self, message: &Value) -> Option<String> {
        self.find(message, |_| None)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_by_pointer_tail_header_and_constant() {
        let message = json!({"id": 7, "ref": "Patient/a-1.E-2", "empty": ""});
        let header = |name: &str| (name == "event-type").then_some("WatchTable: Patient");
        let pointer = |p: &str| Extract::Pointer(p.to_owned()).find(&message, header);
        assert_eq!(pointer("/id").as_deref(), Some("7"));
        assert_eq!(pointer("/empty"), None, "an empty id identifies nothing");
        let tail = Extract::Tail { tail: "/ref".to_owned() };
        assert_eq!(tail.find(&message, header).as_deref(), Some("a-1.E-2"));
        let named = Extract::Header { header: "event-type".to_owned(), strip: "WatchTable: ".to_owned() };
        assert_eq!(named.find(&message, header).as_deref(), Some("Patient"));
        assert_eq!(named.find_in(&message), None);
        let first = Extract::First { first: vec![named, tail] };
        assert_eq!(first.find_in(&message).as_deref(), Some("a-1.E-2"), "the first that is there");
    }
}
