//! `_elements` and `_summary`: a part of a resource (FHIR R4, sections 3.1.1.5.8 and 3.1.1.5.9).

use bridge_core::manifest::scalar;
use serde_json::{Map, Value, json};

/// What is left of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Cut {
    /// All of it.
    #[default]
    Whole,
    /// All but its narrative.
    Text,
    /// These elements, and those without which it would be no resource of its type.
    Elements(Vec<String>),
}

const SUBSETTED: (&str, &str) = ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "SUBSETTED");

impl Cut {
    /// As `_elements` names them.
    pub(super) fn elements(names: &str) -> Self {
        Self::Elements(names.split(',').map(|name| name.trim().to_owned()).collect())
    }

    /// What is left of a resource that is FHIR R4; it says that it is a part.
    pub(super) fn apply(&self, resource: Value) -> Value {
        let Value::Object(mut fields) = resource else { return resource };
        match self {
            Self::Whole => return Value::Object(fields),
            Self::Text => drop(fields.shift_remove("text")),
            Self::Elements(names) => {
                let mut kept: Vec<String> = ["resourceType", "id", "meta"]
                    .map(str::to_owned)
                    .into_iter()
                    .chain(names.clone())
                    .collect();
                fields = loop {
                    let part = only(&fields, &kept);
                    let missing = missing(&part, &fields, &kept);
                    if missing.is_empty() {
                        break part;
                    }
                    kept.extend(missing);
                };
            }
        }
        let mut part = Value::Object(fields);
        tag(&mut part);
        part
    }
}

/// The named elements, with what stands beside primitive ones.
fn only(fields: &Map<String, Value>, names: &[String]) -> Map<String, Value> {
    let is_kept = |name: &String| names.iter().any(|kept| kept == name.strip_prefix('_').unwrap_or(name));
    fields
        .iter()
        .filter(|(name, _)| is_kept(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The elements of the whole without which the part is no resource.
fn missing(part: &Map<String, Value>, whole: &Map<String, Value>, kept: &[String]) -> Vec<String> {
    let Err(issues) = bridge_fhir::check(&Value::Object(part.clone())) else { return Vec::new() };
    let mut missing: Vec<String> = Vec::new();
    for issue in issues {
        let Some(path) = issue.path.split('.').nth(1) else { continue };
        let name = path.split('[').next().unwrap_or_default();
        // A choice is told of by its stem: `occurrence` for `occurrenceDateTime`.
        let stem = name.trim_end_matches("[x]");
        let found = whole.keys().find(|key| *key == name || !stem.is_empty() && key.starts_with(stem));
        missing.extend(found.filter(|found| !kept.contains(found)).cloned());
    }
    missing
}

fn tag(part: &mut Value) {
    let tag = json!({"system": SUBSETTED.0, "code": SUBSETTED.1});
    let Some(fields) = part.as_object_mut() else { return };
    let Some(meta) = fields.entry("meta").or_insert_with(|| json!({})).as_object_mut() else { return };
    match meta.entry("tag").or_insert_with(|| json!([])) {
        Value::Array(tags) => tags.push(tag),
        other => *other = json!([tag]),
    }
}

/// Whether a resource says that it is only a part of one: it must not take the place of the whole.
pub(super) fn is_part(resource: &Value) -> bool {
    let tags = resource.pointer("/meta/tag").and_then(Value::as_array).into_iter().flatten();
    tags.filter_map(|tag| tag.get("code").and_then(scalar)).any(|code| code == SUBSETTED.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_type_must_have_stays() {
        let whole = json!({"resourceType": "Appointment", "id": "a", "status": "booked", "description": "x",
            "start": "2026-03-02T10:00:00Z", "_start": {"id": "s"}, "end": "2026-03-02T10:30:00Z",
            "participant": [{"status": "accepted", "actor": {"reference": "Patient/p"}}]});
        assert_eq!(bridge_fhir::check(&whole), Ok(()));
        let part = Cut::elements("start").apply(whole.clone());
        let names: Vec<&String> = part.as_object().into_iter().flatten().map(|(name, _)| name).collect();
        assert_eq!(names, ["resourceType", "id", "status", "start", "_start", "participant", "meta"]);
        assert!(is_part(&part) && !is_part(&whole));
        assert_eq!(bridge_fhir::check(&part), Ok(()));
        assert_eq!(Cut::Whole.apply(whole.clone()), whole);
    }
}
