//! Data minimisation: what a route drops of a resource is not sent, and everything else is as it was.

use bridge_fhir::{Resource, minimise};
use serde_json::Value;

use crate::subject::Mapped;

/// Stands in every text of what is dropped.
const MARKER: &str = "certify-marker-7d1f";
/// Resources of a type that are tried; they have different elements.
const TRIED: usize = 25;

/// Drops each element of resources of this type, planted with markers; the first that gets through.
///
/// # Errors
/// The path of an element that is sent although it was dropped, or that is changed by dropping another.
pub(crate) fn check(resource_type: &str, known: &[Mapped]) -> Result<(), String> {
    let resources = known.iter().flat_map(|mapped| &mapped.resources);
    let mut tried = 0;
    for resource in resources.filter(|resource| resource.resource_type == resource_type).take(TRIED) {
        tried += 1;
        for path in paths(&resource.json) {
            dropped(resource, &path)?;
        }
    }
    if tried == 0 { Err("there is no resource to drop something of".to_owned()) } else { Ok(()) }
}

/// The elements of a resource, and those within them: `name`, `name.family`.
fn paths(json: &Value) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for (name, value) in json.as_object().into_iter().flatten() {
        // Without these it is no resource.
        if matches!(name.as_str(), "resourceType" | "id") || name.starts_with('_') {
            continue;
        }
        paths.push(vec![name.clone()]);
        let first = value.as_array().and_then(|items| items.first()).unwrap_or(value);
        let inner = first.as_object().into_iter().flatten().map(|(inner, _)| inner);
        paths.extend(
            inner.filter(|inner| !inner.starts_with('_')).map(|inner| vec![name.clone(), inner.clone()]),
        );
    }
    paths
}

fn dropped(resource: &Resource, path: &[String]) -> Result<(), String> {
    let mut planted = resource.clone();
    plant(&mut planted.json, path);
    let named = format!("{}.{}", resource.resource_type, path.join("."));
    minimise(&mut planted, std::slice::from_ref(&named));
    if planted.json.to_string().contains(MARKER) || has(&planted.json, path) {
        return Err(format!("{named} is dropped and sent all the same"));
    }
    let top = path.first().map(String::as_str).unwrap_or_default();
    let others = |json: &Value| {
        let fields = json.as_object().into_iter().flatten();
        let others = fields.filter(|(name, _)| name.trim_start_matches('_') != top);
        others.map(|(name, value)| (name.clone(), value.clone())).collect::<Vec<_>>()
    };
    if others(&planted.json) == others(&resource.json) {
        Ok(())
    } else {
        Err(format!("dropping {named} changes something else"))
    }
}

/// Puts the marker into every text at a path.
fn plant(value: &mut Value, path: &[String]) {
    match (value, path) {
        (Value::Array(items), path) => items.iter_mut().for_each(|item| plant(item, path)),
        (Value::Object(fields), [name, rest @ ..]) => {
            if let Some(field) = fields.get_mut(name) {
                plant(field, rest);
            }
        }
        (Value::Object(fields), []) => fields.iter_mut().for_each(|(_, field)| plant(field, &[])),
        (Value::String(text), []) => MARKER.clone_into(text),
        _ => {}
    }
}

fn has(value: &Value, path: &[String]) -> bool {
    match (value, path) {
        (Value::Array(items), path) => items.iter().any(|item| has(item, path)),
        (Value::Object(fields), [name, rest @ ..]) => fields.get(name).is_some_and(|field| has(field, rest)),
        (_, path) => path.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_and_what_is_in_them_are_tried() {
        let json = json!({"resourceType": "Patient", "id": "1", "name": [{"family": "x", "_given": 1}], "active": true});
        let paths: Vec<String> = paths(&json).iter().map(|path| path.join(".")).collect();
        assert_eq!(paths, ["name", "name.family", "active"]);
    }

    #[test]
    fn what_is_still_there_is_found() {
        let json = json!({"name": [{"given": ["x"]}, {"family": "y"}]});
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        assert!(
            has(&json, &path("name.family")) && has(&json, &path("name")) && !has(&json, &path("name.use"))
        );
        let mut planted = json;
        plant(&mut planted, &path("name.given"));
        assert_eq!(planted, json!({"name": [{"given": [MARKER]}, {"family": "y"}]}));
    }
}
