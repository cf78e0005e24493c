//! What must be true at the end of every run.

use std::collections::BTreeMap;

use bridge_pipeline::{
    ledger::{DeliveryDoc, DeliveryState, LaneDoc, MessageDoc, MessageState},
    ports::Record,
    replays::{ReplayDoc, ReplayState},
};

use super::run::Sim;
use crate::memory::{Tables, lock};

/// What must not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The run did not come to rest.
    Unsettled,
    /// An acknowledged note never reached the receiver.
    Lost(String),
    /// A note had more than one effect, without a replay.
    Repeated(String),
    /// A note had its effect before an older one of its patient.
    OutOfOrder(String),
    /// Two living processes attempted one delivery at the same time.
    Overlap,
    /// A message or delivery is not in its final state, though everything rests.
    Unfinished(String),
    /// A lane is held, though nothing is parked.
    HeldForNothing,
    /// A call was made that the destination's breaker should have held back.
    CalledTooEarly(String),
    /// A lane that was due was not found by its time.
    DueForgotten,
    /// What may have happened in one place was sent to another that does not know it.
    SentBlindly(String),
    /// A call was made beyond the destination's limits.
    TooManyCalls(String),
    /// A resource's stored state is not that of the newest message about it.
    StaleState(String),
}

pub(super) fn check(sim: &Sim, settled: bool) -> Vec<Violation> {
    let mut violations = Vec::new();
    if !settled {
        violations.push(Violation::Unsettled);
        return violations;
    }
    let world = lock(&sim.world);
    violations.extend(world.receiver.overlaps.iter().map(|_| Violation::Overlap));
    violations.extend(sim.forgotten.then_some(Violation::DueForgotten));
    violations.extend(world.receiver.blind.iter().cloned().map(Violation::SentBlindly));
    violations.extend(world.receiver.too_many.iter().cloned().map(Violation::TooManyCalls));
    violations.extend(world.receiver.too_early.iter().cloned().map(Violation::CalledTooEarly));

    let tags: Vec<String> = world.receiver.effects.iter().map(|effect| tag_of(&effect.body)).collect();
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, tag) in tags.iter().enumerate() {
        first.entry(tag).or_insert(at);
    }
    let repeats = tags.len() - first.len();
    let messages = world.tables.iter().filter(|record| record.key.sk == "message");
    let replays = |record: &Record| -> usize { MessageDoc::of(record).expect("a message").replays.len() };
    let replays: usize = messages.map(replays).sum();
    if repeats > replays || replays as u64 > sim.replayed {
        violations.push(Violation::Repeated(format!(
            "{repeats} repeats for {replays} replays of {}",
            sim.replayed
        )));
    }
    for notes in &sim.senders_notes {
        let mut last = None;
        for note in notes {
            let tag = note.tag();
            match first.get(tag.as_str()) {
                None => violations.push(Violation::Lost(tag)),
                Some(at) if last.is_some_and(|last| at < last) => violations.push(Violation::OutOfOrder(tag)),
                Some(at) => last = Some(at),
            }
        }
    }
    for record in world.tables.iter() {
        let sk = record.key.sk.as_str();
        if sk == "message" {
            let doc = MessageDoc::of(record).expect("a message");
            if doc.state != MessageState::Normalized {
                violations.push(Violation::Unfinished(doc.message.to_string()));
            }
        } else if sk.starts_with("delivery#") {
            let doc: DeliveryDoc = serde_json::from_str(&record.doc).expect("a delivery");
            if !matches!(doc.state, DeliveryState::Delivered { .. }) {
                violations.push(Violation::Unfinished(doc.delivery.to_string()));
            }
        } else if sk.starts_with("replay#") {
            let doc: ReplayDoc = serde_json::from_str(&record.doc).expect("a replay");
            if doc.state == ReplayState::Running {
                violations.push(Violation::Unfinished(doc.id));
            }
        } else if sk == "lane" {
            let doc: LaneDoc = serde_json::from_str(&record.doc).expect("a lane");
            if doc.held || doc.parked > 0 {
                violations.push(Violation::HeldForNothing);
            }
        }
    }
    violations.extend(stale_states(&world.tables));
    violations
}

/// Patients whose stored state is not that of the newest message about them. Other resources (the organisations that
/// HL7 v2 names) are of many lanes, between which nothing is promised about the order.
fn stale_states(tables: &Tables) -> Vec<Violation> {
    let mut newest: BTreeMap<String, String> = BTreeMap::new();
    for record in tables.iter().filter(|record| record.key.sk == "message") {
        let doc = MessageDoc::of(record).expect("a message");
        for resource in doc.resources {
            let order = newest.entry(resource).or_default();
            *order = order.clone().max(doc.order.clone());
        }
    }
    let is_stale = |record: &&Record| {
        let reference = record.key.pk.split_once('#').map_or("", |(_, reference)| reference);
        let order = record.version.as_deref().and_then(|version| version.split('#').nth(1));
        newest.get(reference).map(String::as_str) != order
    };
    let is_patient = |record: &&Record| record.key.pk.contains("#Patient/");
    let states = tables.iter().filter(|record| record.key.sk == "current").filter(is_patient);
    states.filter(is_stale).map(|record| Violation::StaleState(record.key.pk.clone())).collect()
}

/// The tag in a delivered bundle.
fn tag_of(body: &str) -> String {
    let is_tag = |part: &&str| part.starts_with("note-") || part.starts_with("unwanted-");
    body.split('"').find(is_tag).unwrap_or_default().to_owned()
}
