//! What is simulated: a tenant, its connections, and what its senders send.

use std::{collections::HashMap, sync::Arc};

use bridge_core::{
    Phi,
    config::{Connection, Failover, Hl7v2Site, Sticky, Tenant},
    http::Request,
};
use serde_json::json;

use super::Rng;
use crate::memory::MemoryAdapters;

/// Where everything comes from.
pub const CONNECTION: &str = "sim.source";
/// Where everything goes.
pub const DESTINATION: &str = "sim.studio";
/// What it does not take goes here, in some runs.
pub(super) const DROP: &str = "sim.drop";

const SOURCE_MANIFEST: &str = r#"
adapter: source
version: 1
title: Simulated source
open: true
secrets: { token: shared token }
hl7v2: {}
webhook:
  verify: { kind: token, header: x-token, secret: token }
  kind: { constant: note }
  kinds:
    note:
      mapping: note
      lane: [/patient]
      source-id: [/tag]
      find-by: { tag: /tag }
"#;

const STUDIO_MANIFEST: &str = r#"
adapter: studio
version: 1
title: Simulated receiver
settings: { url: { about: where } }
secrets: { signing: shared secret }
deliver:
  transport: { kind: standard-webhook, url: "{url}", secret: signing }
  max-attempts: 8
"#;

/// Such a limit that waiting for it matters in a run, and such a period that a process that is slow to call after it
/// has leased does not.
const LIMITED_MANIFEST: &str = r#"
adapter: limited
version: 1
title: Simulated receiver with limits
settings: { url: { about: where } }
secrets: { signing: shared secret }
deliver:
  transport: { kind: standard-webhook, url: "{url}", secret: signing }
  max-attempts: 8
  limits: [{ calls: 4, seconds: 300 }, { calls: 2, seconds: 10 }]
  concurrency: 1
"#;
/// What its calls must keep to: in 300 s no more than 4, and 4 that were leased before and made late.
pub(super) const PROMISED: (usize, i64, usize) = (8, 300_000, 1);

/// Fails on odd notes until it is repaired.
const BROKEN: &str = r#"(
  $assert(odd = false, "odd");
  {"resourceType": "Patient", "identifier": [
    {"system": "urn:sim:patient", "value": patient}, {"system": "urn:sim:tag", "value": tag}]}
)"#;

pub(crate) const REPAIRED: &str = r#"{"resourceType": "Patient", "identifier": [
    {"system": "urn:sim:patient", "value": patient}, {"system": "urn:sim:tag", "value": tag}]}"#;

/// How the sender of a run speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speech {
    /// Webhooks, whose mapping makes whole resources.
    Json,
    /// HL7 v2 over HTTP, whose messages say only what they say.
    Hl7v2,
}

/// An odd note names an authority that nobody knows until it is repaired.
const BROKEN_SITE: &str = "
verify: {kind: token, header: x-token, secret: token}
authorities: {P: 'urn:sim:patient', TAG: 'urn:sim:tag'}
park-on: [unknown-authority]
";

pub(crate) fn adapters() -> MemoryAdapters {
    let manifests = [("source", SOURCE_MANIFEST), ("studio", STUDIO_MANIFEST), ("limited", LIMITED_MANIFEST)];
    let parse = |(name, yaml): (&str, &str)| {
        (
            name.to_owned(),
            Arc::new(serde_norway::from_str(yaml).expect("the simulation's manifests are valid")),
        )
    };
    MemoryAdapters { manifests: manifests.map(parse).into_iter().collect(), mappings: HashMap::new() }
}

pub(crate) fn tenant() -> Tenant {
    serde_norway::from_str("{tenant: sim, name: Simulated practice}").expect("valid")
}

pub(crate) fn source(mapping: &str, policy: &str) -> Connection {
    let mut connection: Connection = serde_norway::from_str(&format!(
        "{{connection: {CONNECTION}, adapter: source, zone: UTC, secrets: {{token: t}}, lanes: {policy}, \
         routes: [{{to: {DESTINATION}, resources: [Patient]}}]}}"
    ))
    .expect("valid");
    connection.mappings.insert("note".to_owned(), mapping.to_owned());
    connection
}

/// The source of a run, before and after its repair.
pub(super) fn source_of(speech: Speech, repaired: bool, policy: &str) -> Connection {
    match (speech, repaired) {
        (Speech::Json, false) => source(BROKEN, policy),
        (Speech::Json, true) => source(REPAIRED, policy),
        (Speech::Hl7v2, _) => {
            let mut connection = source(REPAIRED, policy);
            let mut site: Hl7v2Site = serde_norway::from_str(BROKEN_SITE).expect("valid");
            if repaired {
                site.authorities.insert("ODD".to_owned(), "urn:sim:odd".to_owned());
            }
            connection.hl7v2 = Some(Box::new(site));
            connection
        }
    }
}

