//! Which elements a resource type has, and which of them it needs, found out by asking fhir-sdk's types.
//!
//! There is no table of elements: a resource that holds the element in question is put together from what the check
//! complains about, one complaint at a time. That takes up to a few milliseconds and is for configuration.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    fault::REQUIRED,
    path::Path,
    structure,
    types::{self, CHOICES},
};
use crate::Issue;

/// What is known of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Element {
    /// No such element.
    Unknown,
    /// A resource is valid without it.
    Optional,
    /// A resource is not valid without it.
    Required,
}

/// Looks up the element of `resource_type` at `names`; the last one may end with `[x]`.
pub(crate) fn look_up(resource_type: &str, names: &[&str]) -> Element {
    if !types::is_name(resource_type) {
        return Element::Unknown;
    }
    match names {
        // Ours are never without these.
        ["id" | "resourceType"] => Element::Required,
        [outer @ .., name] if name.ends_with("[x]") => {
            let stem = name.trim_end_matches("[x]");
            let choice = |choice: &&str| {
                let name = format!("{stem}{choice}");
                look_up(resource_type, &[outer, &[&name]].concat())
            };
            CHOICES.iter().map(choice).max().unwrap_or(Element::Unknown)
        }
        _ => Probe::new(resource_type, names).run(),
    }
}

/// Values to try where the type is not known: one of each kind, and a code of each value set that is required.
fn candidate(index: usize) -> Option<Value> {
    const CODES: [&str; 12] = [
        "active",
        "booked",
        "final",
        "completed",
        "current",
        "requested",
        "finished",
        "order",
        "billable",
        "free",
        "error",
        "invalid",
    ];
    const MORE_CODES: [&str; 10] = [
        "accepted",
        "available",
        "collection",
        "rest-hook",
        "issued",
        "replaces",
        "generated",
        "GET",
        "code",
        "s",
    ];
    let kinds = [
        json!("x"),
        json!({}),
        json!(["x"]),
        json!([{}]),
        json!(true),
        json!(1),
        json!("2026-01-02"),
        json!("2026-01-02T03:04:05Z"),
        json!("03:04:05"),
        json!("eA=="),
    ];
    let codes = CODES.iter().chain(&MORE_CODES).map(|code| json!(code));
    kinds.into_iter().chain(codes).nth(index)
}

struct Probe<'a> {
    resource_type: &'a str,
    names: &'a [&'a str],
    resource: Value,
    /// How many candidates have been tried at a JSON pointer.
    tried: BTreeMap<String, usize>,
}

impl<'a> Probe<'a> {
    fn new(resource_type: &'a str, names: &'a [&'a str]) -> Self {
        let nested =
            names.iter().rev().fold(candidate(0).unwrap_or_default(), |inner, name| json!({*name: inner}));
        let mut resource = json!({"resourceType": resource_type});
        if let (Value::Object(fields), Value::Object(nested)) = (&mut resource, nested) {
            fields.extend(nested);
        }
        Self { resource_type, names, resource, tried: BTreeMap::new() }
    }

    fn run(mut self) -> Element {
        // Far more complaints than any resource has required elements times candidates.
        for _ in 0..2_000 {
            match self.first_issue() {
                None => return self.without(),
                Some(issue) if self.repair(&issue) => {}
                Some(_) => return Element::Unknown,
            }
        }
        Element::Unknown
    }

    fn first_issue(&self) -> Option<Issue> {
        let mut issues = Vec::new();
        structure(self.resource_type, &self.resource, &Path::Root(self.resource_type), &mut issues);
        issues.into_iter().next()
    }

    /// Changes the resource at the place of the issue. False when nothing is left to try.
    fn repair(&mut self, issue: &Issue) -> bool {
        let Some(pointer) = self.pointer(&issue.path) else { return false };
        let leaf = self.leaf();
        if leaf != pointer && leaf.starts_with(&format!("{pointer}/")) {
            return self.wrap(&pointer);
        }
        if issue.text == REQUIRED {
            return self.insert(&pointer);
        }
        self.replace(&pointer)
    }

    /// An outer element of the one in question may be a list.
    fn wrap(&mut self, pointer: &str) -> bool {
        match self.resource.pointer_mut(pointer) {
            Some(outer @ Value::Object(_)) => {
                *outer = Value::Array(vec![outer.take()]);
                true
            }
            _ => false,
        }
    }

    fn insert(&mut self, pointer: &str) -> bool {
        let Some((parent, name)) = pointer.rsplit_once('/') else { return false };
        let Some(Value::Object(fields)) = self.resource.pointer_mut(parent) else { return false };
        match name.strip_suffix("[x]") {
            None => fields.insert(name.to_owned(), candidate(0).unwrap_or_default()),
            // All required choices of the types in use may be a Coding, a uri or a text.
            Some("event") => fields.insert("eventCoding".to_owned(), json!({})),
            Some(stem) => fields.insert(format!("{stem}String"), json!("x")),
        };
        true
    }

    fn replace(&mut self, pointer: &str) -> bool {
        let tried = self.tried.entry(pointer.to_owned()).or_default();
        *tried += 1;
        let (Some(next), Some(value)) = (candidate(*tried), self.resource.pointer_mut(pointer)) else {
            return false;
        };
        *value = next;
        self.tried.retain(|inner, _| !inner.starts_with(&format!("{pointer}/")));
        true
    }

    /// Takes the element in question away again.
    fn without(mut self) -> Element {
        let leaf = self.leaf();
        if let Some((parent, name)) = leaf.rsplit_once('/') {
            if let Some(Value::Object(fields)) = self.resource.pointer_mut(parent) {
                fields.shift_remove(name);
            }
        }
        if self.first_issue().is_none() { Element::Optional } else { Element::Required }
    }

    /// The JSON pointer of the element in question, through the lists on the way.
    fn leaf(&self) -> String {
        let mut pointer = String::new();
        let mut value = &self.resource;
        for name in self.names {
            if let Some(first) = value.get(0) {
                pointer.push_str("/0");
                value = first;
            }
            pointer.push('/');
            pointer.push_str(name);
            value = value.get(name).unwrap_or(&Value::Null);
        }
        pointer
    }

    /// The JSON pointer of an issue's path.
    fn pointer(&self, path: &str) -> Option<String> {
        let elements = path.strip_prefix(self.resource_type)?.strip_prefix('.')?;
        let parts = elements.replace("[x]", "\0").replace('[', ".").replace(']', "").replace('\0', "[x]");
        Some(format!("/{}", parts.replace('.', "/")))
    }
}
