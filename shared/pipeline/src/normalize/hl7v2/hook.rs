//! A site's own word about the resources of a message: a JSONata mapping that sees both and returns the resources.
//!
//! It sees `{"message": …, "resources": […]}`. A segment is `{"name": "ZPI", "fields": {"2": [repetition, …]}}`, a
//! repetition `{"1": text, "2": text, "2.3": text}` by component and subcomponent. What is empty is left out, and
//! `""` (remove it) is null.

use std::collections::HashMap;

use bridge_core::{Cause, task::NormalizeTask};
use bridge_fhir::Resource;
use bridge_hl7v2::{Message, Segment, Value as Piece};
use bridge_mapping::Mapping;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    configuration::Loaded,
    normalize::translate::{apply as map, invalid},
};

/// Lets the hook change, add and leave out resources. What it changed is checked as FHIR R4; what it adds needs an
/// identifier, from which its id follows.
pub(super) fn apply(
    hook: &Mapping,
    name: &str,
    message: &Message<'_>,
    resources: Vec<Resource>,
    namespace: Uuid,
    task: &NormalizeTask,
    source: &Loaded,
) -> Result<Vec<Resource>, Cause> {
    let given: Vec<&Value> = resources.iter().map(|resource| &resource.json).collect();
    let record = json!({"message": {"segments": segments(message)}, "resources": given});
    let returned = map(hook, name, &record, &task.kind, source)?;
    let known: HashMap<String, &Resource> =
        resources.iter().map(|resource| (resource.reference(), resource)).collect();
    let assembled =
        bridge_fhir::assemble_again(namespace, returned, &|reference| known.contains_key(reference))
            .map_err(|issue| invalid(name, &[issue]))?;
    for resource in &assembled {
        let is_as_before =
            known.get(&resource.reference()).is_some_and(|before| before.json == resource.json);
        if !is_as_before {
            bridge_fhir::check(&resource.json).map_err(|issues| invalid(name, &issues))?;
        }
    }
    Ok(assembled)
}

fn segments(message: &Message<'_>) -> Vec<Value> {
    message
        .segments()
        .map(|segment| json!({"name": segment.name().to_string(), "fields": fields(segment)}))
        .collect()
}

fn fields(segment: Segment<'_>) -> Map<String, Value> {
    let mut fields = Map::new();
    for n in (1_u32..).take(segment.field_count()) {
        let field = segment.field(n);
        if !field.is_empty() {
            fields.insert(n.to_string(), field.filled().map(repetition).collect());
        }
    }
    fields
}

fn repetition(value: Piece<'_>) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    let mut parts = Map::new();
    for (n, component) in (1_u32..).zip(value.parts()).filter(|(_, component)| !component.is_empty()) {
        parts.insert(n.to_string(), text(component));
        let subcomponents: Vec<Piece<'_>> = component.parts().collect();
        if subcomponents.len() > 1 {
            for (m, part) in (1_u32..).zip(subcomponents).filter(|(_, part)| !part.is_empty()) {
                parts.insert(format!("{n}.{m}"), text(part));
            }
        }
    }
    Value::Object(parts)
}

fn text(value: Piece<'_>) -> Value {
    if value.is_null() { Value::Null } else { Value::String(value.text().into_owned()) }
}
