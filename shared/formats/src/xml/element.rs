//! An element on its way to JSON.

use std::collections::HashSet;

use quick_xml::{
    XmlVersion,
    events::{BytesRef, BytesStart},
};

use crate::{error::XmlFault, write};

/// An element whose end has not come yet.
pub(super) struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    /// By name, in the order the names first came; the values are JSON.
    children: Vec<(String, Vec<String>)>,
}

impl Element {
    /// The element of a start tag. No element may have more than `limit` attributes, or names of elements in it.
    pub(super) fn begin(start: &BytesStart<'_>, limit: usize) -> Result<Self, XmlFault> {
        const MALFORMED: XmlFault = XmlFault::NotWellFormed("an attribute is malformed or comes twice");
        let mut attributes: Vec<(String, String)> = Vec::new();
        let mut seen = HashSet::new();
        // Its own check for repeats compares each with each.
        for attribute in start.attributes().with_checks(false) {
            let attribute = attribute.map_err(|_| MALFORMED)?;
            if !seen.insert(attribute.key.as_ref().to_owned()) {
                return Err(MALFORMED);
            }
            if seen.len() > limit {
                return Err(XmlFault::TooMany { limit });
            }
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|_| XmlFault::Entity)?;
            let name = attribute.key.local_name();
            attributes.push((name.as_ref().to_owned(), value.into_owned()));
        }
        let name = start.local_name().as_ref().to_owned();
        Ok(Self { name, attributes, text: String::new(), children: Vec::new() })
    }

    pub(super) fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn character(&mut self, character: char) {
        self.text.push(character);
    }

    /// Takes an element in whose end has come.
    pub(super) fn take(&mut self, child: Self, limit: usize) -> Result<(), XmlFault> {
        let mut json = String::new();
        if child.attributes.is_empty() && child.children.is_empty() {
            write::string(&child.text, &mut json);
        } else {
            child.write_object(&mut json);
        }
        let is_full = self.children.len() == limit;
        match self.children.iter_mut().find(|(name, _)| *name == child.name) {
            Some((_, values)) => values.push(json),
            None if is_full => return Err(XmlFault::TooMany { limit }),
            None => self.children.push((child.name, vec![json])),
        }
        Ok(())
    }

    pub(super) fn write_object(&self, out: &mut String) {
        out.push('{');
        for (name, value) in &self.attributes {
            write::member(&format!("@{name}"), value, out);
        }
        // Between elements, white space is layout.
        if !self.text.is_empty() && (self.children.is_empty() || !self.text.trim().is_empty()) {
            write::member("#text", &self.text, out);
        }
        for (name, values) in &self.children {
            write::key(name, out);
            match values.as_slice() {
                [one] => out.push_str(one),
                many => {
                    out.push('[');
                    out.push_str(&many.join(","));
                    out.push(']');
                }
            }
        }
        out.push('}');
    }
}

/// The character a reference stands for: a number, or one of the five names XML itself has (XML 1.0 §4.6).
pub(super) fn resolve(reference: &BytesRef<'_>) -> Result<char, XmlFault> {
    if reference.is_char_ref() {
        let character = reference.resolve_char_ref().ok().flatten();
        return character.ok_or(XmlFault::NotWellFormed("a character reference names no character"));
    }
    match &*reference.xml10_content() {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(XmlFault::Entity),
    }
}
