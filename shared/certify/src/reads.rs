//! Lists, reads and searches: everything is there, once, and is FHIR R4.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::{
    Phi,
    manifest::{Delta, ResourceApi, SearchParameter},
};
use bridge_fhir::Resource;
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

const FOUND: &str = "it is found by what it refers to";
const READ: &str = "a record is read by its id";
const MINIMISED: &str = "what a route drops is not sent";

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
            report.add(Area::Minimised, name, MINIMISED, minimised::check(name, known));
        }
        if resource.read.is_some() {
            report.add(Area::Read, name, READ, read(subject, name, resource, known).await);
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
                report.add(Area::Search, name, FOUND, found);
            }
        }
    }
}

/// What is not listed as a whole, free times for example, is searched for as somebody would who wants an appointment, and read
/// as somebody would who has one.
async fn found_from_an_appointment(
    subject: &Subject,
    report: &mut Report,
    name: &str,
    resource: &ResourceApi,
) {
    let appointments = subject.api().and_then(|api| api.resources.get("Appointment"));
    let Some(appointments) = appointments else { return };
    let booked = match listed(subject, "Appointment", appointments).await {
        Ok(known) => known,
        Err(why) => return report.add(Area::Search, name, FOUND, Err(why)),
    };
    let system = subject.filled(&appointments.identifier);
    let booked = booked.iter().filter_map(|mapped| mapped.of_type("Appointment", &system));
    let booked: Vec<&Value> = booked.map(|(resource, _)| &resource.json).take(MOST_ASKED).collect();
    let mut known = Vec::new();
    if !resource.search.is_empty() {
        match found_like(subject, name, resource, &booked).await {
            Ok(Some(found)) if found.is_empty() => {
                report.add(Area::Search, name, FOUND, Err("nothing was found".to_owned()));
            }
            Ok(Some(found)) => {
                known = found;
                report.add(Area::Search, name, FOUND, Ok(()));
                report.add(Area::Minimised, name, MINIMISED, minimised::check(name, &known));
            }
            Ok(None) => {
                report.skip(Area::Search, name, FOUND, "it is searched by what no appointment says");
            }
            Err(why) => report.add(Area::Search, name, FOUND, Err(why)),
        }
    }
    let system = subject.filled(&resource.identifier);
    let named = booked.iter().find_map(|appointment| referred(appointment, name, &system));
    if resource.read.is_some() && !known.is_empty() {
        report.add(Area::Read, name, READ, read(subject, name, resource, &known).await);
    } else if let Some(id) = named.filter(|_| resource.read.is_some()) {
        let done = read_one(subject, name, resource, &id).await;
        report.add(Area::Read, name, READ, done.map(drop));
    }
}

/// What the first way to search finds for the people and places of one of these appointments.
async fn found_like(
    subject: &Subject,
    name: &str,
    resource: &ResourceApi,
    booked: &[&Value],
) -> Result<Option<Vec<Mapped>>, String> {
    if booked.is_empty() {
        return Err("there is no appointment to search like".to_owned());
    }
    // Not everybody has everything: somebody will have paid, for example.
    for appointment in booked {
        match sample::searched(subject, name, resource, appointment).await? {
            Some(found) if found.is_empty() => {}
            None => return Ok(None),
            Some(found) => {
                let whole = |json: Value| {
                    let id = json.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
                    Mapped { resources: vec![Resource { resource_type: name.to_owned(), id, json }] }
                };
                return Ok(Some(found.into_iter().map(whole).collect()));
            }
        }
    }
    Ok(Some(Vec::new()))
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
    let system = subject.filled(&resource.identifier);
    let first = known.iter().find_map(|mapped| mapped.of_type(name, &system));
    let (listed, id) = first.ok_or("there is none to read")?;
    match read_one(subject, name, resource, &id).await? {
        read if read.id == listed.id => Ok(()),
        _ => Err("the record read is another one than was listed".to_owned()),
    }
}

/// Reads the one that the product calls `id`, and none where there is none.
async fn read_one(
    subject: &Subject,
    name: &str,
    resource: &ResourceApi,
    id: &str,
) -> Result<Resource, String> {
    let read = resource.read.as_ref().ok_or("it is not read by its id")?;
    let system = subject.filled(&resource.identifier);
    let arguments = Phi::new(BTreeMap::from([("id".to_owned(), id.to_owned())]));
    let answer =
        subject.patient(&read.operation, &arguments, None).await.map_err(|error| error.to_string())?;
    let record = answer.records.expose().first().cloned().ok_or("the answer has no record")?;
    let mapped = subject.mapped(&resource.kind, &record)?;
    let (found, own) = mapped.of_type(name, &system).ok_or("the record read has no such identifier")?;
    if own != id {
        return Err("the record read is another one than was asked for".to_owned());
    }
    let nobody = Phi::new(BTreeMap::from([("id".to_owned(), "999999999".to_owned())]));
    match subject.patient(&read.operation, &nobody, None).await {
        Err(bridge_core::remote::CallError::NotFound(_)) => Ok(found.clone()),
        Ok(answer) if answer.records.expose().is_empty() => Ok(found.clone()),
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
