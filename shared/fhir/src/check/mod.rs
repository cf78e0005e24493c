//! Whether a resource is FHIR R4.
//!
//! Three looks at the same JSON: [`rules`] that hold for every type, the types of fhir-sdk (structure, required
//! elements, required codes) and a comparison of what those would write with what came in ([`lost`]): fhir-sdk
//! drops what it does not know without a word, and what it drops is wrong.

pub(crate) mod elements;
mod fault;
mod lost;
mod path;
mod reader;
mod rules;
mod types;

use serde_json::Value;

use crate::Issue;
use path::Path;
pub(crate) use types::choice_of;

/// Levels of JSON that are read; fhir-sdk needs a lot of stack for each. Resources in the field have about ten.
const DEPTH: usize = 40;

fn depth(value: &Value) -> usize {
    let deepest = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or(0)
}

/// Checks the JSON of one resource, with the resources it contains.
///
/// Checked are structure, required elements, the codes of required value sets, the form of dates, times, ids and
/// references, and that nothing is empty. Not checked are invariants (FHIRPath), profiles, and codes of other value
/// sets. Decimals and time stamps are compared by value; extensions are unchanged as long as they are extensions.
///
/// # Errors
/// The issues found, in no particular order. fhir-sdk stops at the first fault of a structure, so there may be more.
pub fn check(resource: &Value) -> Result<(), Vec<Issue>> {
    if depth(resource) > DEPTH {
        let path = resource.get("resourceType").and_then(Value::as_str).filter(|name| types::is_known(name));
        return Err(vec![Issue::new(path.unwrap_or_default(), format!("nests deeper than {DEPTH} levels"))]);
    }
    let mut issues = Vec::new();
    check_at(resource, None, &mut issues);
    if issues.is_empty() { Ok(()) } else { Err(issues) }
}

/// Checks a resource that stands at `place` in another one.
fn check_at(resource: &Value, place: Option<&Path<'_>>, issues: &mut Vec<Issue>) {
    let Some(name) = resource.get("resourceType").and_then(Value::as_str) else {
        let path = place.map_or_else(|| "resourceType".to_owned(), |place| format!("{place}.resourceType"));
        return issues.push(Issue::new(path, "is required"));
    };
    if !types::is_known(name) {
        let path = place.map_or_else(|| "resourceType".to_owned(), |place| format!("{place}.resourceType"));
        return issues.push(Issue::new(path, "is not a resource type that the bridge exchanges"));
    }
    let root = Path::Root(name);
    let path = place.unwrap_or(&root);
    rules::check(resource, path, issues);
    structure(name, resource, path, issues);
    inner_resources(resource, path, &mut |inner, place| check_at(inner, Some(place), issues));
}

/// Checks a resource of type `name` against fhir-sdk's types.
fn structure(name: &str, resource: &Value, path: &Path<'_>, issues: &mut Vec<Issue>) {
    match types::rewritten(name, resource, path) {
        Ok(written) => lost::compare(resource, &written, path, issues),
        Err(fault) => issues.push(fault.into_issue(path)),
    }
}

/// Elements that hold whole resources. Each of these is checked by itself.
fn holds_resources(name: &str, value: &Value) -> bool {
    match name {
        "contained" => value.is_array(),
        "resource" | "outcome" => value.get("resourceType").is_some(),
        _ => false,
    }
}

/// Visits the resources that `value` holds, but not those that these hold.
fn inner_resources(value: &Value, path: &Path<'_>, visit: &mut dyn FnMut(&Value, &Path<'_>)) {
    match value {
        Value::Array(items) => path.items(items, &mut |item, path| inner_resources(item, path, visit)),
        Value::Object(fields) => {
            path.fields(fields, &mut |name, field, path| match (holds_resources(name, field), field) {
                (true, Value::Array(items)) => path.items(items, visit),
                (true, resource) => visit(resource, path),
                (false, field) => inner_resources(field, path, visit),
            })
        }
        _ => {}
    }
}
