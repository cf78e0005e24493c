//! Data minimisation: what a route leaves out (45 CFR 164.502(b), the minimum necessary rule).

use serde_json::Value;

use crate::{
    Issue, Resource,
    check::{
        choice_of,
        elements::{Element, look_up},
    },
};

/// Removes the elements at `drop`, paths of the form `Patient.telecom`, `Patient.contact.name.family` or
/// `Observation.value[x]`, through lists, with the extensions of primitive elements. What is left empty by that is
/// removed too. Paths of other types do nothing.
pub fn minimise(resource: &mut Resource, drop: &[String]) {
    for path in drop {
        let mut names = path.split('.');
        if names.next() == Some(&resource.resource_type) {
            remove(&mut resource.json, &names.collect::<Vec<_>>());
        }
    }
}

fn remove(value: &mut Value, names: &[&str]) {
    match (value, names) {
        (Value::Array(items), names) => {
            items.iter_mut().for_each(|item| remove(item, names));
            items.retain(|item| !is_empty(item));
        }
        (Value::Object(fields), [name]) => fields.retain(|field, _| !is_named(field, name)),
        (Value::Object(fields), [name, rest @ ..]) => {
            if let Some(field) = fields.get_mut(*name) {
                remove(field, rest);
                if is_empty(field) {
                    fields.shift_remove(*name);
                }
            }
        }
        _ => {}
    }
}

/// Whether a field is the element `name` or its primitive extension.
fn is_named(field: &str, name: &str) -> bool {
    let field = field.strip_prefix('_').unwrap_or(field);
    match name.strip_suffix("[x]") {
        Some(stem) => choice_of(field).is_some_and(|(of, _)| of == stem),
        None => field == name,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// Checks configured paths for [`minimise`] before they are used: a misspelt one would send what must not be sent,
/// and a resource without a required element would be refused by whoever receives it.
///
/// # Errors
/// The first path that is not of the form `Type.element`, is no element of a resource type that the bridge
/// exchanges, or is one that FHIR R4 requires. The issue's path is the configured one.
pub fn check_drop(drop: &[String]) -> Result<(), Issue> {
    for path in drop {
        let text = match element(path) {
            None => "must be `Type.element`, for example `Patient.telecom`",
            Some(Element::Unknown) => "is not an element of FHIR R4",
            Some(Element::Required) => "is required in FHIR R4, so it cannot be left out",
            Some(Element::Optional) => continue,
        };
        return Err(Issue::new(path, text));
    }
    Ok(())
}

/// What is known of the element at a path; nothing when the path has no such form.
fn element(path: &str) -> Option<Element> {
    let (resource_type, rest) = path.split_once('.')?;
    let names: Vec<&str> = rest.split('.').collect();
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    let (last, outer) = names.split_last()?;
    let fits = is_name(resource_type)
        && resource_type.starts_with(|c: char| c.is_ascii_uppercase())
        && outer.iter().all(|name| is_name(name))
        && is_name(last.strip_suffix("[x]").unwrap_or(last));
    fits.then(|| look_up(resource_type, &names))
}
