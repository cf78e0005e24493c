//! A connection, against the adapter that it names.

use std::collections::BTreeSet;

use bridge_core::{
    Zone,
    config::{Connection, Expects, Route, Secret, Serves},
    feed::{Format, OpenPgp},
    manifest::{Auth, ClientAuth, Form, Manifest, OAuth2, Setting, Transport},
};
use bridge_mapping::Mapping;

use super::{Place, Problems, endpoints, exports, feeds, hl7v2, webhook, webhook::Known};
use crate::{
    Fault, Problem,
    adapter::settings,
    template,
    transport::{self, Address, Material},
};

pub(crate) fn connection(
    connection: &Connection,
    manifest: &Manifest,
    mappings: &BTreeSet<&str>,
) -> Vec<Problem> {
    let mut problems = Problems::default();
    let top = Place::default();
    // What it leaves to its endpoints is not missing.
    given_settings(&connection.whole(manifest), manifest, &top.at("settings"), &mut problems);
    given_secrets(connection, manifest, &top.at("secrets"), &mut problems);
    if let Some(api) = &manifest.api {
        named_key(connection, manifest, &api.auth, &top.at("settings"), &mut problems);
    }
    for serves in [Serves::Interface, Serves::Deliveries] {
        let text = manifest.address(serves).unwrap_or_default();
        let place = top.at("settings").at(template::names(text).unwrap_or_default().join(", "));
        address(connection, manifest, serves, &place, &mut problems);
    }
    endpoints::endpoints(connection, manifest, &top, &mut problems, |there, serves, place, problems| {
        address(there, manifest, serves, place, problems);
    });
    endpoints::fallbacks(connection, manifest, &top, &mut problems);
    if let Some(deliver) = &manifest.deliver {
        means(connection, manifest, &deliver.transport, &top, &mut problems);
    }
    own_rules(connection, manifest, &top, &mut problems);
    for (name, feed) in &connection.feeds {
        let known = Known {
            secrets: &|secret| connection.secrets.contains_key(secret),
            mappings: &|mapping| connection.mappings.contains_key(mapping) || mappings.contains(mapping),
        };
        let answers = exports::is_answered_by(connection, name);
        feeds::feed(name, feed, answers, &known, &top.at("feeds").at(name), &mut problems);
        let speaks = manifest.hl7v2.is_some() || feed.file.format != Format::Hl7Batch;
        let place = top.at("feeds").at(name).at("file");
        problems.unless(speaks, place, || Fault::NoHl7v2(manifest.adapter.clone()));
    }
    expectations(connection, manifest, &top.at("expects"), &mut problems);
    for (name, export) in &connection.exports {
        let known = |mapping: &str| connection.mappings.contains_key(mapping) || mappings.contains(mapping);
        let speaks = manifest.hl7v2.is_some() || connection.hl7v2.is_some();
        let place = top.at("exports").at(name);
        exports::export(name, export, (&connection.feeds, speaks), &known, &place, &mut problems);
    }
    for (index, route) in connection.routes.iter().enumerate() {
        given_route(route, connection, &top.at("routes").at(index), &mut problems);
    }
    problems.0
}

/// Whether its rhythm can be kept.
fn expectations(connection: &Connection, manifest: &Manifest, place: &Place, problems: &mut Problems) {
    let expects = &connection.expects;
    for (word, text) in expects.problems() {
        problems.unless(false, place.at(word), || Fault::Expects(text));
    }
    let has_a_door = manifest.webhook.is_some() || connection.webhook.is_some() || connection.poll;
    let speaks =
        has_a_door || manifest.hl7v2.is_some() || connection.hl7v2.is_some() || !connection.feeds.is_empty();
    let text =
        "nothing ever comes from this connection: it has no webhook, HL7 v2 or feeds and is not polled";
    let is_right = speaks || *expects == Expects::default();
    problems.unless(is_right, place.clone(), || Fault::Expects(text.to_owned()));
}

/// Whether a private key that the connection brings has a name.
fn named_key(
    connection: &Connection,
    manifest: &Manifest,
    auth: &Auth,
    place: &Place,
    problems: &mut Problems,
) {
    let Auth::Oauth2(OAuth2 { client: ClientAuth::PrivateKeyJwt { key, key_id, .. }, .. }) = auth else {
        return;
    };
    let mut keys = template::names(key).unwrap_or_default().into_iter();
    let is_given = keys.any(|name| connection.secrets.contains_key(name));
    let id = template::fill(key_id, &settings(connection, manifest)).unwrap_or_default();
    let names = template::names(key_id).unwrap_or_default().join(", ");
    problems.unless(!is_given || !id.is_empty(), place.at(names), || Fault::KeyWithoutId);
}

