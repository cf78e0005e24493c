//! The files that a connection is sent.

use std::collections::BTreeMap;

use bridge_core::{
    config::Connection,
    export::Export,
    feed::{Feed, Format},
};
use bridge_mapping::Mapping;

use super::{Place, Problems, connection::is_type};
use crate::Fault;

/// The names of the connection's own mappings that exports use.
pub(super) fn mappings(exports: &BTreeMap<String, Export>) -> impl Iterator<Item = &String> {
    exports.values().map(|export| &export.mapping).filter(|name| !name.is_empty())
}

/// Whether the rows of a feed are answers about an export.
pub(super) fn is_answered_by(connection: &Connection, feed: &str) -> bool {
    let results = connection.exports.values().filter_map(|export| export.result.as_ref());
    results.into_iter().any(|result| result.feed == feed)
}

pub(super) fn export(
    name: &str,
    export: &Export,
    (feeds, speaks_hl7v2): (&BTreeMap<String, Feed>, bool),
    mapping: &dyn Fn(&str) -> bool,
    place: &Place,
    problems: &mut Problems,
) {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let is_name = (1..=40).contains(&name.len()) && name.bytes().all(inner);
    problems.unless(is_name, place.clone(), || Fault::ExportName);
    for problem in export.problems(feeds) {
        let keys = problem.place.split(['.', '[', ']']).filter(|key| !key.is_empty());
        problems.add(keys.fold(place.clone(), |place, key| place.at(key)), Fault::Export(problem.text));
    }
    if !export.mapping.is_empty() {
        let known = mapping(&export.mapping);
        problems.unless(known, place.at("mapping"), || Fault::NoSuchMapping(export.mapping.clone()));
    }
    if let Some(filter) = &export.filter
        && let Err(error) = Mapping::compile("where", filter)
    {
        problems.add(place.at("where"), Fault::Mapping(error));
    }
    for (index, name) in export.resources.iter().enumerate() {
        problems.unless(is_type(name), place.at("resources").at(index), || Fault::ResourceType);
    }
    for (index, path) in export.drop.iter().enumerate() {
        let is_path = path.split_once('.').is_some_and(|(kind, rest)| is_type(kind) && !rest.is_empty());
        problems.unless(is_path, place.at("drop").at(index), || Fault::ElementPath);
    }
    let speaks = speaks_hl7v2 || export.file.format != Format::Hl7Batch;
    problems.unless(speaks, place.at("file").at("format"), || Fault::NoHl7v2Site);
}
