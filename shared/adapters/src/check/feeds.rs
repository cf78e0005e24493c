//! The files that a connection sends.

use bridge_core::{feed::Feed, manifest::Extract};

use super::{Place, Problems, webhook::Known};
use crate::Fault;

pub(super) fn feed(
    name: &str,
    feed: &Feed,
    is_answer: bool,
    known: &Known<'_>,
    place: &Place,
    problems: &mut Problems,
) {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let is_name = (1..=40).contains(&name.len()) && name.bytes().all(inner);
    problems.unless(is_name, place.clone(), || Fault::FeedName);
    // The rows of answers go through no mapping.
    let problems_of_feed =
        feed.problems().into_iter().filter(|problem| !is_answer || problem.place != "mapping");
    for problem in problems_of_feed {
        let keys = problem.place.split(['.', '[', ']']).filter(|key| !key.is_empty());
        problems.add(keys.fold(place.clone(), |place, key| place.at(key)), Fault::Feed(problem.text));
    }
    let named = [
        ("mapping", Some(&feed.mapping).filter(|name| !name.is_empty())),
        ("removal", feed.removal.as_ref()),
    ];
    for (key, name) in named {
        if let Some(name) = name {
            problems.unless((known.mappings)(name), place.at(key), || Fault::NoSuchMapping(name.clone()));
        }
    }
    if let Some(openpgp) = &feed.openpgp {
        for (key, name) in
            [("secret-key", Some(&openpgp.secret_key)), ("passphrase", openpgp.passphrase.as_ref())]
        {
            if let Some(name) = name {
                let place = place.at("openpgp").at(key);
                problems.unless((known.secrets)(name), place, || Fault::MissingSecret(name.clone()));
            }
        }
    }
    let lanes = feed.lane.iter().map(|extract| (place.at("lane"), extract));
    let version = feed.version.iter().map(|extract| (place.at("version"), extract));
    let find = feed.find_by.iter().map(|(name, extract)| (place.at("find-by").at(name), extract));
    for (place, extract) in lanes.chain(version).chain(find) {
        if let Extract::Pointer(pointer) | Extract::Tail { tail: pointer } = extract {
            problems.unless(pointer.is_empty() || pointer.starts_with('/'), place, || Fault::Pointer);
        }
    }
}
