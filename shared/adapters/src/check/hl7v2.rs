//! An `hl7v2` section: an adapter's, or a connection's own.

use bridge_core::config::{Hl7v2Party, Hl7v2Send, Hl7v2Site};
use bridge_hl7v2::{Delimiters, charset::Charset};

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

/// The events that can be written.
const SENT: [&str; 11] = [
    "ADT^A28", "ADT^A31", "ADT^A40", "SIU^S12", "SIU^S13", "SIU^S14", "SIU^S15", "SIU^S17", "SIU^S26",
    "DFT^P03", "ORU^R01",
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
    if let Some(section) = &site.send {
        send(section, &place.at("send"), problems);
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

/// `send`: how messages go out.
fn send(send: &Hl7v2Send, place: &Place, problems: &mut Problems) {
    let charset = Charset::from_msh18(&send.charset).is_some();
    problems.unless(charset, place.at("charset"), || Fault::Charset);
    problems.unless(delimiters(&send.delimiters), place.at("delimiters"), || Fault::Delimiters);
    let version =
        send.version.starts_with("2.") && send.version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    problems.unless(version, place.at("version"), || Fault::Hl7v2Version);
    let processing = ["P", "T", "D"];
    problems.unless(processing.contains(&send.processing_id.as_str()), place.at("processing-id"), || {
        Fault::NotOneOf(processing.join(", "))
    });
    for (index, pattern) in send.events.iter().enumerate() {
        let stem = pattern.strip_suffix('*');
        let known = SENT.iter().any(|event| stem.map_or(event == pattern, |stem| event.starts_with(stem)));
        problems.unless(known, place.at("events").at(index), || Fault::NotOneOf(SENT.join(", ")));
    }
}

fn delimiters(text: &str) -> bool {
    let mut rest = text.chars();
    let field = rest.next().and_then(|field| u8::try_from(field).ok());
    field.is_some_and(|field| Delimiters::new(field, rest.as_str()).is_ok())
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
