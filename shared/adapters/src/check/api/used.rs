//! What is there and nothing uses.

use std::collections::BTreeSet;

use bridge_core::manifest::{Api, Poll, Style};

use super::{Place, Problems};
use crate::Fault;

pub(super) fn used(api: &Api, place: &Place, problems: &mut Problems) {
    let operations: BTreeSet<&str> = operations(api).collect();
    for name in api.operations.keys().filter(|name| !operations.contains(name.as_str())) {
        problems.add(place.at("operations").at(name), Fault::UnusedOperation);
    }
    let kinds: BTreeSet<&str> = api.resources.values().map(|resource| resource.kind.as_str()).collect();
    for name in api.kinds.keys().filter(|name| !kinds.contains(name.as_str())) {
        problems.add(place.at("kinds").at(name), Fault::UnusedKind);
    }
}

/// The GraphQL documents that operations name.
pub(crate) fn queries(api: &Api) -> impl Iterator<Item = &str> {
    let graphql = api.operations.values().filter(|operation| operation.style(api.style) == Style::Graphql);
    graphql.filter_map(|operation| operation.call.as_deref())
}

/// The operations that something names.
fn operations(api: &Api) -> impl Iterator<Item = &str> {
    let jobs = api.operations.values().filter_map(|operation| operation.job.as_ref());
    let version = api.version.iter().map(|version| version.operation.as_str());
    let by_resources = api.resources.values().flat_map(|resource| {
        let polls = resource.poll.iter().flat_map(Poll::operations);
        let finds = resource.write.iter().filter_map(|write| write.find.as_ref());
        let needs = resource.write.iter().filter_map(|write| write.needs.as_ref());
        let confirms = resource.write.iter().filter_map(|write| write.confirm.as_ref());
        resource
            .read
            .iter()
            .map(|read| read.operation.as_str())
            .chain(resource.search.iter().map(|search| search.operation.as_str()))
            .chain(polls)
            .chain(resource.write.iter().map(|write| write.operation.as_str()))
            .chain(finds.map(|find| find.operation.as_str()))
            .chain(needs.map(|needs| needs.operation.as_str()))
            .chain(confirms.map(|confirm| confirm.operation.as_str()))
    });
    jobs.map(|job| job.result.as_str()).chain(version).chain(by_resources)
}
