//! SOAP 1.1 in: what stands in the body, as JSON. Elements go by their local names; one that repeats is a list, one with
//! `xsi:nil` is null, one with elements in it is an object, and everything else is text. Attributes are left out.

use quick_xml::{
    Reader,
    events::{BytesRef, BytesStart, Event},
};
use serde_json::{Map, Value};

/// Deeper than any product's answers; JSON has a limit of the same size.
const DEEPEST: usize = 128;

/// Why an answer is not taken. Says nothing of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum XmlFault {
    Malformed,
    Dtd,
    Deep,
    NoEnvelope,
}

impl XmlFault {
    pub(super) const fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "the answer is not well-formed XML",
            Self::Dtd => "the answer has a document type declaration, which SOAP forbids",
            Self::Deep => "the answer is nested too deeply",
            Self::NoEnvelope => "the answer is not a SOAP envelope with a body",
        }
    }
}

/// What is in the body: a fault as `{"Fault": …}`, else the content of its first element.
pub(super) fn read(bytes: &[u8]) -> Result<Value, XmlFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| XmlFault::Malformed)?;
    let root = parse(text.trim_start_matches('\u{feff}').trim_start())?;
    let Value::Object(mut envelope) = root else { return Err(XmlFault::NoEnvelope) };
    let body = envelope.get_mut("Envelope").and_then(|envelope| envelope.get_mut("Body")).map(Value::take);
    match body {
        Some(Value::Object(content)) => match content.into_iter().next() {
            Some((name, fault)) if name == "Fault" => Ok(Value::Object(Map::from_iter([(name, fault)]))),
            Some((_, content)) => Ok(content),
            None => Err(XmlFault::NoEnvelope),
        },
        // An operation that answers nothing.
        Some(_) => Ok(Value::Null),
        None => Err(XmlFault::NoEnvelope),
    }
}

/// An element whose end has not come.
#[derive(Default)]
struct Open {
    name: String,
    nil: bool,
    text: String,
    children: Map<String, Value>,
}

impl Open {
    fn begin(start: &BytesStart<'_>) -> Result<Self, XmlFault> {
        let mut nil = false;
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| XmlFault::Malformed)?;
            let value: &str = attribute.value.as_ref();
            nil |= attribute.key.local_name().as_ref() == "nil" && matches!(value, "true" | "1");
        }
        Ok(Self { name: start.local_name().as_ref().to_owned(), nil, ..Self::default() })
    }

    fn take(&mut self, child: Self) {
        let value = match child {
            Self { nil: true, .. } => Value::Null,
            Self { children, text, .. } if children.is_empty() => Value::String(text),
            Self { children, .. } => Value::Object(children),
        };
        match self.children.get_mut(&child.name) {
            None => {
                self.children.insert(child.name, value);
            }
            Some(Value::Array(several)) => several.push(value),
            Some(one) => {
                let first = one.take();
                *one = Value::Array(vec![first, value]);
            }
        }
    }
}

fn parse(text: &str) -> Result<Value, XmlFault> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut open = vec![Open::default()];
    loop {
        let event = reader.read_event().map_err(|_| XmlFault::Malformed)?;
        let depth = open.len();
        let at = open.last_mut().ok_or(XmlFault::Malformed)?;
        match event {
            Event::Start(_) if depth > DEEPEST => return Err(XmlFault::Deep),
            Event::Start(start) => open.push(Open::begin(&start)?),
            Event::End(_) => {
                let child = open.pop().ok_or(XmlFault::Malformed)?;
                open.last_mut().ok_or(XmlFault::Malformed)?.take(child);
            }
            Event::Text(text) => at.text.push_str(&text.xml10_content()),
            Event::CData(text) => at.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => at.text.push(resolve(&reference)?),
            Event::DocType(_) => return Err(XmlFault::Dtd),
            Event::Eof => break,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some(document), true) => Ok(Value::Object(document.children)),
        _ => Err(XmlFault::Malformed),
    }
}

/// A character by its number, or one of the five names that XML itself has (XML 1.0, section 4.6).
fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlFault> {
    if reference.is_char_ref() {
        return reference.resolve_char_ref().ok().flatten().ok_or(XmlFault::Malformed);
    }
    match &*reference.xml10_content() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(XmlFault::Malformed),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn in_body(content: &str) -> Result<Value, XmlFault> {
        let open = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Header/><s:Body>";
        read(format!("\u{feff}<?xml version='1.0'?>{open}{content}</s:Body></s:Envelope>").as_bytes())
    }

    #[test]
    fn elements_become_members() {
        let content = "<GetResponse xmlns='urn:x' xmlns:i='http://www.w3.org/2001/XMLSchema-instance'><GetResult>\
                       <a:Row xmlns:a='urn:y'><Id>1</Id><Note i:nil='true'/></a:Row>\n  <Row><Id>2</Id><Empty/></Row>\
                       <One><Id>&lt;&#65;&amp;<![CDATA[<b>]]></Id></One></GetResult></GetResponse>";
        let expected = json!({"GetResult": {
            "Row": [{"Id": "1", "Note": null}, {"Id": "2", "Empty": ""}],
            "One": {"Id": "<A&<b>"},
        }});
        assert_eq!(in_body(content).unwrap(), expected);
        assert_eq!(in_body("<Done/>").unwrap(), json!(""));
        assert_eq!(in_body("").unwrap(), Value::Null);
    }

    #[test]
    fn a_fault_is_told_from_an_answer() {
        let fault = "<s:Fault><faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault>";
        let expected = json!({"Fault": {"faultcode": "s:Client", "faultstring": "no"}});
        assert_eq!(in_body(fault).unwrap(), expected);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let dtd = b"<!DOCTYPE x [<!ENTITY a 'b'>]><s:Envelope xmlns:s='x'><s:Body/></s:Envelope>";
        assert_eq!(read(dtd), Err(XmlFault::Dtd));
        assert_eq!(read(b"<html><body>hello</body></html>"), Err(XmlFault::NoEnvelope));
        assert_eq!(read(b""), Err(XmlFault::NoEnvelope));
        for broken in ["<A><B></A></B>", "<A>&unknown;</A>", "<A", "<A b=c/>"] {
            assert_eq!(in_body(broken), Err(XmlFault::Malformed), "{broken}");
        }
        assert_eq!(read(b"\xff\xfe<"), Err(XmlFault::Malformed));
        let deep = format!("{}{}", "<A>".repeat(500), "</A>".repeat(500));
        assert_eq!(in_body(&deep), Err(XmlFault::Deep));
    }
}
