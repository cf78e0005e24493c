//! Which HL7 v2 messages a message's resources become, and what each of them is told with (ADR 10).
//!
//! | resource | event |
//! |---|---|
//! | Patient | A40 when it replaces another from now on, A28 when it is new, else A31 |
//! | Appointment | S15 cancelled, S17 entered in error, S26 not come; else S12 new, S13 moved, S14 |
//! | ChargeItem | P03, those of a patient and a visit together |
//! | DiagnosticReport | R01, those of a patient together |
//!
//! A patient who comes along with an appointment, a charge or a result, and is as before, is no event.

use std::collections::BTreeSet;

use bridge_convert::to_v2::Event;
use bridge_fhir::Resource;
use serde_json::Value;

use crate::normalize::change::{Change, Changes};

/// One message to write.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Planned {
    pub(super) event: Event,
    /// `Type/id` of what it is about.
    pub(super) about: Vec<String>,
}

/// A message to write, and what it is told with.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What happened.
    pub event: Event,
    /// The resources it happened to first, then what they refer to. PHI.
    pub resources: Vec<Value>,
}

/// The HL7 v2 messages that these resources become, in the order in which a receiver has to learn of them. Patients and
/// appointments that `changes` does not name are taken to be changed.
pub fn tell(resources: &[Resource], changes: &Changes) -> Vec<Told> {
    let told = |planned: Planned| Told { event: planned.event, resources: context(&planned, resources) };
    plan(resources, changes).into_iter().map(told).collect()
}

pub(super) fn plan(resources: &[Resource], changes: &Changes) -> Vec<Planned> {
    let of = |kind: &'static str| resources.iter().filter(move |resource| resource.resource_type == kind);
    let alone = !resources.iter().any(|resource| {
        matches!(resource.resource_type.as_str(), "Appointment" | "ChargeItem" | "DiagnosticReport")
    });
    let one = |event: Event, resource: &Resource| Planned { event, about: vec![resource.reference()] };
    let patients = of("Patient").filter(|patient| !is_merged_away(patient, resources));
    let patients = patients.filter_map(|patient| Some(one(patient_event(patient, changes, alone)?, patient)));
    let appointments = of("Appointment").map(|resource| one(appointment_event(resource, changes), resource));
    let charges = groups(of("ChargeItem"), &["/subject/reference", "/context/reference"]);
    let reports = groups(of("DiagnosticReport"), &["/subject/reference"]);
    let all = |event: Event| move |about: Vec<String>| Planned { event, about };
    patients
        .chain(appointments)
        .chain(charges.into_iter().map(all(Event::DftP03)))
        .chain(reports.into_iter().map(all(Event::OruR01)))
        .collect()
}

fn patient_event(patient: &Resource, changes: &Changes, alone: bool) -> Option<Event> {
    match changes.get(&patient.reference()) {
        Some(Change::Merged) => Some(Event::AdtA40),
        Some(Change::Created) if links(&patient.json, "replaces").next().is_some() => Some(Event::AdtA40),
        Some(Change::Created) => Some(Event::AdtA28),
        Some(Change::Same) if !alone => None,
        _ => Some(Event::AdtA31),
    }
}

/// Its survivor's A40 tells of it.
fn is_merged_away(patient: &Resource, resources: &[Resource]) -> bool {
    let here = |reference: &str| resources.iter().any(|resource| resource.reference() == reference);
    links(&patient.json, "replaced-by").any(here)
}

fn appointment_event(appointment: &Resource, changes: &Changes) -> Event {
    match appointment.json.get("status").and_then(Value::as_str) {
        Some("cancelled") => Event::SiuS15,
        Some("entered-in-error") => Event::SiuS17,
        Some("noshow") => Event::SiuS26,
        _ => match changes.get(&appointment.reference()) {
            Some(Change::Created) => Event::SiuS12,
            Some(Change::Moved) => Event::SiuS13,
            _ => Event::SiuS14,
        },
    }
}

