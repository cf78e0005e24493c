//! What a message did to a resource: HL7 v2 tells events, and FHIR tells states.
//!
//! It is decided before the resource is stored, and kept with it: normalizing the message once more gives the same
//! events, although the store knows the new state by then (ADR 10).

use std::collections::BTreeMap;

use bridge_core::task::NormalizeTask;
use bridge_fhir::Resource;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::merge::Asides;
use crate::{bridge::Bridge, keys::KeyError, ports::Ports, stage::Failure};

/// What a message did to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// It was not known before.
    Created,
    /// A patient that now replaces another one.
    Merged,
    /// An appointment that begins at another time.
    Moved,
    /// Anything else is different.
    Changed,
    /// Nothing is different.
    Same,
}

/// What a message did, by `Type/id`.
pub type Changes = BTreeMap<String, Change>;

impl<P: Ports> Bridge<P> {
    /// What a message is about to do to its patients and appointments.
    pub(super) async fn changes(
        &self,
        task: &NormalizeTask,
        resources: &[Resource],
        asides: Option<&Asides>,
    ) -> Result<Changes, Failure> {
        let told = resources.iter().filter(|resource| is_told(&resource.resource_type));
        let changes = told.map(async |resource| {
            let reference = resource.reference();
            let change = match self.resource(&task.connection.tenant(), &reference).await {
                Ok(None) => Change::Created,
                Ok(Some((doc, _))) if doc.message == task.message && doc.replay == task.replay => {
                    doc.change.unwrap_or(Change::Changed)
                }
                Ok(Some((_, known))) => {
                    let known = serde_json::from_slice(known.expose()).unwrap_or(Value::Null);
                    difference(&known, resource, asides)
                }
                Err(KeyError::Port(error)) => return Err(Failure::Port(error)),
                // There is something; that it can't be opened is for those to say who need it.
                Err(_) => Change::Changed,
            };
            // A replay is a new effect, also where nothing is new.
            let change = if task.replay > 0 && change == Change::Same { Change::Changed } else { change };
            Ok((reference, change))
        });
        Ok(try_join_all(changes).await?.into_iter().collect())
    }
}

fn is_told(resource_type: &str) -> bool {
    matches!(resource_type, "Patient" | "Appointment")
}

/// How a resource differs from what is known. With `asides` it holds only what the message says.
fn difference(known: &Value, resource: &Resource, asides: Option<&Asides>) -> Change {
    let new = &resource.json;
    if replaces(new).any(|other| !replaces(known).any(|known| known == other)) {
        return Change::Merged;
    }
    let start = |json: &Value| json.get("start").cloned();
    if resource.resource_type == "Appointment" && start(new).is_some() && start(new) != start(known) {
        return Change::Moved;
    }
    let fields = |json: &Value| json.as_object().cloned().unwrap_or_default();
    let (new, known) = (fields(new), fields(known));
    let counts = |name: &str| !matches!(name, "id" | "meta");
    let agrees =
        new.iter().filter(|(name, _)| counts(name)).all(|(name, value)| known.get(name) == Some(value));
    let removes = match asides {
        Some(asides) => asides.removals.iter().any(|(of, _)| *of == resource.reference()),
        None => known.keys().any(|name| counts(name) && !new.contains_key(name)),
    };
    if agrees && !removes { Change::Same } else { Change::Changed }
}

/// The patients that a patient replaces.
fn replaces(patient: &Value) -> impl Iterator<Item = &str> {
    let links = patient.get("link").and_then(Value::as_array).into_iter().flatten();
    let replaced = links.filter(|link| link.get("type").and_then(Value::as_str) == Some("replaces"));
    replaced.filter_map(|link| link.pointer("/other/reference")?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn change(known: &Value, new: &Value, asides: Option<&Asides>) -> Change {
        let resource = Resource {
            resource_type: new["resourceType"].as_str().unwrap_or_default().to_owned(),
            id: "1".to_owned(),
            json: new.clone(),
        };
        difference(known, &resource, asides)
    }

    #[test]
    fn a_snapshot_differs_by_what_it_has_and_by_what_it_lacks() {
        let known =
            json!({"resourceType": "Patient", "id": "1", "gender": "female", "birthDate": "1970-01-01"});
        assert_eq!(change(&known, &known, None), Change::Same);
        let lacks = json!({"resourceType": "Patient", "id": "1", "gender": "female"});
        assert_eq!(change(&known, &lacks, None), Change::Changed);
        let partial = Asides::default();
        assert_eq!(change(&known, &lacks, Some(&partial)), Change::Same, "what is not said stays");
        let removing =
            Asides { removals: vec![("Patient/1".to_owned(), "Patient.birthDate")], ..Asides::default() };
        assert_eq!(change(&known, &lacks, Some(&removing)), Change::Changed);
        let other = json!({"resourceType": "Patient", "id": "1", "gender": "male"});
        assert_eq!(change(&known, &other, Some(&partial)), Change::Changed);
    }

    #[test]
    fn an_appointment_is_moved_by_its_start_alone() {
        let at = |start: &str, comment: &str| json!({"resourceType": "Appointment", "id": "1", "start": start, "comment": comment});
        let known = at("2026-03-02T10:00:00Z", "a");
        assert_eq!(change(&known, &at("2026-03-02T11:00:00Z", "a"), None), Change::Moved);
        assert_eq!(change(&known, &at("2026-03-02T10:00:00Z", "b"), None), Change::Changed);
        let unsaid = json!({"resourceType": "Appointment", "id": "1", "status": "booked"});
        assert_eq!(change(&known, &unsaid, Some(&Asides::default())), Change::Changed);
    }

    #[test]
    fn a_merge_is_told_once() {
        let link = |other: &str| json!([{"other": {"reference": other}, "type": "replaces"}]);
        let known = json!({"resourceType": "Patient", "id": "1"});
        let merged = json!({"resourceType": "Patient", "id": "1", "link": link("Patient/2")});
        assert_eq!(change(&known, &merged, None), Change::Merged);
        assert_eq!(change(&merged, &merged, None), Change::Same);
        let again = json!({"resourceType": "Patient", "id": "1", "link": link("Patient/3")});
        assert_eq!(change(&merged, &again, None), Change::Merged);
    }
}
