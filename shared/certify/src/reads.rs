//! Lists, reads and searches: everything is there, once, and is FHIR R4.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::{
    Phi,
    manifest::{Delta, ResourceApi, SearchParameter},
};
use serde_json::Value;

use crate::{
    delta, minimised,
    report::{Area, Report},
    subject::{Mapped, Subject},
    writes::sample,
};

/// More records than a simulated practice has.
const EVERYTHING: usize = 100_000;
/// Of so many appointments at least one has what is looked for.
const MOST_ASKED: usize = 25;

pub(crate) async fn run(subject: &Subject, report: &mut Report) {
    for (name, resource) in subject.resources() {
        if resource.poll.is_none() {
            found_from_an_appointment(subject, report, name, resource).await;
            continue;
        }
        let listed = listed(subject, name, resource).await;
        let known = listed.as_ref().map(Vec::as_slice).unwrap_or_default();
        let complete = match &listed {
            Err(why) => Err(why.clone()),
            Ok(known) => complete(subject, name, resource, known).await,
        };
        report.add(Area::List, name, "every record is listed over all pages, and is FHIR R4", complete);
        if !known.is_empty() {
            report.add(
                Area::Minimised,
                name,
                "what a route drops is not sent",
                minimised::check(name, known),
            );
        }
        if resource.read.is_some() {
            let read = read(subject, name, resource, known).await;
            report.add(Area::Read, name, "a record is read by its id", read);
        }
        for search in &resource.search {
            if search.parameters.is_empty() {
                let found = found(subject, resource, &search.operation, search.arguments.clone()).await;
                report.add(Area::Search, name, "all are found", found);
            }
            let Some((parameter, argument, value)) = reference(subject, search.parameters.iter(), known)
            else {
                continue;
            };
            if search.required.iter().all(|required| *required == parameter) {
                let mut arguments = search.arguments.clone();
                arguments.insert(argument, value);
                let found = found(subject, resource, &search.operation, arguments).await;
                report.add(Area::Search, name, "it is found by what it refers to", found);
            }
        }
    }
}

/// What is not listed as a whole, free times for example, is searched for as somebody would who wants an appointment.
async fn found_from_an_appointment(
    subject: &Subject,
    report: &mut Report,
    name: &str,
    resource: &ResourceApi,
) {
    let appointments = subject.api().and_then(|api| api.resources.get("Appointment"));
    let Some(appointments) = appointments.filter(|_| !resource.search.is_empty()) else { return };
    let found = async {
        let known = listed(subject, "Appointment", appointments).await?;
        let system = subject.filled(&appointments.identifier);
        let mut found = None;
        // Not everybody has everything: somebody will have paid, for example.
        for one in known.iter().filter_map(|mapped| mapped.of_type("Appointment", &system)).take(MOST_ASKED) {
            found =
                sample::searched(subject, name, resource, &one.0.json).await?.map(|found| !found.is_empty());
            if found != Some(false) {
                return Ok(found);
            }
        }
        if known.is_empty() { Err("there is no appointment to search like".to_owned()) } else { Ok(found) }
    };
    let claim = "it is found by what it refers to";
    match found.await {
        Ok(Some(true)) => report.add(Area::Search, name, claim, Ok(())),
        Ok(Some(false)) => report.add(Area::Search, name, claim, Err("nothing was found".to_owned())),
        Ok(None) => report.skip(Area::Search, name, claim, "it is searched by what no appointment says"),
        Err(why) => report.add(Area::Search, name, claim, Err(why)),
    }
}

/// Everything that the poll lists from the beginning, as FHIR.
pub(crate) async fn listed(
    subject: &Subject,
    name: &str,
    resource: &ResourceApi,
) -> Result<Vec<Mapped>, String> {
    let Some(poll) = &resource.poll else { return Ok(Vec::new()) };
    let since = subject.now().await.map_err(|error| error.to_string())? - delta::LONG_AGO;
    if let (Delta::Queue { .. }, None, Some(control)) = (&poll.delta, &poll.reconcile, &subject.control) {
        control.touch(name, EVERYTHING).await.map_err(|error| error.to_string())?;
    }
    // A queue has what changed alone; what lists everything is the reconciliation.
    let (operation, questions) = match &poll.reconcile {
        Some(all) => (&all.operation, vec![all.arguments.clone()]),
        None => (&poll.operation, delta::arguments(subject, poll, since).await?),
    };
    let mut all = Vec::new();
    for arguments in questions {
        let listed = subject.all(operation, &Phi::new(arguments)).await;
        for record in listed.map_err(|error| error.to_string())? {
            all.push(subject.mapped(&resource.kind, &record).map_err(|why| format!("{name}: {why}"))?);
        }
    }
    Ok(all)
}

