//! One thing that can be called.

use bridge_core::manifest::{AnswerRule, Api, Method, Operation, Pages, Parameter, Style};

use super::{
    super::connection::is_type, Around, Place, Problems, extract, headers, is_operation, maybe, pointer,
};
use crate::Fault;

pub(super) fn operation(
    operation: &Operation,
    api: &Api,
    around: &Around<'_>,
    place: &Place,
    problems: &mut Problems,
) {
    let style = operation.style(api.style);
    let path = &operation.path;
    let fits = path.is_empty() || path.starts_with('/') || path.starts_with("https://");
    problems.unless(fits, place.at("path"), || Fault::Path);
    headers(&operation.headers, place, problems);
    if let Some(mapping) = &operation.body {
        around.mapping(mapping, place.at("body"), problems);
        let posts = matches!(style, Style::Soap | Style::Graphql) || operation.method != Method::Get;
        problems.unless(posts, place.at("body"), || Fault::GetWithBody);
    }
    match (style, &operation.call) {
        (Style::Graphql, Some(query)) => {
            let there = around.queries.contains(query.as_str());
            problems.unless(there, place.at("call"), || Fault::NoSuchQuery(query.clone()));
        }
        (Style::Soap, Some(element)) => {
            let named = element.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && element.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
            problems.unless(named, place.at("call"), || Fault::Element);
        }
        (Style::Graphql, None) => problems.add(place.clone(), Fault::Needs("style: graphql", "call")),
        (Style::Soap, None) => problems.add(place.clone(), Fault::Needs("style: soap", "call")),
        _ => {}
    }
    if let Some(rows) = &operation.rows {
        pointer(rows, place.at("rows"), problems);
    }
    if let Some(pages) = &operation.pages {
        self::pages(pages, &place.at("pages"), problems);
    }
    if let Some(job) = &operation.job {
        let place = place.at("job");
        extract(&job.id, &place.at("id"), problems);
        extract(&job.at, &place.at("at"), problems);
        is_operation(&job.result, api, place.at("result"), problems);
    }
    if let Some(export) = &operation.export {
        let place = place.at("export");
        problems.unless(style == Style::Fhir, place.clone(), || Fault::Needs("export", "style: fhir"));
        problems.unless(is_type(&export.of), place.at("of"), || Fault::ResourceType);
        let alone = operation.pages.is_none() && operation.job.is_none() && operation.rows.is_none();
        problems.unless(alone, place.clone(), || Fault::Alone("export", "pages, job or rows"));
        problems.unless(export.every > 0, place.at("every"), || Fault::OutOfRange(1, u64::from(u32::MAX)));
        problems.unless(export.within > 0, place.at("within"), || Fault::OutOfRange(1, u64::from(u32::MAX)));
    }
    rules(&operation.answers, place, problems);
}

pub(super) fn rules(rules: &[AnswerRule], place: &Place, problems: &mut Problems) {
    for (index, rule) in rules.iter().enumerate() {
        let place = place.at("answers").at(index);
        let says = !rule.status.is_empty() || rule.at.is_some() || rule.text.is_some();
        problems.unless(says, place.clone(), || Fault::EmptyRule);
        let looks = !rule.is.is_empty() || !rule.is_not.is_empty();
        problems.unless(!looks || rule.at.is_some(), place.at("is"), || Fault::Needs("is", "at"));
        let statuses = rule.status.iter().all(|status| (100..=599).contains(status));
        problems.unless(statuses, place.at("status"), || Fault::OutOfRange(100, 599));
        maybe(rule.at.as_ref(), &place.at("at"), problems);
    }
}

fn pages(pages: &Pages, place: &Place, problems: &mut Problems) {
    let mut parameters = Vec::new();
    let mut places = Vec::new();
    // Where a page with fewer records than this is the last one.
    let mut full = None;
    match pages {
        Pages::Offset { offset, limit, size } => {
            parameters.push(("offset", Some(offset)));
            parameters.push(("limit", limit.as_ref()));
            full = Some(*size);
        }
        Pages::Number { page, limit, size, .. } => {
            parameters.push(("page", Some(page)));
            parameters.push(("limit", limit.as_ref()));
            full = Some(*size);
        }
        Pages::Next { next, limit, .. } => {
            places.push(("next", Some(next)));
            parameters.push(("limit", limit.as_ref()));
        }
        Pages::Cursor { cursor, next, more, limit, .. } => {
            parameters.push(("cursor", Some(cursor)));
            parameters.push(("limit", limit.as_ref()));
            places.push(("next", Some(next)));
            places.push(("more", more.as_ref()));
        }
        Pages::LastRecord { cursor, at, limit, size } => {
            parameters.push(("cursor", Some(cursor)));
            parameters.push(("limit", limit.as_ref()));
            pointer(at, place.at("at"), problems);
            full = Some(*size);
        }
        Pages::Bundle { size } => full = Some(*size),
    }
    for (key, at) in places {
        maybe(at, &place.at(key), problems);
    }
    for (key, parameter) in parameters {
        if let Some(Parameter::Body { body }) = parameter {
            pointer(body, place.at(key), problems);
        }
    }
    problems.unless(full != Some(0), place.at("size"), || Fault::OutOfRange(1, u64::from(u32::MAX)));
}
