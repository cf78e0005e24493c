//! What the references and identifiers of a resource to be written must say for the product to understand them.

use serde_json::{Value, json};

use super::{
    Asked,
    refusal::{Code, Refused},
};

/// Puts the product's own id first among the identifiers.
pub(super) fn name(resource: &mut Value, system: &str, id: &str) {
    let own = json!({"system": system, "value": id});
    let Some(fields) = resource.as_object_mut() else { return };
    match fields.entry("identifier").or_insert_with(|| json!([])) {
        Value::Array(identifiers) => {
            identifiers.retain(|known| known.get("system").and_then(Value::as_str) != Some(system));
            identifiers.insert(0, own);
        }
        one => *one = own,
    }
}

/// References by our own address become relative.
pub(super) fn relative(value: &mut Value, base: &str) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| relative(item, base)),
        Value::Object(fields) => {
            for (field, value) in fields {
                match value {
                    Value::String(reference) if field == "reference" => {
                        let own = reference.strip_prefix(base).and_then(|rest| rest.strip_prefix('/'));
                        if let Some(own) = own.map(str::to_owned) {
                            *reference = own;
                        }
                    }
                    value => relative(value, base),
                }
            }
        }
        _ => {}
    }
}

/// Refuses references to what the product has its own ids for, and which it does not know.
pub(super) fn known_references(asked: &Asked<'_>, value: &Value, path: &mut String) -> Result<(), Refused> {
    let length = path.len();
    let mut go = |value: &Value, step: String| {
        path.push_str(&step);
        let went = known_references(asked, value, path);
        path.truncate(length);
        went
    };
    match value {
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(index, item)| go(item, format!("[{index}]")))
        }
        Value::Object(fields) => {
            let reference = fields.get("reference").and_then(Value::as_str);
            let kind = reference.and_then(|reference| reference.split_once('/')).map(|(kind, _)| kind);
            let is_theirs = kind.is_some_and(|kind| asked.product.api().resources.contains_key(kind));
            if is_theirs && !fields.contains_key("identifier") {
                let text = "this connection knows nothing of what is referred to: search for it first";
                return Err(Refused::new(422, Code::NotFound, text).at(format!("{path}.reference")));
            }
            fields.iter().try_for_each(|(name, field)| go(field, format!(".{name}")))
        }
        _ => Ok(()),
    }
}

/// The patient whom a resource is about: their changes are made one after the other.
pub(super) fn about(resource: &Value) -> Option<String> {
    match resource {
        Value::Array(items) => items.iter().find_map(about),
        Value::Object(fields) => {
            let reference = fields.get("reference").and_then(Value::as_str);
            let patient = reference.filter(|reference| reference.starts_with("Patient/")).map(str::to_owned);
            patient.or_else(|| fields.values().find_map(about))
        }
        _ => None,
    }
}
