//! An `api` section: every name that it uses is there, everything that is there is used.

mod arguments;
mod auth;
mod operation;
mod resource;
mod used;

use std::collections::BTreeSet;

use bridge_core::manifest::{Api, Extract, Manifest, Style, TimeForm};

pub(super) use auth::secrets;
pub(crate) use used::queries;

use super::{
    LONGEST_TIMEOUT, Place, Problems, concurrency, limits, signals,
    webhook::{Known, extract, is_header, kind, pointer},
};
use crate::{Fault, template};

/// What a section may refer to outside of itself.
pub(super) struct Around<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) mappings: &'a BTreeSet<&'a str>,
    pub(super) queries: &'a BTreeSet<&'a str>,
}

impl Around<'_> {
    /// A text in which settings stand.
    fn text(&self, text: &str, place: Place, problems: &mut Problems) {
        self.names(text, place, problems, |name| self.manifest.settings.contains_key(name));
    }

    fn names(&self, text: &str, place: Place, problems: &mut Problems, known: impl Fn(&str) -> bool) {
        match template::names(text) {
            Err(fault) => problems.add(place, fault),
            Ok(names) => {
                for name in names.into_iter().filter(|name| !known(name)) {
                    problems.add(place.clone(), Fault::NoSuchSetting(name.to_owned()));
                }
            }
        }
    }

    fn mapping(&self, name: &str, place: Place, problems: &mut Problems) {
        problems.unless(self.mappings.contains(name), place, || Fault::NoSuchMapping(name.to_owned()));
    }
}

pub(super) fn api(api: &Api, around: &Around<'_>, place: &Place, problems: &mut Problems) {
    around.text(&api.base, place.at("base"), problems);
    for (index, host) in api.hosts.iter().enumerate() {
        let place = place.at("hosts").at(index);
        let plain =
            !host.is_empty() && !host.contains(['/', '?', '#', '@']) && !host.contains(char::is_whitespace);
        let star = host.trim_start_matches("*.").contains('*');
        problems.unless(plain && !star, place.clone(), || Fault::Host);
        around.text(host, place, problems);
    }
    headers(&api.headers, place, problems);
    for (name, text) in &api.headers {
        around.text(text, place.at("headers").at(name), problems);
    }
    let in_time = (1..=LONGEST_TIMEOUT).contains(&api.timeout);
    problems.unless(in_time, place.at("timeout"), || Fault::OutOfRange(1, LONGEST_TIMEOUT));
    limits(&api.limits, place, problems);
    concurrency(api.concurrency, place, problems);
    signals(&api.signals, place, problems);
    auth::auth(&api.auth, around, &place.at("auth"), problems);
    let soap = api.operations.values().any(|operation| operation.style(api.style) == Style::Soap);
    problems.unless(!soap || api.soap.is_some(), place.at("soap"), || Fault::Needs("style: soap", "soap"));
    operation::rules(&api.answers, place, problems);
    for (name, described) in &api.operations {
        let place = place.at("operations").at(name);
        operation::operation(described, api, around, &place, problems);
        arguments::check(name, described, api, around, &place, problems);
    }
    let known = Known { secrets: &|_| true, mappings: &|name| around.mappings.contains(name) };
    for (name, described) in &api.kinds {
        kind(described, &known, &place.at("kinds").at(name), problems);
        let whole = described.fetch.is_none();
        problems.unless(whole, place.at("kinds").at(name).at("fetch"), || {
            Fault::Alone("fetch", "an interface: only webhooks name records")
        });
    }
    for (name, described) in &api.resources {
        resource::resource(name, described, api, around, &place.at("resources").at(name), problems);
    }
    if let Some(version) = &api.version {
        let place = place.at("version");
        is_operation(&version.operation, api, place.at("operation"), problems);
        extract(&version.at, &place.at("at"), problems);
    }
    used::used(api, place, problems);
}

fn is_operation(name: &str, api: &Api, place: Place, problems: &mut Problems) {
    problems.unless(api.operations.contains_key(name), place, || Fault::NoSuchOperation(name.to_owned()));
}

fn headers<'a>(
    headers: impl IntoIterator<Item = (&'a String, &'a String)>,
    place: &Place,
    problems: &mut Problems,
) {
    for (name, _) in headers {
        problems.unless(is_header(name), place.at("headers").at(name), || Fault::Header);
    }
}

fn time(form: &TimeForm, place: &Place, problems: &mut Problems) {
    problems.unless(form.is_valid(), place.at("form"), || Fault::TimeForm);
}

/// An optional place in a message.
fn maybe(at: Option<&Extract>, place: &Place, problems: &mut Problems) {
    if let Some(at) = at {
        extract(at, place, problems);
    }
}