/// Resources with the same values at these places, in the order of the first of each.
fn groups<'a>(resources: impl Iterator<Item = &'a Resource>, places: &[&str]) -> Vec<Vec<String>> {
    let mut groups: Vec<(Vec<Option<&str>>, Vec<String>)> = Vec::new();
    for resource in resources {
        let key: Vec<_> =
            places.iter().map(|place| resource.json.pointer(place).and_then(Value::as_str)).collect();
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, group)) => group.push(resource.reference()),
            None => groups.push((key, vec![resource.reference()])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn links<'a>(patient: &'a Value, kind: &'static str) -> impl Iterator<Item = &'a str> {
    let links = patient.get("link").and_then(Value::as_array).into_iter().flatten();
    links
        .filter(move |link| link.get("type").and_then(Value::as_str) == Some(kind))
        .filter_map(|link| link.pointer("/other/reference")?.as_str())
}

/// What a message is told with: what it is about first, then what that refers to, and the visits, accounts, coverages
/// and relatives of its patients.
pub(super) fn context(planned: &Planned, resources: &[Resource]) -> Vec<Value> {
    let mut told: Vec<Value> = Vec::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut add = |resource: &Resource, names: &mut BTreeSet<String>| {
        if names.insert(resource.reference()) {
            told.push(if planned.event == Event::AdtA40 {
                merging(resource, resources)
            } else {
                resource.json.clone()
            });
        }
    };
    let is_about = |resource: &&Resource| planned.about.contains(&resource.reference());
    resources.iter().filter(is_about).for_each(|resource| add(resource, &mut names));
    loop {
        let before = names.len();
        for resource in resources.iter().filter(|resource| !is_event(&resource.resource_type)) {
            let known = resources.iter().filter(|other| names.contains(&other.reference()));
            let is_named = known.clone().any(|other| {
                references(&other.json, planned.event == Event::AdtA40)
                    .contains(&resource.reference().as_str())
            });
            let is_of_patient = matches!(
                resource.resource_type.as_str(),
                "Encounter" | "Account" | "Coverage" | "RelatedPerson"
            ) && references(&resource.json, false)
                .iter()
                .any(|name| name.starts_with("Patient/") && names.contains(*name));
            if is_named || is_of_patient {
                add(resource, &mut names);
            }
        }
        if names.len() == before {
            return told;
        }
    }
}

fn is_event(kind: &str) -> bool {
    matches!(kind, "Appointment" | "ChargeItem" | "DiagnosticReport")
}

/// A surviving patient with the links that this message brought: earlier merges have been told.
fn merging(resource: &Resource, resources: &[Resource]) -> Value {
    let mut json = resource.json.clone();
    let here = |link: &Value| {
        let other = link.pointer("/other/reference").and_then(Value::as_str);
        resources.iter().any(|resource| Some(resource.reference().as_str()) == other)
    };
    if let Some(links) = json.get_mut("link").and_then(Value::as_array_mut)
        && links.iter().any(here)
    {
        links.retain(here);
    }
    json
}

/// The `Type/id` that a resource refers to. Links between patients are a matter of merges alone.
pub(super) fn references(json: &Value, links: bool) -> Vec<&str> {
    let mut found = Vec::new();
    collect(json, links, &mut found);
    found
}

fn collect<'a>(json: &'a Value, links: bool, found: &mut Vec<&'a str>) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_str() {
                    Some(reference) if name == "reference" => found.push(reference),
                    _ if name == "link" && !links => {}
                    _ => collect(value, links, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, links, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(json: Value) -> Resource {
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        Resource { resource_type: text("resourceType"), id: text("id"), json: json.clone() }
    }

    fn patient(id: &str) -> Resource {
        resource(json!({"resourceType": "Patient", "id": id}))
    }

    fn appointment(status: &str) -> Resource {
        resource(json!({"resourceType": "Appointment", "id": "a", "status": status,
            "participant": [{"actor": {"reference": "Patient/1"}}]}))
    }

    fn events(resources: &[Resource], changes: &[(&str, Change)]) -> Vec<Event> {
        let changes = changes.iter().map(|(name, change)| ((*name).to_owned(), *change)).collect();
        plan(resources, &changes).into_iter().map(|planned| planned.event).collect()
    }

    #[test]
    fn a_patient_is_new_or_changed() {
        assert_eq!(events(&[patient("1")], &[("Patient/1", Change::Created)]), [Event::AdtA28]);
        for change in [Change::Changed, Change::Same] {
            assert_eq!(events(&[patient("1")], &[("Patient/1", change)]), [Event::AdtA31], "{change:?}");
        }
    }

    #[test]
    fn an_appointment_s_event_is_its_status_or_what_happened_to_it() {
        let table = [
            ("booked", Change::Created, Event::SiuS12),
            ("booked", Change::Moved, Event::SiuS13),
            ("booked", Change::Changed, Event::SiuS14),
            ("arrived", Change::Same, Event::SiuS14),
            ("cancelled", Change::Created, Event::SiuS15),
            ("cancelled", Change::Moved, Event::SiuS15),
            ("entered-in-error", Change::Changed, Event::SiuS17),
            ("noshow", Change::Changed, Event::SiuS26),
        ];
        for (status, change, event) in table {
            assert_eq!(
                events(&[appointment(status)], &[("Appointment/a", change)]),
                [event],
                "{status} {change:?}"
            );
        }
    }

    #[test]
    fn a_patient_comes_before_what_is_about_them_and_only_when_there_is_something_to_tell() {
        let both = [appointment("booked"), patient("1")];
        let at = |patient| [("Patient/1", patient), ("Appointment/a", Change::Created)];
        assert_eq!(events(&both, &at(Change::Created)), [Event::AdtA28, Event::SiuS12]);
        assert_eq!(events(&both, &at(Change::Changed)), [Event::AdtA31, Event::SiuS12]);
        assert_eq!(events(&both, &at(Change::Same)), [Event::SiuS12]);
    }

    #[test]
    fn a_merge_is_one_message_with_the_patients_it_is_about() {
        let link = |other: &str, kind: &str| json!({"other": {"reference": other}, "type": kind});
        let survivor = resource(json!({"resourceType": "Patient", "id": "1",
            "link": [link("Patient/0", "replaces"), link("Patient/2", "replaces")]}));
        let gone = resource(
            json!({"resourceType": "Patient", "id": "2", "link": [link("Patient/1", "replaced-by")]}),
        );
        let resources = [survivor, gone];
        let changes = Changes::from([("Patient/1".to_owned(), Change::Merged)]);
        let planned = plan(&resources, &changes);
        assert_eq!(planned, [Planned { event: Event::AdtA40, about: vec!["Patient/1".to_owned()] }]);
        let context = context(&planned[0], &resources);
        assert_eq!(context.len(), 2);
        assert_eq!(
            context[0]["link"],
            json!([link("Patient/2", "replaces")]),
            "the merge before is told already"
        );
    }

    #[test]
    fn charges_go_together_by_patient_and_visit() {
        let charge = |id: &str, patient: &str, visit: &str| {
            resource(json!({"resourceType": "ChargeItem", "id": id, "subject": {"reference": patient},
                "context": {"reference": visit}}))
        };
        let resources = [
            charge("a", "Patient/1", "Encounter/1"),
            charge("b", "Patient/1", "Encounter/2"),
            charge("c", "Patient/1", "Encounter/1"),
            resource(json!({"resourceType": "Encounter", "id": "1", "subject": {"reference": "Patient/1"}})),
        ];
        let planned = plan(&resources, &Changes::new());
        let about: Vec<_> = planned.iter().map(|planned| planned.about.join(" ")).collect();
        assert_eq!(about, ["ChargeItem/a ChargeItem/c", "ChargeItem/b"]);
        let context = context(&planned[0], &resources);
        let ids: Vec<_> = context.iter().map(|json| json["id"].as_str().unwrap_or_default()).collect();
        assert_eq!(ids, ["a", "c", "1"], "no other group's charges");
    }
}