/// Whether calls may go to the address of one side of a connection.
fn address(
    connection: &Connection,
    manifest: &Manifest,
    serves: Serves,
    place: &Place,
    problems: &mut Problems,
) {
    // A setting that is missing is found elsewhere.
    let filled = |text: &str| template::fill(text, &settings(connection, manifest)).ok();
    let Some(address) = manifest.address(serves).and_then(filled) else { return };
    let (may_be_called, fault) = match (serves, manifest.deliver.as_ref().map(|deliver| &deliver.transport)) {
        // A connection that leaves the address empty does not use the interface, or only receives.
        (Serves::Interface, _) => (address.is_empty() || crate::api::is_base(&address), Fault::ApiAddress),
        (Serves::Deliveries, Some(Transport::Hl7v2 { .. })) => {
            (address.is_empty() || Address::parse(&address).is_some(), Fault::Hl7v2Address)
        }
        (Serves::Deliveries, _) => (transport::endpoint(&address).is_some(), Fault::Address),
    };
    problems.unless(may_be_called, place.clone(), || fault);
}

/// What a connection is delivered to with.
fn means(
    connection: &Connection,
    manifest: &Manifest,
    transport: &Transport,
    top: &Place,
    problems: &mut Problems,
) {
    let filled = |text: &str| template::fill(text, &settings(connection, manifest)).ok();
    let place = |text: &str| top.at("settings").at(template::names(text).unwrap_or_default().join(", "));
    let secret = |name: &str| connection.secrets.get(name).map(Secret::values).unwrap_or_default();
    match transport {
        Transport::StandardWebhook { secret: name, .. } => {
            for value in secret(name) {
                let place = top.at("secrets").at(name);
                problems.unless(transport::signing_key(value).is_some(), place, || Fault::NotWhsec);
            }
        }
        Transport::Api => {}
        Transport::Hl7v2 { ca, identity, .. } => {
            if let Some(pem) = filled(ca)
                && let Err(fault) = (Material { ca: &pem, identity: None }).config()
            {
                problems.add(place(ca), Fault::Tls(fault.to_string()));
            }
            for (name, value) in identity.iter().flat_map(|name| secret(name).iter().map(move |v| (name, v)))
            {
                if let Err(fault) = (Material { ca: "", identity: Some(value) }).config() {
                    problems.add(top.at("secrets").at(name), Fault::Tls(fault.to_string()));
                }
            }
        }
    }
}

fn given_settings(connection: &Connection, manifest: &Manifest, place: &Place, problems: &mut Problems) {
    for (name, value) in &connection.settings {
        match manifest.settings.get(name) {
            Some(Setting { one_of, form, .. }) => {
                let listed = one_of.is_empty() || one_of.contains(value);
                problems.unless(listed, place.at(name), || Fault::NotOneOf(one_of.join(", ")));
                let zones = *form != Form::Zones || is_zones(value);
                problems.unless(zones, place.at(name), || Fault::NotZones);
                let days = *form != Form::Days || value.parse::<i16>().is_ok();
                problems.unless(days, place.at(name), || Fault::NotDays);
            }
            // An open adapter's connection has mappings of its own, and they have settings of their own.
            None => problems.unless(manifest.open, place.at(name), || Fault::NoSuchSetting(name.clone())),
        }
    }
    for (name, setting) in &manifest.settings {
        let given = setting.default.is_some() || connection.settings.contains_key(name);
        problems.unless(given, place.clone(), || Fault::MissingSetting(name.clone()));
    }
}

fn given_secrets(connection: &Connection, manifest: &Manifest, place: &Place, problems: &mut Problems) {
    for (name, secret) in &connection.secrets {
        let declared = manifest.secrets.contains_key(name) || manifest.optional_secrets.contains_key(name);
        // What a feed decrypts with is between the practice and the bridge, whatever the product.
        let of_feed = || {
            let openpgp = connection.feeds.values().filter_map(|feed| feed.openpgp.as_ref());
            openpgp.flat_map(OpenPgp::secrets).any(|known| known == name)
        };
        let known = manifest.open || declared || of_feed();
        problems.unless(known, place.at(name), || Fault::NoSuchSecret(name.clone()));
        if let Secret::One(_) | Secret::Rotating(_) = secret {
            let values = secret.values();
            let empty = values.is_empty() || values.iter().any(|value| value.expose().is_empty());
            problems.unless(!empty, place.at(name), || Fault::MissingSecret(name.clone()));
            problems.unless(values.len() <= 2, place.at(name), || Fault::TooManyValues);
        }
    }
    for name in manifest.secrets.keys() {
        let given = connection.secrets.contains_key(name);
        problems.unless(given, place.clone(), || Fault::MissingSecret(name.clone()));
    }
}

