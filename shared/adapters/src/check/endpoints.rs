//! A connection's endpoints, each as if it were the only one, and what becomes of its work while none answers.

use std::collections::BTreeSet;

use bridge_core::{
    config::{Alternative, Connection, Instead, Role, Serves, Sticky},
    manifest::Manifest,
};

use super::{Place, Problems};
use crate::Fault;

/// Of one endpoint, against the others of its side.
const MOST_WEIGHT: u64 = 1_000;
/// Minutes: a week.
const LONGEST: u64 = 7 * 24 * 60;

/// The endpoints; `address` looks at the address of one, as the connection is there.
pub(super) fn endpoints(
    connection: &Connection,
    manifest: &Manifest,
    top: &Place,
    problems: &mut Problems,
    address: impl Fn(&Connection, Serves, &Place, &mut Problems),
) {
    let mut names = BTreeSet::new();
    for (number, endpoint) in connection.endpoints.iter().enumerate() {
        let place = top.at("endpoints").at(number);
        problems.unless(names.insert(&endpoint.name), place.at("name"), || Fault::EndpointTwice);
        let is_outbox = matches!(endpoint.name.as_str().parse(), Ok(Instead::Outbox));
        problems.unless(!is_outbox, place.at("name"), || Fault::EndpointOutbox);
        let weight = (1..=MOST_WEIGHT).contains(&u64::from(endpoint.weight));
        problems.unless(weight, place.at("weight"), || Fault::OutOfRange(1, MOST_WEIGHT));
        for name in endpoint.settings.keys() {
            let known = manifest.settings.contains_key(name);
            problems.unless(known, place.at("settings").at(name), || Fault::NoSuchSetting(name.clone()));
        }
        let Some(serves) = endpoint.serves(manifest) else {
            let sides = [Serves::Deliveries, Serves::Interface].map(|side| manifest.address(side));
            let fault = match sides {
                [Some(_), Some(_)] => Fault::EndpointSide,
                _ => Fault::NothingServed(manifest.adapter.clone()),
            };
            problems.add(place, fault);
            continue;
        };
        match (manifest.address(serves), manifest.address_setting(serves)) {
            (None, _) => problems.add(place.at("serves"), Fault::NothingServed(manifest.adapter.clone())),
            (Some(_), None) => problems.add(place.at("url"), Fault::FixedAddress),
            (Some(_), Some(_)) => {
                address(&connection.at(endpoint, manifest), serves, &place.at("url"), problems);
            }
        }
    }
    for serves in [Serves::Deliveries, Serves::Interface] {
        let mut of_side = connection
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.serves(manifest) == Some(serves))
            .peekable();
        let none = of_side.peek().is_some() && !of_side.any(|endpoint| endpoint.role == Role::Primary);
        problems.unless(!none, top.at("endpoints"), || Fault::NoPrimary);
    }
    let session = connection.failover.and_then(|failover| failover.sticky) == Some(Sticky::Token);
    let has_tokens = manifest.api.as_ref().is_some_and(|api| api.auth.needs_token());
    problems.unless(!session || has_tokens, top.at("failover").at("sticky"), || {
        Fault::Needs("token", "api.auth with tokens")
    });
}

/// What becomes of its work while none of them answers.
pub(super) fn fallbacks(connection: &Connection, manifest: &Manifest, top: &Place, problems: &mut Problems) {
    if let Some(fallback) = &connection.fallback {
        let place = top.at("fallback");
        if let Some(other) = &fallback.deliveries {
            let place = place.at("deliveries");
            let takes = || Fault::Needs("fallback.deliveries", "deliver");
            problems.unless(manifest.deliver.is_some(), place.clone(), takes);
            alternative(other, connection, &place, problems);
        }
        if let Some(reads) = &fallback.reads {
            let place = place.at("reads");
            problems.unless(manifest.api.is_some(), place.clone(), || Fault::Needs("fallback.reads", "api"));
            // Answers are kept for a day.
            let fits = u64::from(reads.stale_for) <= 24 * 60;
            problems.unless(fits, place.at("stale-for"), || Fault::OutOfRange(0, 24 * 60));
        }
    }
    for (number, route) in connection.routes.iter().enumerate() {
        if let Some(other) = &route.fallback {
            let place = top.at("routes").at(number).at("fallback");
            alternative(other, connection, &place, problems);
            let back = matches!(&other.to, Instead::Connection(to) if *to == route.to);
            problems.unless(!back, place.at("to"), || Fault::OwnFallback);
        }
    }
}

fn alternative(other: &Alternative, connection: &Connection, place: &Place, problems: &mut Problems) {
    let after = (1..=LONGEST).contains(&u64::from(other.after));
    problems.unless(after, place.at("after"), || Fault::OutOfRange(1, LONGEST));
    if let Instead::Connection(to) = &other.to {
        let own = &connection.connection;
        problems.unless(to != own, place.at("to"), || Fault::OwnFallback);
        problems.unless(to.tenant() == own.tenant(), place.at("to"), || Fault::ForeignFallback);
    }
}
