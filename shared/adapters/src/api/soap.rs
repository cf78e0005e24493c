//! SOAP 1.1 out: document/literal, one namespace for the operation and all below it.

use bridge_core::{
    manifest::{Soap, scalar},
    remote::CallError,
};
use quick_xml::escape::escape;
use serde_json::Value;

use super::{
    body::wrong,
    request::{Ask, place},
    site::{Site, configuration},
};

/// The envelope with the operation's element, whose content the body is.
pub(super) fn envelope(site: &Site<'_>, ask: &Ask<'_>, body: Option<Value>) -> Result<Vec<u8>, CallError> {
    let soap = site.party.api.soap.as_ref();
    let soap = soap.ok_or_else(|| configuration("SOAP needs the section `soap`", "api.soap"))?;
    let call = ask.operation.call.as_deref().filter(|call| is_name(call));
    let call = call.ok_or_else(|| configuration("must be the operation's element", &place(ask, "call")))?;
    let mut xml = String::from(concat!(
        r#"<?xml version="1.0" encoding="utf-8"?>"#,
        r#"<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>"#
    ));
    xml.push_str(&format!("<{call} xmlns=\"{}\">", escape(soap.namespace.as_str())));
    let content = body.unwrap_or_default();
    if !matches!(content, Value::Null | Value::Object(_)) {
        return Err(wrong(ask, "an operation's content is made of an object"));
    }
    Writer { soap, ask, xml: &mut xml }.content(&content)?;
    xml.push_str(&format!("</{call}></soap:Body></soap:Envelope>"));
    Ok(xml.into_bytes())
}

struct Writer<'a> {
    soap: &'a Soap,
    ask: &'a Ask<'a>,
    xml: &'a mut String,
}

impl Writer<'_> {
    fn content(&mut self, value: &Value) -> Result<(), CallError> {
        let Value::Object(members) = value else {
            return self.text(value);
        };
        let mut members: Vec<_> = members.iter().collect();
        if self.soap.sorted {
            let rank = |name: &String| {
                let first = &self.soap.first;
                first.iter().position(|other| other == name).unwrap_or(first.len())
            };
            members.sort_unstable_by_key(|(name, _)| (rank(name), *name));
        }
        for (name, value) in members {
            if !is_name(name) {
                return Err(wrong(self.ask, "a key is not the name of an element"));
            }
            match value {
                Value::Array(items) => items.iter().try_for_each(|item| self.element(name, item))?,
                one => self.element(name, one)?,
            }
        }
        Ok(())
    }

    /// What is null is left out.
    fn element(&mut self, name: &str, value: &Value) -> Result<(), CallError> {
        match value {
            Value::Null => return Ok(()),
            Value::Array(_) => return Err(wrong(self.ask, "a list in a list has no form in XML")),
            _ => {}
        }
        self.xml.push_str(&format!("<{name}>"));
        self.content(value)?;
        self.xml.push_str(&format!("</{name}>"));
        Ok(())
    }

    fn text(&mut self, value: &Value) -> Result<(), CallError> {
        let text = scalar(value).unwrap_or_default();
        // XML 1.0, section 2.2.
        let stands = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
        if !text.chars().all(stands) {
            return Err(wrong(self.ask, "a text has a character that cannot stand in XML"));
        }
        // A reader would make a line feed of it.
        self.xml.push_str(&escape(text.as_str()).replace('\r', "&#13;"));
        Ok(())
    }
}

/// A name without a prefix, in ASCII, as WSDLs have them.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}
