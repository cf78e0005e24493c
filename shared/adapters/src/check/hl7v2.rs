//! An `hl7v2` section: an adapter's, or a connection's own.

use bridge_core::config::{Hl7v2Party, Hl7v2Site};

use super::{Place, Problems, webhook, webhook::Known};
use crate::Fault;

/// Elements that FHIR requires and HL7 v2 may leave out.
const DEFAULTS: [&str; 9] = [
    "ChargeItem.status",
    "Coverage.status",
    "DiagnosticReport.status",
    "Encounter.class",
    "Encounter.status",
    "EpisodeOfCare.status",
    "Observation.status",
    "Procedure.status",
    "ServiceRequest.status",
];

pub(super) fn hl7v2(site: &Hl7v2Site, known: &Known<'_>, place: &Place, problems: &mut Problems) {
    if let Some(rule) = &site.verify {
        webhook::verify(rule, known, &place.at("verify"), problems);
    }
    if let Some(hook) = &site.hook {
        problems.unless((known.mappings)(hook), place.at("hook"), || Fault::NoSuchMapping(hook.clone()));
    }
    for name in site.defaults.keys() {
        let fits = DEFAULTS.contains(&name.as_str());
        problems.unless(fits, place.at("defaults").at(name), || Fault::NotOneOf(DEFAULTS.join(", ")));
    }
    for (table, entries) in [("authorities", &site.authorities), ("code-systems", &site.code_systems)] {
        for (name, uri) in entries {
            problems.unless(is_uri(uri), place.at(table).at(name), || Fault::Uri);
        }
    }
    let national = site.national_id.iter().map(|id| ("national-id", &id.system));
    for (key, uri) in national.chain(site.endpoint.iter().map(|uri| ("endpoint", uri))) {
        problems.unless(is_uri(uri), place.at(key), || Fault::Uri);
    }
    for (key, party) in [("sender", &site.sender), ("receiver", &site.receiver)] {
        let asks = party.as_ref().is_none_or(|party| *party != Hl7v2Party::default());
        problems.unless(asks, place.at(key), || Fault::EmptyParty);
    }
    let listed = [
        ("events", site.events.as_ref().map(Vec::len)),
        ("processing-ids", site.processing_ids.as_ref().map(Vec::len)),
        ("patient-id-types", site.patient_id_types.as_ref().map(Vec::len)),
    ];
    for (key, length) in listed {
        problems.unless(length != Some(0), place.at(key), || Fault::EmptyList);
    }
}

/// RFC 3986: a scheme, a colon, and something without blanks.
fn is_uri(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, rest)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            && !rest.is_empty()
            && !text.contains(char::is_whitespace)
    })
}