/// `webhook` and `mappings`, which only an open adapter leaves to the connection.
fn own_rules(connection: &Connection, manifest: &Manifest, top: &Place, problems: &mut Problems) {
    let known = Known {
        secrets: &|name| connection.secrets.contains_key(name),
        mappings: &|name| connection.mappings.contains_key(name),
    };
    if let Some(site) = &connection.hl7v2 {
        let speaks = || Fault::NoHl7v2(manifest.adapter.clone());
        problems.unless(manifest.hl7v2.is_some(), top.at("hl7v2"), speaks);
        hl7v2::hl7v2(site, &known, &top.at("hl7v2"), problems);
        let at_home =
            site.acknowledge_to.as_ref().is_none_or(|to| to.tenant() == connection.connection.tenant());
        problems.unless(at_home, top.at("hl7v2").at("acknowledge-to"), || Fault::ForeignRoute);
    }
    if !manifest.open {
        let closed = || Fault::NotOpen(manifest.adapter.clone());
        problems.unless(connection.webhook.is_none(), top.at("webhook"), closed);
        // What comes in is the adapter's; what a practice is sent is its own.
        let used: BTreeSet<&String> = exports::mappings(&connection.exports).collect();
        let own = connection.mappings.keys().all(|name| used.contains(name));
        problems.unless(own, top.at("mappings"), closed);
        if own {
            compile_mappings(connection, &used, top, problems);
        }
        return;
    }
    let needed = || Fault::NoWebhook(manifest.adapter.clone());
    let files = !connection.feeds.is_empty() || !connection.exports.is_empty();
    let takes = connection.webhook.is_some() || manifest.hl7v2.is_some() || files;
    problems.unless(takes, top.clone(), needed);
    if let Some(section) = &connection.webhook {
        webhook::webhook(section, &known, &top.at("webhook"), problems);
        webhook::fetches(section, manifest, &top.at("webhook"), problems);
    }
    let kinds = connection.webhook.iter().flat_map(|section| section.kinds.values());
    let hook = connection.hl7v2.iter().filter_map(|site| site.hook.as_ref());
    let rows = connection.feeds.values().flat_map(|feed| [Some(&feed.mapping), feed.removal.as_ref()]);
    let out = exports::mappings(&connection.exports);
    let used = kinds.map(|kind| &kind.mapping).chain(hook).chain(rows.flatten()).chain(out).collect();
    compile_mappings(connection, &used, top, problems);
}

fn compile_mappings(connection: &Connection, used: &BTreeSet<&String>, top: &Place, problems: &mut Problems) {
    for (name, source) in &connection.mappings {
        let place = top.at("mappings").at(name);
        problems.unless(used.contains(name), place.clone(), || Fault::UnusedMapping);
        if let Err(error) = Mapping::compile(name, source) {
            problems.add(place, Fault::Mapping(error));
        }
    }
}

fn given_route(route: &Route, connection: &Connection, place: &Place, problems: &mut Problems) {
    let at_home = route.to.tenant() == connection.connection.tenant();
    problems.unless(at_home, place.at("to"), || Fault::ForeignRoute);
    for (index, name) in route.resources.iter().enumerate() {
        problems.unless(is_type(name), place.at("resources").at(index), || Fault::ResourceType);
    }
    for (index, path) in route.drop.iter().enumerate() {
        let mut parts = path.split('.');
        let is_path = parts.next().is_some_and(is_type) && path.contains('.') && parts.all(is_element);
        problems.unless(is_path, place.at("drop").at(index), || Fault::ElementPath);
    }
}

/// `key=zone, key=zone`, or nothing.
fn is_zones(text: &str) -> bool {
    let is_pair = |pair: &str| {
        let parts = pair.trim().split_once('=');
        parts.is_some_and(|(key, zone)| !key.is_empty() && zone.parse::<Zone>().is_ok())
    };
    text.is_empty() || text.split(',').all(is_pair)
}

pub(super) fn is_type(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphabetic())
}

fn is_element(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
}
