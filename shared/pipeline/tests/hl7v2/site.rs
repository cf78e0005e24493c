//! A practice with one HL7 v2 interface.

use std::sync::Arc;

use bridge_core::{
    Phi,
    config::Secret,
    task::{Command, Stage},
};
use bridge_hl7v2::{
    Message,
    ack::{Answer, Code},
};
use bridge_pipeline::{
    configuration::Loaded, ledger::MessageDoc, ports::QueueName, receive::hl7v2::Received,
};
use bridge_testkit::{
    memory::{MemoryAdapters, lock},
    practice::{Practice, actor},
    sim::{CONNECTION, DESTINATION},
};
use futures::executor::block_on;
use serde_json::Value;

/// The practice.
pub(crate) struct Site(pub(crate) Practice);

/// What most sites agree on here.
pub(crate) const AGREED: &str = "authorities: {NORTH: 'https://north.example/mrn'}";

fn connection(agreed: &str, mappings: &[(&str, &str)]) -> bridge_core::config::Connection {
    let yaml = format!(
        "{{connection: {CONNECTION}, adapter: hl7v2, zone: America/Chicago, \
         routes: [{{to: {DESTINATION}, resources: [Patient, Appointment, Encounter, Observation]}}]}}"
    );
    let mut connection: bridge_core::config::Connection = serde_norway::from_str(&yaml).unwrap();
    connection.hl7v2 = Some(serde_norway::from_str(agreed).unwrap());
    for (name, text) in mappings {
        connection.mappings.insert((*name).to_owned(), (*text).to_owned());
    }
    connection.secrets.insert("http".to_owned(), Secret::One(Phi::new("invented".to_owned())));
    connection
}

impl Site {
    /// A site where this is agreed (YAML of the `hl7v2` section).
    pub(crate) fn new(agreed: &str) -> Self {
        Self::with_mappings(agreed, &[])
    }

    /// The same with mappings of its own.
    pub(crate) fn with_mappings(agreed: &str, mappings: &[(&str, &str)]) -> Self {
        let manifest = "{adapter: hl7v2, version: 1, title: t, open: true, hl7v2: {}}";
        let out = "{adapter: hl7v2-out, version: 1, title: t, settings: {send-to: {about: where}}, \
                   deliver: {transport: {kind: hl7v2, url: '{send-to}'}}}";
        let parsed = |name: &str, yaml| (name.to_owned(), Arc::new(serde_norway::from_str(yaml).unwrap()));
        let manifests = [parsed("hl7v2", manifest), parsed("hl7v2-out", out)].into();
        let adapters = MemoryAdapters { manifests, ..Default::default() };
        Self(Practice::with_adapters(connection(agreed, mappings), adapters))
    }

    /// Agrees on something else.
    pub(crate) fn agree(&self, agreed: &str, mappings: &[(&str, &str)]) {
        block_on(self.0.bridge.apply_connection(connection(agreed, mappings), actor())).unwrap();
    }

    pub(crate) fn loaded(&self) -> Arc<Loaded> {
        block_on(self.0.bridge.connection(&CONNECTION.parse().unwrap())).unwrap().unwrap()
    }

    pub(crate) fn receive(&self, bytes: impl AsRef<[u8]>) -> Received {
        block_on(self.0.bridge.receive_hl7(&self.loaded(), bytes.as_ref(), None))
    }

    /// Sends one message; the code of its answer and what its ERR segments say. `None` when it is not answered.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) -> Option<(Code, Vec<String>)> {
        let received = self.receive(bytes);
        if received.answer.is_empty() {
            return None;
        }
        let message = Message::parse(&received.answer).unwrap();
        let answer = Answer::read(&message).unwrap();
        let places = answer.problems.iter().map(|problem| {
            let place = problem.location.map(|place| place.to_string()).unwrap_or_default();
            format!("{} {place}", problem.code)
        });
        Some((answer.code, places.collect()))
    }

    /// Sends a message that is to be accepted, and lets everything come to rest.
    pub(crate) fn accepted(&self, text: &str) {
        let answer = self.send(text);
        assert!(answer.as_ref().is_some_and(|(code, _)| *code == Code::AA), "{answer:?}");
        self.0.settle();
    }

    /// Releases the lane of the first message, and lets everything come to rest.
    pub(crate) fn release(&self, token: &str) {
        let lane = self.messages()[0]["lane"].as_str().unwrap().parse().unwrap();
        let connection = CONNECTION.parse().unwrap();
        let command = Command::ReleaseLane {
            connection,
            stage: Stage::Inbound,
            lane,
            actor: actor(),
            not_before: None,
        };
        block_on(self.0.bridge.command(&command, token.to_owned())).unwrap();
        self.0.settle();
    }

    /// How many tasks are on the inbound queue.
    pub(crate) fn queued(&self) -> usize {
        lock(&self.0.world).queues.get(&QueueName::Inbound).map_or(0, |queue| queue.messages.len())
    }

    /// The lanes of the tasks on the inbound queue.
    pub(crate) fn lanes(&self) -> Vec<String> {
        let world = lock(&self.0.world);
        world.queues[&QueueName::Inbound].messages.iter().map(|message| message.entry.group.clone()).collect()
    }

    /// The last delivered state of the only resource of this type in its bundle.
    pub(crate) fn delivered(&self, kind: &str) -> Value {
        let bundles = self.0.delivered();
        let bundles = bundles.iter().rev().map(|body| serde_json::from_str::<Value>(body).unwrap());
        let resources = bundles.flat_map(|bundle| bundle["entry"].as_array().cloned().unwrap_or_default());
        let mut found =
            resources.map(|entry| entry["resource"].clone()).filter(|one| one["resourceType"] == kind);
        found.next().unwrap_or_default()
    }

    /// The state of a resource in the store.
    pub(crate) fn stored(&self, reference: &str) -> Value {
        let tenant = self.loaded().connection.connection.tenant();
        let (_, json) = block_on(self.0.bridge.resource(&tenant, reference)).unwrap().unwrap();
        serde_json::from_slice(json.expose()).unwrap()
    }

    /// The records of all messages.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let world = lock(&self.0.world);
        let docs = world.tables.iter().filter(|record| record.key.sk == "message");
        docs.map(|record| serde_json::to_value(MessageDoc::of(record).unwrap()).unwrap()).collect()
    }

    /// The codes of what was turned away, with their counts.
    pub(crate) fn counted(&self) -> Vec<(String, u64)> {
        // Counts are written once a second.
        lock(&self.0.world).now += 2_000;
        let since = bridge_core::Timestamp::from_millis(0);
        let docs = block_on(self.0.bridge.rejections(Some(&CONNECTION.parse().unwrap()), since)).unwrap();
        docs.into_iter().map(|doc| (doc.cause.code, doc.count)).collect()
    }
}

/// A message of this event, made at this time, with this control id.
pub(crate) fn message(event: &str, at: &str, control_id: &str, rest: &str) -> String {
    format!("MSH|^~\\&|PM|NORTH|BRIDGE|NORTH|{at}||{event}|{control_id}|P|2.5.1\r{rest}\r")
}
