//! Data minimisation: what a route leaves out (45 CFR 164.502(b), the minimum necessary rule).

use serde_json::Value;

use crate::{Issue, Resource};

/// Removes the elements at `drop`, paths of the form `Patient.telecom` or `Patient.contact.name.family`, through
/// arrays, with the extensions of primitive elements. What is left empty by that is removed too. Paths of other
/// types do nothing.
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
        (Value::Object(fields), [name]) => {
            fields.shift_remove(*name);
            fields.shift_remove(&format!("_{name}"));
        }
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

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// Checks configured paths for [`minimise`] before they are used: a misspelt one would send what must not be sent.
///
/// # Errors
/// The first path that is not of the form `Type.element`.
pub fn check_drop(drop: &[String]) -> Result<(), Issue> {
    for path in drop {
        let name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
        let typed = path.starts_with(|c: char| c.is_ascii_uppercase());
        if !typed || !path.contains('.') || !path.split('.').all(name) {
            return Err(Issue::new(path, "must be `Type.element`, for example `Patient.telecom`"));
        }
    }
    Ok(())
}
