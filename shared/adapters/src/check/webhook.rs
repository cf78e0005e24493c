//! A `webhook` section: an adapter's, or a connection's own.

use bridge_core::manifest::{Carry, Challenge, Extract, Kind, Manifest, Verify, Webhook};

use super::{Place, Problems};
use crate::Fault;

/// API Gateway hands a function at most 6 MiB of event, in which the body is base 64.
const LARGEST_BODY: usize = 4_500_000;
/// Seconds; a signature that is good for longer than an hour is no protection against replay.
const LONGEST_TOLERANCE: u64 = 3600;

/// What a webhook section may refer to.
pub(super) struct Known<'a> {
    pub(super) secrets: &'a dyn Fn(&str) -> bool,
    pub(super) mappings: &'a dyn Fn(&str) -> bool,
}

pub(super) fn webhook(webhook: &Webhook, known: &Known<'_>, place: &Place, problems: &mut Problems) {
    verify(&webhook.verify, known, &place.at("verify"), problems);
    if let Some(Challenge::Hmac { secret, .. } | Challenge::Echo { secret, .. }) = &webhook.challenge {
        let place = place.at("challenge").at("secret");
        problems.unless((known.secrets)(secret), place, || Fault::NoSuchSecret(secret.clone()));
    }
    for (index, media_type) in webhook.content_types.iter().enumerate() {
        problems.unless(is_media_type(media_type), place.at("content-types").at(index), || Fault::MediaType);
    }
    let fits = (1..=LARGEST_BODY).contains(&webhook.max_body);
    problems.unless(fits, place.at("max-body"), || Fault::OutOfRange(1, LARGEST_BODY as u64));
    rows(webhook, place, problems);
    extract(&webhook.kind, &place.at("kind"), problems);
    problems.unless(!webhook.kinds.is_empty(), place.at("kinds"), || Fault::NoKinds);
    for (name, described) in &webhook.kinds {
        kind(described, known, &place.at("kinds").at(name), problems);
    }
}

fn rows(webhook: &Webhook, place: &Place, problems: &mut Problems) {
    if let Some(rows) = &webhook.rows {
        pointer(rows, place.at("rows"), problems);
    } else {
        problems.unless(webhook.carry.is_empty(), place.at("carry"), || Fault::CarryWithoutRows);
    }
    for (name, carry) in &webhook.carry {
        let place = place.at("carry").at(name);
        problems.unless(name != "row", place.clone(), || Fault::ReservedName);
        match carry {
            Carry::Pointer(text) => pointer(text, place, problems),
            Carry::Match { array, key, row_key } => {
                pointer(array, place.at("array"), problems);
                pointer(key, place.at("key"), problems);
                pointer(row_key, place.at("row-key"), problems);
            }
        }
    }
}

pub(super) fn verify(verify: &Verify, known: &Known<'_>, place: &Place, problems: &mut Problems) {
    let secret = verify.secret();
    problems.unless((known.secrets)(secret), place.at("secret"), || Fault::NoSuchSecret(secret.to_owned()));
    let (headers, tolerance): (&[(&str, &String)], Option<u64>) = match verify {
        Verify::Token { header, .. } | Verify::Hmac { header, .. } | Verify::Ed25519 { header, .. } => {
            (&[("header", header)], None)
        }
        Verify::TimestampedHmac { header, timestamp_header, tolerance, .. } => {
            (&[("header", header), ("timestamp-header", timestamp_header)], Some(*tolerance))
        }
        Verify::DigestSignature { header, digest_header, .. } => {
            (&[("header", header), ("digest-header", digest_header)], None)
        }
        Verify::StandardWebhooks { tolerance, .. } => (&[], Some(*tolerance)),
        Verify::Basic { .. } => (&[], None),
    };
    for (key, name) in headers {
        problems.unless(is_header(name), place.at(key), || Fault::Header);
    }
    if let Some(tolerance) = tolerance {
        let fits = (1..=LONGEST_TOLERANCE).contains(&tolerance);
        problems.unless(fits, place.at("tolerance"), || Fault::OutOfRange(1, LONGEST_TOLERANCE));
    }
}

pub(super) fn kind(kind: &Kind, known: &Known<'_>, place: &Place, problems: &mut Problems) {
    // What only names a record has nothing to be mapped.
    let there = (known.mappings)(&kind.mapping) || kind.mapping.is_empty() && kind.fetch.is_some();
    problems.unless(there, place.at("mapping"), || Fault::NoSuchMapping(kind.mapping.clone()));
    for (key, list) in [("lane", &kind.lane), ("source-id", &kind.source_id)] {
        for (index, part) in list.iter().enumerate() {
            extract(part, &place.at(key).at(index), problems);
        }
    }
    if let Some(version) = &kind.version {
        extract(version, &place.at("version"), problems);
    }
    for (name, part) in &kind.find_by {
        extract(part, &place.at("find-by").at(name), problems);
    }
}

/// Kinds whose messages only name a record: one is read by the interface.
pub(super) fn fetches(webhook: &Webhook, manifest: &Manifest, place: &Place, problems: &mut Problems) {
    for (name, kind) in &webhook.kinds {
        let Some(fetch) = &kind.fetch else { continue };
        let place = place.at("kinds").at(name).at("fetch");
        let rules = manifest.api.as_ref().and_then(|api| api.resources.get(&fetch.resource));
        let is_read = rules.is_some_and(|rules| rules.read.is_some());
        problems.unless(is_read, place.at("resource"), || Fault::NotRead(fetch.resource.clone()));
        let stays = !matches!(fetch.id, Extract::Header { .. });
        problems.unless(stays, place.at("id"), || Fault::HeaderIsGone);
        extract(&fetch.id, &place.at("id"), problems);
        if let Some(setting) = &fetch.needs {
            let there = manifest.settings.contains_key(setting);
            problems.unless(there, place.at("needs"), || Fault::NoSuchSetting(setting.clone()));
        }
    }
}

pub(super) fn extract(extract: &Extract, place: &Place, problems: &mut Problems) {
    match extract {
        Extract::Pointer(text) => pointer(text, place.clone(), problems),
        Extract::Tail { tail } => pointer(tail, place.at("tail"), problems),
        Extract::Header { header, .. } => {
            problems.unless(is_header(header), place.at("header"), || Fault::Header);
        }
        Extract::Constant { .. } => {}
        Extract::First { first } => {
            for (index, part) in first.iter().enumerate() {
                self::extract(part, &place.at("first").at(index), problems);
            }
        }
    }
}

pub(super) fn pointer(text: &str, place: Place, problems: &mut Problems) {
    let escapes = |part: &str| part.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    problems.unless((text.is_empty() || text.starts_with('/')) && escapes(text), place, || Fault::Pointer);
}

/// A token of RFC 9110, section 5.6.2, in lower case.
pub(super) fn is_header(name: &str) -> bool {
    let is_token = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(is_token)
}

fn is_media_type(text: &str) -> bool {
    text.split_once('/').is_some_and(|(kind, subtype)| is_header(kind) && is_header(subtype))
}
