//! What can be done with a resource type.

use bridge_core::manifest::{Api, Delta, Mark, Poll, ResourceApi, Search, SearchParameter, Write};

use super::{super::connection::is_type, Around, Place, Problems, extract, is_operation, pointer, time};
use crate::Fault;

/// Seconds: nobody asks a product more often.
const SHORTEST_POLL: u64 = 30;
const LONGEST_POLL: u64 = 7 * 24 * 3600;

pub(super) fn resource(
    name: &str,
    resource: &ResourceApi,
    api: &Api,
    around: &Around<'_>,
    place: &Place,
    problems: &mut Problems,
) {
    problems.unless(is_type(name), place.clone(), || Fault::ResourceType);
    let kind = &resource.kind;
    problems.unless(api.kinds.contains_key(kind), place.at("kind"), || Fault::NoSuchKind(kind.clone()));
    around.text(&resource.identifier, place.at("identifier"), problems);
    if let Some(read) = &resource.read {
        is_operation(&read.operation, api, place.at("read").at("operation"), problems);
    }
    for (index, way) in resource.search.iter().enumerate() {
        search(way, api, around, &place.at("search").at(index), problems);
    }
    if let Some(poll) = &resource.poll {
        self::poll(poll, api, around, &place.at("poll"), problems);
    }
    for (index, way) in resource.write.iter().enumerate() {
        write(way, resource, api, around, &place.at("write").at(index), problems);
    }
}

fn search(search: &Search, api: &Api, around: &Around<'_>, place: &Place, problems: &mut Problems) {
    is_operation(&search.operation, api, place.at("operation"), problems);
    for name in search.required.iter().filter(|name| !search.parameters.contains_key(*name)) {
        problems.add(place.at("required"), Fault::NoSuchParameter(name.clone()));
    }
    for (name, parameter) in &search.parameters {
        let place = place.at("parameters").at(name);
        match parameter {
            SearchParameter::Token { system: Some(system), .. } => {
                around.text(system, place.at("system"), problems);
            }
            SearchParameter::Reference { to, .. } => {
                let there = api.resources.contains_key(to);
                problems.unless(there, place.at("to"), || Fault::NoSuchResource(to.clone()));
            }
            SearchParameter::Date { time, .. } | SearchParameter::Day { time, .. } => {
                self::time(time, &place.at("time"), problems);
            }
            SearchParameter::String { .. } | SearchParameter::Token { system: None, .. } => {}
        }
    }
}

fn poll(poll: &Poll, api: &Api, around: &Around<'_>, place: &Place, problems: &mut Problems) {
    if let Some(name) = &poll.needs {
        let there = around.manifest.settings.contains_key(name);
        problems.unless(there, place.at("needs"), || Fault::NoSuchSetting(name.clone()));
    }
    is_operation(&poll.operation, api, place.at("operation"), problems);
    let often = (SHORTEST_POLL..=LONGEST_POLL).contains(&poll.every);
    problems.unless(often, place.at("every"), || Fault::OutOfRange(SHORTEST_POLL, LONGEST_POLL));
    if let Some(all) = &poll.reconcile {
        let place = place.at("reconcile");
        is_operation(&all.operation, api, place.at("operation"), problems);
        problems.unless(all.every > 0, place.at("every"), || Fault::OutOfRange(1, u64::from(u32::MAX)));
    }
    let place = place.at("delta");
    match &poll.delta {
        Delta::Since { time, mark, .. } => {
            self::time(time, &place.at("time"), problems);
            match mark {
                Some(Mark::Answer { answer: at }) => extract(at, &place.at("mark").at("answer"), problems),
                Some(Mark::Record { record: at }) => extract(at, &place.at("mark").at("record"), problems),
                None => {}
            }
        }
        Delta::Window { time, longest, .. } => {
            self::time(time, &place.at("time"), problems);
            problems.unless(*longest > 0, place.at("longest"), || Fault::OutOfRange(1, u64::from(u32::MAX)));
        }
        Delta::Queue { again, full } => {
            problems.unless(*full != Some(0), place.at("full"), || Fault::OutOfRange(1, u64::from(u32::MAX)));
            if let Some(again) = again {
                let place = place.at("again");
                self::time(&again.time, &place.at("time"), problems);
                if let Some(operation) = &again.operation {
                    is_operation(operation, api, place.at("operation"), problems);
                }
            }
        }
        Delta::Newest { changed, time, .. } => {
            extract(changed, &place.at("changed"), problems);
            self::time(time, &place.at("time"), problems);
        }
        Delta::Whole => {}
    }
}

fn write(
    write: &Write,
    resource: &ResourceApi,
    api: &Api,
    around: &Around<'_>,
    place: &Place,
    problems: &mut Problems,
) {
    is_operation(&write.operation, api, place.at("operation"), problems);
    if let Some(mapping) = &write.arguments {
        around.mapping(mapping, place.at("arguments"), problems);
    }
    if let Some(find) = &write.find {
        let place = place.at("find");
        is_operation(&find.operation, api, place.at("operation"), problems);
        around.mapping(&find.arguments, place.at("arguments"), problems);
        around.mapping(&find.same, place.at("same"), problems);
    }
    if let Some(needs) = &write.needs {
        let place = place.at("needs");
        is_operation(&needs.operation, api, place.at("operation"), problems);
        around.mapping(&needs.arguments, place.at("arguments"), problems);
        around.mapping(&needs.same, place.at("same"), problems);
        pointer(&needs.at, place.at("at"), problems);
    }
    if let Some(confirm) = &write.confirm {
        let place = place.at("confirm");
        is_operation(&confirm.operation, api, place.at("operation"), problems);
        around.mapping(&confirm.done, place.at("done"), problems);
        problems.unless(confirm.every > 0, place.at("every"), || Fault::OutOfRange(1, u64::from(u32::MAX)));
        problems.unless(confirm.within > 0, place.at("within"), || Fault::OutOfRange(1, u64::from(u32::MAX)));
    }
    pointer(&write.record, place.at("record"), problems);
    let reads = resource.read.is_some();
    problems
        .unless(reads || write.changed.is_empty(), place.at("changed"), || Fault::Needs("changed", "read"));
    let seen = reads || write.find.is_some() || !write.read_back;
    problems.unless(seen, place.at("read-back"), || Fault::Needs("read-back", "read` or `find"));
}
