//! A whole manifest, against the mappings in its folder.

use std::collections::BTreeSet;

use bridge_core::manifest::{Challenge, Deliver, Manifest, Transport};

use super::{
    LONGEST_TIMEOUT, Place, Problems, api, api::Around, concurrency, hl7v2, limits, signals, webhook,
    webhook::Known,
};
use crate::{Fault, Problem, template};

/// With full jitter and a ceiling this is more than a week.
const MOST_ATTEMPTS: u64 = 100;
/// Hours: what a delivery may wait for in the ledger.
const LONGEST_AGE: u64 = 30 * 24;

pub(crate) fn manifest(
    manifest: &Manifest,
    folder: &str,
    mappings: &BTreeSet<&str>,
    queries: &BTreeSet<&str>,
) -> Vec<Problem> {
    let mut problems = Problems::default();
    let top = Place::default();
    problems.unless(manifest.adapter == folder, top.at("adapter"), || {
        Fault::WrongName(manifest.adapter.clone(), folder.to_owned())
    });
    let useful = manifest.open
        || manifest.webhook.is_some()
        || manifest.hl7v2.is_some()
        || manifest.api.is_some()
        || manifest.deliver.is_some();
    problems.unless(useful, top.at("adapter"), || Fault::Useless);
    for (name, setting) in &manifest.settings {
        let default = setting.default.as_ref();
        let listed = setting.one_of.is_empty() || default.is_none_or(|value| setting.one_of.contains(value));
        problems.unless(listed, top.at("settings").at(name).at("default"), || {
            Fault::NotOneOf(setting.one_of.join(", "))
        });
    }
    if let Some(section) = &manifest.webhook {
        let known = Known {
            secrets: &|name| manifest.secrets.contains_key(name),
            mappings: &|name| mappings.contains(name),
        };
        webhook::webhook(section, &known, &top.at("webhook"), &mut problems);
        webhook::fetches(section, manifest, &top.at("webhook"), &mut problems);
    }
    if let Some(section) = &manifest.hl7v2 {
        let known = Known {
            secrets: &|name| manifest.secrets.contains_key(name),
            mappings: &|name| mappings.contains(name),
        };
        hl7v2::hl7v2(section, &known, &top.at("hl7v2"), &mut problems);
    }
    if let Some(section) = &manifest.api {
        let around = Around { manifest, mappings, queries };
        api::api(section, &around, &top.at("api"), &mut problems);
    }
    if let Some(section) = &manifest.deliver {
        deliver(section, manifest, &top.at("deliver"), &mut problems);
    }
    for secret in unused_secrets(manifest) {
        let list = if manifest.secrets.contains_key(secret) { "secrets" } else { "optional-secrets" };
        problems.add(top.at(list).at(secret), Fault::UnusedSecret);
    }
    problems.0
}

fn deliver(deliver: &Deliver, manifest: &Manifest, place: &Place, problems: &mut Problems) {
    let transport = place.at("transport");
    let mut text = |key: &str, text: &str| match template::names(text) {
        Err(fault) => problems.add(transport.at(key), fault),
        Ok(names) => {
            for name in names.into_iter().filter(|name| !manifest.settings.contains_key(*name)) {
                problems.add(transport.at(key), Fault::NoSuchSetting(name.to_owned()));
            }
        }
    };
    match &deliver.transport {
        Transport::StandardWebhook { url, .. } => text("url", url),
        Transport::Hl7v2 { url, ca, .. } => {
            text("url", url);
            text("ca", ca);
        }
        Transport::Api => {
            let mut resources = manifest.api.iter().flat_map(|api| api.resources.values());
            let takes = resources.any(|resource| !resource.write.is_empty());
            problems.unless(takes, transport.at("kind"), || Fault::NothingWritten);
        }
    }
    // What HL7 v2 is sent with is the connection's to have or not.
    let secrets = match &deliver.transport {
        Transport::StandardWebhook { .. } | Transport::Api => &manifest.secrets,
        Transport::Hl7v2 { .. } => &manifest.optional_secrets,
    };
    for name in deliver.transport.secrets() {
        let key = match &deliver.transport {
            Transport::StandardWebhook { .. } | Transport::Api => "secret",
            Transport::Hl7v2 { authorization, .. } if authorization.as_deref() == Some(name) => {
                "authorization"
            }
            Transport::Hl7v2 { .. } => "identity",
        };
        problems
            .unless(secrets.contains_key(name), transport.at(key), || Fault::NoSuchSecret(name.to_owned()));
    }
    let in_range = |value, most| (1..=most).contains(&value);
    problems.unless(in_range(deliver.timeout, LONGEST_TIMEOUT), place.at("timeout"), || {
        Fault::OutOfRange(1, LONGEST_TIMEOUT)
    });
    problems.unless(
        in_range(u64::from(deliver.max_attempts), MOST_ATTEMPTS),
        place.at("max-attempts"),
        || Fault::OutOfRange(1, MOST_ATTEMPTS),
    );
    problems.unless(in_range(deliver.max_age, LONGEST_AGE), place.at("max-age"), || {
        Fault::OutOfRange(1, LONGEST_AGE)
    });
    limits(&deliver.limits, place, problems);
    concurrency(deliver.concurrency, place, problems);
    signals(&deliver.signals, place, problems);
}

fn unused_secrets(manifest: &Manifest) -> impl Iterator<Item = &String> {
    let mut used = BTreeSet::new();
    if let Some(webhook) = &manifest.webhook {
        used.insert(webhook.verify.secret());
        if let Some(Challenge::Hmac { secret, .. } | Challenge::Echo { secret, .. }) = &webhook.challenge {
            used.insert(secret);
        }
    }
    used.extend(manifest.hl7v2.iter().filter_map(|site| site.verify.as_ref()).map(|rule| rule.secret()));
    used.extend(manifest.deliver.iter().flat_map(|deliver| deliver.transport.secrets()));
    used.extend(manifest.api.iter().flat_map(|section| api::secrets(&section.auth)));
    let declared = manifest.secrets.keys().chain(manifest.optional_secrets.keys());
    declared.filter(move |name| !used.contains(name.as_str()))
}
