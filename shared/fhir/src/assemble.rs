//! Ids and literal references for the resources of one message.

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{Issue, Resource, resource_id};

/// Gives each resource its id, which follows from its type and its first identifier with system and value, and turns
/// references of the form `Type?identifier=system|value` into `Type/id`. The same input gives the same ids.
///
/// The resource referred to need not be in the message: its id follows from its identifier as well.
///
/// # Errors
/// A value is no resource, has no such identifier, shares its identifier with another one, or refers by a search
/// that names more than one identifier.
pub fn assemble(namespace: Uuid, resources: Vec<Value>) -> Result<Vec<Resource>, Issue> {
    assemble_again(namespace, resources, &|_| false)
}

/// The same for resources of which some have their ids already: those whose `Type/id` is `known` keep them.
///
/// # Errors
/// As for [`assemble`].
pub fn assemble_again(
    namespace: Uuid,
    resources: Vec<Value>,
    known: &dyn Fn(&str) -> bool,
) -> Result<Vec<Resource>, Issue> {
    let mut assembled: Vec<Resource> = Vec::with_capacity(resources.len());
    for (index, json) in resources.into_iter().enumerate() {
        let resource = assemble_one(namespace, index, json, known)?;
        if assembled.iter().any(|other| other.reference() == resource.reference()) {
            let path = format!("{}.identifier", resource.resource_type);
            return Err(Issue::new(path, "is the same for two resources of the message"));
        }
        assembled.push(resource);
    }
    Ok(assembled)
}

fn assemble_one(
    namespace: Uuid,
    index: usize,
    json: Value,
    known: &dyn Fn(&str) -> bool,
) -> Result<Resource, Issue> {
    let Value::Object(mut fields) = json else {
        return Err(Issue::new(format!("[{index}]"), "is not a resource, which is a JSON object"));
    };
    let Some(resource_type) = fields.get("resourceType").and_then(Value::as_str).map(str::to_owned) else {
        return Err(Issue::new(format!("[{index}].resourceType"), "is required"));
    };
    let own = fields.get("id").and_then(Value::as_str).map(str::to_owned);
    let id = match (own.filter(|id| known(&format!("{resource_type}/{id}"))), first_identifier(&fields)) {
        (Some(id), _) => id,
        (None, Some((system, value))) => resource_id(namespace, &resource_type, system, value),
        (None, None) => {
            let text = "needs an identifier with system and value: the id of the resource follows from it";
            return Err(Issue::new(format!("{resource_type}.identifier"), text));
        }
    };
    // Directly after the type, where readers expect it.
    fields.shift_remove("id");
    fields.shift_insert(1.min(fields.len()), "id".to_owned(), Value::String(id.clone()));
    let mut json = Value::Object(fields);
    let mut path = resource_type.clone();
    resolve(namespace, &mut json, &mut path)?;
    Ok(Resource { resource_type, id, json })
}

/// System and value of the first identifier that has both. `identifier` is a list in most types, one in some.
fn first_identifier(fields: &Map<String, Value>) -> Option<(&str, &str)> {
    let identifiers = match fields.get("identifier")? {
        Value::Array(identifiers) => identifiers.as_slice(),
        one => std::slice::from_ref(one),
    };
    identifiers.iter().find_map(|identifier| {
        let text = |name| identifier.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        Some((text("system")?, text("value")?))
    })
}

/// Makes every reference in `value` literal. `path` is where `value` stands.
fn resolve(namespace: Uuid, value: &mut Value, path: &mut String) -> Result<(), Issue> {
    let length = path.len();
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push_str(&format!("[{index}]"));
                resolve(namespace, item, path)?;
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                path.push('.');
                path.push_str(name);
                match field {
                    Value::String(reference) if name == "reference" => {
                        if let Some(literal) = literal(namespace, reference, path)? {
                            *reference = literal;
                        }
                    }
                    _ => resolve(namespace, field, path)?,
                }
                path.truncate(length);
            }
        }
        _ => {}
    }
    Ok(())
}

/// `Type/id` for `Type?identifier=system|value`; nothing for a reference that is no search.
fn literal(namespace: Uuid, reference: &str, path: &str) -> Result<Option<String>, Issue> {
    let Some((resource_type, query)) = reference.split_once('?') else { return Ok(None) };
    if resource_type.is_empty() || !resource_type.bytes().all(|b| b.is_ascii_alphabetic()) {
        // The query of an absolute URL.
        return Ok(None);
    }
    let token = query.strip_prefix("identifier=").filter(|token| !token.contains(['&', ',']));
    let identifier = token.and_then(|token| token.split_once('|')).and_then(|(system, value)| {
        let (system, value) = (decode(system)?, decode(value)?);
        (!system.is_empty() && !value.is_empty()).then_some((system, value))
    });
    let Some((system, value)) = identifier else {
        return Err(Issue::new(path, "a reference by search must be `Type?identifier=system|value`"));
    };
    Ok(Some(format!("{resource_type}/{}", resource_id(namespace, resource_type, &system, &value))))
}

/// Percent-decoding (RFC 3986 section 2.1). Nothing for what is not.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).ok()
}
