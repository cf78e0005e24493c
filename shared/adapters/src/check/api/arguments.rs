//! Which arguments an operation is given, and which it takes. One that is given and not taken would be a search parameter
//! without effect, which is a wrong answer; one that is taken and never given is a slip of the pen.

use std::collections::BTreeSet;

use bridge_core::manifest::{Api, Delta, Operation, ResourceApi, Search, SearchParameter, Write};

use super::{Around, Place, Problems};
use crate::{Fault, template};

pub(super) fn check(
    name: &str,
    operation: &Operation,
    api: &Api,
    around: &Around<'_>,
    place: &Place,
    problems: &mut Problems,
) {
    let given = Given::to(name, api);
    let mut taken = BTreeSet::new();
    for (key, text) in texts(operation) {
        let place = key.iter().fold(place.clone(), |place, key| place.at(key));
        let names = match template::names(text) {
            Ok(names) => names,
            Err(fault) => {
                problems.add(place, fault);
                continue;
            }
        };
        for name in names {
            taken.insert(name);
            let known =
                given.any || given.names.contains(name) || around.manifest.settings.contains_key(name);
            problems.unless(known, place.clone(), || Fault::NoSuchArgument(name.to_owned()));
        }
    }
    for name in &operation.carry {
        taken.insert(name);
        let known = given.any || given.names.contains(&**name) || around.manifest.settings.contains_key(name);
        problems.unless(known, place.at("carry"), || Fault::NoSuchArgument(name.to_owned()));
    }
    // A body's mapping may take any.
    if operation.body.is_none() {
        for name in
            given.names.iter().filter(|name| !taken.contains(**name) && !matches!(**name, "id" | "job"))
        {
            problems.add(place.clone(), Fault::UnusedArgument((*name).to_owned()));
        }
    }
}

/// The texts in which arguments stand, each with its keys.
fn texts(operation: &Operation) -> Vec<(Vec<&str>, &str)> {
    let query = operation.query.iter().flat_map(|(name, templates)| {
        templates.texts().iter().map(move |text| (vec!["query", name.as_str()], text.as_str()))
    });
    let headers =
        operation.headers.iter().map(|(name, text)| (vec!["headers", name.as_str()], text.as_str()));
    let path = std::iter::once((vec!["path"], operation.path.as_str()));
    path.chain(query).chain(headers).collect()
}

/// The arguments that an operation is given by those who name it.
#[derive(Default)]
struct Given<'a> {
    names: BTreeSet<&'a str>,
    /// A mapping makes them: they may be any.
    any: bool,
}

impl<'a> Given<'a> {
    fn to(operation: &str, api: &'a Api) -> Self {
        let mut given = Self::default();
        let starts_job = |other: &Operation| other.job.as_ref().is_some_and(|job| job.result == operation);
        if api.operations.values().any(starts_job) {
            // It is given what the job was started with, too.
            given.names.insert("job");
            given.any = true;
        }
        for resource in api.resources.values() {
            given.by_resource(operation, resource);
        }
        given
    }

    fn by_resource(&mut self, operation: &str, resource: &'a ResourceApi) {
        if resource.read.as_ref().is_some_and(|read| read.operation == operation) {
            self.names.insert("id");
        }
        for search in resource.search.iter().filter(|search| search.operation == operation) {
            self.by_search(search);
        }
        if let Some(poll) = &resource.poll {
            if poll.operation == operation {
                self.names.extend(poll.arguments.keys().map(String::as_str));
                self.by_delta(&poll.delta);
            }
            if let Delta::Queue { again: Some(again), .. } = &poll.delta
                && again.operation.as_ref().unwrap_or(&poll.operation) == operation
            {
                self.names.extend(poll.arguments.keys().map(String::as_str));
                self.names.extend([again.from.as_str(), again.to.as_str()]);
            }
            if let Some(all) = poll.reconcile.as_ref().filter(|all| all.operation == operation) {
                self.names.extend(all.arguments.keys().map(String::as_str));
            }
        }
        for write in &resource.write {
            self.by_write(operation, write);
        }
    }

    fn by_search(&mut self, search: &'a Search) {
        self.names.extend(search.arguments.keys().map(String::as_str));
        for parameter in search.parameters.values() {
            match parameter {
                SearchParameter::String { argument }
                | SearchParameter::Token { argument, .. }
                | SearchParameter::Reference { argument, .. }
                | SearchParameter::Day { argument, .. } => {
                    self.names.insert(argument);
                }
                SearchParameter::Date { from, to, .. } => self.names.extend([from.as_str(), to.as_str()]),
            }
        }
    }

    fn by_delta(&mut self, delta: &'a Delta) {
        match delta {
            Delta::Since { argument, .. } => {
                self.names.insert(argument);
            }
            Delta::Window { from, to, .. } => self.names.extend([from.as_str(), to.as_str()]),
            // What asks a queue again may be another operation.
            Delta::Queue { .. } | Delta::Newest { .. } | Delta::Whole => {}
        }
    }

    fn by_write(&mut self, operation: &str, write: &'a Write) {
        if write.operation == operation {
            self.names.insert("id");
            self.names.extend(write.needs.iter().map(|needs| needs.argument.as_str()));
            self.any |= write.arguments.is_some();
        }
        self.any |= write.find.as_ref().is_some_and(|find| find.operation == operation);
        self.any |= write.needs.as_ref().is_some_and(|needs| needs.operation == operation);
        if write.confirm.as_ref().is_some_and(|confirm| confirm.operation == operation) {
            self.names.insert("id");
        }
    }
}
