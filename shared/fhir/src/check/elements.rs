//! Which elements a resource type has, and which of them it needs, found out by asking fhir-sdk's types.
//!
//! There is no table of elements: a resource that holds the element in question is put together from what the check
//! complains about, one complaint at a time. That takes up to a few milliseconds and is for configuration.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    fault::REQUIRED,
    lost::UNKNOWN,
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
    if !types::is_known(resource_type) {
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

/// Values to try where the type is not known: one of each kind, and a code of each value set that is required of a
/// required element.
fn candidates() -> impl Iterator<Item = Value> {
    const CODES: &str = "active base booked final completed current requested finished order billable free error invalid \
                         accepted available collection rest-hook issued replaces generated source GET";
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
    kinds.into_iter().chain(CODES.split(' ').map(Value::from))
}

/// A value of a choice type.
fn sample(choice: &str) -> Option<Value> {
    candidates().find(|value| types::fits(choice, value, &Path::Root("")).is_ok())
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
        let nested = names.iter().rev().fold(json!("x"), |inner, name| json!({*name: inner}));
        let mut resource = json!({"resourceType": resource_type});
        if let (Value::Object(fields), Value::Object(nested)) = (&mut resource, nested) {
            fields.extend(nested);
        }
        Self { resource_type, names, resource, tried: BTreeMap::new() }
    }

    fn run(mut self) -> Element {
        if self.repair(|probe, issue| probe.proves_element(issue)) == Repaired::No {
            return Element::Unknown;
        }
        let leaf = self.leaf();
        let (parent, name) = leaf.rsplit_once('/').unwrap_or_default();
        if let Some(Value::Object(fields)) = self.resource.pointer_mut(parent) {
            fields.shift_remove(name);
        }
        let of_leaf = |pointer: &str| match pointer.strip_suffix("[x]") {
            Some(stem) => types::choice_of(&leaf).is_some_and(|(of, _)| of == stem),
            None => pointer == leaf,
        };
        let is_missed = |probe: &Self, issue: &Issue| {
            issue.text == REQUIRED && probe.pointer(&issue.path).is_some_and(|pointer| of_leaf(&pointer))
        };
        match self.repair(is_missed) {
            Repaired::Whole => Element::Optional,
            Repaired::Until | Repaired::No => Element::Required,
        }
    }

    /// Whether an issue with the element in question shows that there is such an element. An element that looks like
    /// a choice is only believed when it is kept.
    fn proves_element(&self, issue: &Issue) -> bool {
        let is_choice = self.names.last().is_some_and(|name| types::choice_of(name).is_some());
        !is_choice
            && issue.text != UNKNOWN
            && self.pointer(&issue.path).is_some_and(|pointer| pointer == self.leaf())
    }

    /// Changes the resource until there is no issue, or until one is what the caller looks for.
    fn repair(&mut self, until: impl Fn(&Self, &Issue) -> bool) -> Repaired {
        // Far more complaints than any resource has required elements times candidates.
        for _ in 0..2_000 {
            let mut issues = Vec::new();
            structure(self.resource_type, &self.resource, &Path::Root(self.resource_type), &mut issues);
            match issues.first() {
                None => return Repaired::Whole,
                Some(issue) if until(self, issue) => return Repaired::Until,
                Some(issue) if self.repair_one(issue) => {}
                Some(_) => return Repaired::No,
            }
        }
        Repaired::No
    }

    /// Changes the resource at the place of the issue. False when nothing is left to try.
    fn repair_one(&mut self, issue: &Issue) -> bool {
        let Some(pointer) = self.pointer(&issue.path) else { return false };
        if issue.text == REQUIRED {
            return self.insert(&pointer);
        }
        if self.leaf().strip_prefix(&pointer).is_some_and(|inner| inner.starts_with('/')) {
            return self.wrap(&pointer);
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
        let (parent, name) = pointer.rsplit_once('/').unwrap_or_default();
        let Some(Value::Object(fields)) = self.resource.pointer_mut(parent) else { return false };
        let Some(stem) = name.strip_suffix("[x]") else {
            fields.insert(name.to_owned(), json!("x"));
            return true;
        };
        let tried = self.tried.entry(pointer.to_owned()).or_default();
        if let Some(last) = tried.checked_sub(1).and_then(|last| CHOICES.get(last)) {
            fields.shift_remove(&format!("{stem}{last}"));
        }
        let Some(choice) = CHOICES.get(*tried) else { return false };
        *tried += 1;
        fields.extend(sample(choice).map(|value| (format!("{stem}{choice}"), value)));
        true
    }

    fn replace(&mut self, pointer: &str) -> bool {
        let tried = self.tried.entry(pointer.to_owned()).or_default();
        *tried += 1;
        let (Some(next), Some(value)) = (candidates().nth(*tried), self.resource.pointer_mut(pointer)) else {
            return false;
        };
        *value = next;
        self.tried.retain(|inner, _| !inner.starts_with(&format!("{pointer}/")));
        true
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

/// What came of repairing a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repaired {
    /// No issue is left.
    Whole,
    /// An issue is what was looked for.
    Until,
    /// An issue is left that nothing helps against.
    No,
}