pub(crate) fn studio(policy: &str) -> Connection {
    receiver(DESTINATION, "studio", policy)
}

/// A destination of this name and adapter.
pub(crate) fn receiver(id: &str, adapter: &str, policy: &str) -> Connection {
    serde_norway::from_str(&format!(
        "{{connection: {id}, adapter: {adapter}, zone: UTC, settings: {{url: 'https://studio.example'}}, \
         secrets: {{signing: s}}, lanes: {policy}}}"
    ))
    .expect("valid")
}

/// Where the destination of a run is, and who gets what it does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lay {
    /// One address.
    One,
    /// Two endpoints and a standby, each with a book of its own.
    Apart,
    /// The same with one book, and each lane at one of them.
    Together,
    /// One address, and the outbox.
    Outbox,
    /// One address, and another connection.
    Drop,
}

impl Lay {
    pub(super) const ALL: [Self; 5] = [Self::One, Self::Apart, Self::Together, Self::Outbox, Self::Drop];

    /// The endpoints' names.
    pub(super) const fn endpoints(self) -> &'static [&'static str] {
        match self {
            Self::One | Self::Outbox | Self::Drop => &[],
            Self::Apart | Self::Together => &["east", "west", "spare"],
        }
    }

    /// The destination of this adapter, laid out like this.
    pub(super) fn receiver(self, adapter: &str, policy: &str) -> Connection {
        let mut connection = receiver(DESTINATION, adapter, policy);
        for name in self.endpoints() {
            let role = if *name == "spare" { "standby" } else { "primary" };
            let text = format!("{{name: {name}, url: 'https://{name}.example', role: {role}}}");
            connection.endpoints.push(serde_norway::from_str(&text).expect("valid"));
        }
        match self {
            Self::One | Self::Apart => {}
            Self::Together => {
                connection.failover = Some(Failover { sticky: Some(Sticky::Lane), one_book: Some(true) });
            }
            Self::Outbox => {
                let text = "{deliveries: {after: 1, to: outbox}}";
                connection.fallback = Some(serde_norway::from_str(text).expect("valid"));
            }
            Self::Drop => {
                let text = format!("{{deliveries: {{after: 1, to: {DROP}}}}}");
                connection.fallback = Some(serde_norway::from_str(&text).expect("valid"));
            }
        }
        connection
    }
}

/// A note that a sender will post until it is acknowledged.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) patient: usize,
    pub(super) seq: usize,
    /// The mapping fails on it until it is repaired.
    pub(super) odd: bool,
    /// The receiver rejects it until it is told not to.
    pub(super) unwanted: bool,
    /// The sender posts it so often even when it was acknowledged.
    pub(super) repeats: u32,
}

impl Note {
    /// Names it in the receiver's book.
    pub(super) fn tag(&self) -> String {
        let mark = if self.unwanted { "unwanted" } else { "note" };
        format!("{mark}-{}-{}", self.patient, self.seq)
    }

    pub(super) fn request(&self, speech: Speech) -> Request {
        let (path, media_type, body) = match speech {
            Speech::Json => ("webhooks", "application/json", self.json()),
            Speech::Hl7v2 => ("hl7", "x-application/hl7-v2+er7", self.hl7v2()),
        };
        Request {
            method: "POST".to_owned(),
            path: format!("/{path}/{CONNECTION}"),
            query: String::new(),
            headers: [("x-token", "t"), ("content-type", media_type)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            source: None,
            body: Phi::new(body.into_bytes()),
        }
    }

    fn json(&self) -> String {
        json!({"patient": format!("p{}", self.patient), "tag": self.tag(), "odd": self.odd}).to_string()
    }

    /// Every other message says when it was made; of the others the order of arrival decides.
    fn hl7v2(&self) -> String {
        let (patient, seq, tag) = (self.patient, self.seq, self.tag());
        let made = if seq % 2 == 0 { format!("202301010000{seq:02}+0000") } else { String::new() };
        let odd = if self.odd { "~1^^^ODD^PI" } else { "" };
        format!(
            "MSH|^~\\&|SIM||||{made}||ADT^A08|{tag}|P|2.5.1\rPID|1||p{patient}^^^P^MR~{tag}^^^TAG^PI{odd}\r"
        )
    }
}

/// What a seed's senders send: by patient, in order.
pub(super) fn notes(rng: &mut Rng) -> Vec<Vec<Note>> {
    let patients = 1 + rng.below(3) as usize;
    let note = |rng: &mut Rng, patient, seq| Note {
        patient,
        seq,
        odd: rng.chance(0.08),
        unwanted: rng.chance(0.08),
        repeats: u32::from(rng.chance(0.25)) + u32::from(rng.chance(0.1)),
    };
    (0..patients)
        .map(|patient| (0..1 + rng.below(6) as usize).map(|seq| note(rng, patient, seq)).collect())
        .collect()
}