/// The ids of what was listed.
pub(crate) fn ids(
    subject: &Subject,
    name: &str,
    resource: &ResourceApi,
    known: &[Mapped],
) -> BTreeSet<String> {
    let system = subject.filled(&resource.identifier);
    known.iter().filter_map(|mapped| Some(mapped.of_type(name, &system)?.1)).collect()
}

async fn complete(
    subject: &Subject,
    name: &str,
    resource: &ResourceApi,
    known: &[Mapped],
) -> Result<(), String> {
    let listed = ids(subject, name, resource, known);
    if listed.is_empty() && !known.is_empty() {
        return Err("nothing was listed that has the identifier".to_owned());
    }
    let (Some(control), Some(list)) = (&subject.control, of_book(name)) else { return Ok(()) };
    let book = control.book().await.map_err(|error| error.to_string())?;
    let held = book.get(list).and_then(Value::as_array).into_iter().flatten();
    let held: BTreeSet<String> =
        held.filter_map(|record| record.get("id")?.as_str().map(str::to_owned)).collect();
    let missing = held.difference(&listed).count();
    if missing == 0 { Ok(()) } else { Err(format!("{missing} of {} were not listed", held.len())) }
}

/// Where a simulator's book has records of a type.
pub(crate) fn of_book(resource_type: &str) -> Option<&'static str> {
    match resource_type {
        "Patient" => Some("patients"),
        "Appointment" => Some("appointments"),
        _ => None,
    }
}

async fn read(subject: &Subject, name: &str, resource: &ResourceApi, known: &[Mapped]) -> Result<(), String> {
    let Some(read) = &resource.read else { return Ok(()) };
    let system = subject.filled(&resource.identifier);
    let first = known.iter().find_map(|mapped| mapped.of_type(name, &system));
    let (listed, id) = first.ok_or("there is none to read")?;
    let arguments = Phi::new(BTreeMap::from([("id".to_owned(), id.clone())]));
    let answer =
        subject.patient(&read.operation, &arguments, None).await.map_err(|error| error.to_string())?;
    let record = answer.records.expose().first().cloned().ok_or("the answer has no record")?;
    let mapped = subject.mapped(&resource.kind, &record)?;
    let (resource, found) = mapped.of_type(name, &system).ok_or("the record read has no such identifier")?;
    if found != id || resource.id != listed.id {
        return Err("the record read is another one than was listed".to_owned());
    }
    let nobody = Phi::new(BTreeMap::from([("id".to_owned(), "999999999".to_owned())]));
    match subject.patient(&read.operation, &nobody, None).await {
        Err(bridge_core::remote::CallError::NotFound(_)) => Ok(()),
        Ok(answer) if answer.records.expose().is_empty() => Ok(()),
        other => Err(crate::access::told("an id of nothing is not told from others", &other)),
    }
}

/// A reference parameter, and a product's id that it can be asked with.
fn reference<'a>(
    subject: &Subject,
    mut parameters: impl Iterator<Item = (&'a String, &'a SearchParameter)>,
    known: &[Mapped],
) -> Option<(String, String, String)> {
    parameters.find_map(|(name, parameter)| {
        let SearchParameter::Reference { argument, to } = parameter else { return None };
        let system = subject.filled(&subject.api()?.resources.get(to)?.identifier);
        let value = known.iter().find_map(|mapped| {
            mapped.resources.iter().find_map(|resource| referred(&resource.json, to, &system))
        })?;
        Some((name.clone(), argument.clone(), value))
    })
}

/// The product's id that a resource refers to something of this type by.
pub(crate) fn referred(value: &Value, to: &str, system: &str) -> Option<String> {
    match value {
        Value::Object(fields) => {
            let named = fields.get("identifier").filter(|identifier| {
                identifier.get("system").and_then(Value::as_str) == Some(system)
                    && (fields.get("type").and_then(Value::as_str) == Some(to)
                        || fields.get("reference").and_then(Value::as_str).is_some_and(|r| r.starts_with(to)))
            });
            let value = named.and_then(|identifier| identifier.get("value")?.as_str().map(str::to_owned));
            value.or_else(|| fields.values().find_map(|field| referred(field, to, system)))
        }
        Value::Array(items) => items.iter().find_map(|item| referred(item, to, system)),
        _ => None,
    }
}

async fn found(
    subject: &Subject,
    resource: &ResourceApi,
    operation: &str,
    arguments: BTreeMap<String, String>,
) -> Result<(), String> {
    let listed = subject.all(operation, &Phi::new(arguments)).await.map_err(|error| error.to_string())?;
    if listed.is_empty() {
        return Err("nothing was found that was there a moment ago".to_owned());
    }
    for record in listed {
        subject.mapped(&resource.kind, &record)?;
    }
    Ok(())
}
