//! The operator: releases, repairs, replays, cancels, pauses.

use bridge_core::task::{Actor, Command, Stage};
use bridge_pipeline::{
    ledger::{ParkedDoc, ParkedTask},
    queries::Standing,
    replays::{ReplayFilter, ReplayState},
};
use futures::executor::block_on;

use super::{Sim, plan};
use crate::memory::lock;

impl Sim {
    pub(super) fn parked(&self) -> Vec<ParkedDoc> {
        let world = lock(&self.world);
        let now = world.now;
        world
            .tables
            .iter()
            .filter(|record| record.key.sk.starts_with("parked#"))
            .filter(|record| record.expires.is_none_or(|at| at.as_millis() > now))
            .map(|record| serde_json::from_str(&record.doc).expect("a parked task"))
            .collect()
    }

    /// Releases every lane with something parked; returns how many there are.
    pub(super) fn release_all(&mut self) -> usize {
        let mut lanes: Vec<(Stage, _, _)> = Vec::new();
        for parked in self.parked() {
            let lane = match &parked.task {
                ParkedTask::Inbound(task) => (Stage::Inbound, task.connection.clone(), task.lane.clone()),
                ParkedTask::Outbound(task) => (Stage::Outbound, task.destination.clone(), task.lane.clone()),
            };
            self.coverage.parked += 1;
            if !lanes.contains(&lane) {
                lanes.push(lane);
            }
        }
        for (stage, connection, lane) in &lanes {
            self.commands += 1;
            self.coverage.releases += 1;
            let command = Command::ReleaseLane {
                connection: connection.clone(),
                stage: *stage,
                lane: lane.clone(),
                actor: actor(),
                not_before: None,
            };
            block_on(self.operator.command(&command, self.commands.to_string())).expect("a calm world");
        }
        lanes.len()
    }

    pub(super) fn repair(&mut self) {
        if !self.repaired {
            self.repaired = true;
            lock(&self.world).receiver.rejects = None;
            let source = plan::source_of(self.speech, true, self.policy);
            block_on(self.operator.apply_connection(source, actor())).expect("a calm world");
        }
    }

    pub(super) fn replay(&mut self) {
        let messages: Vec<_> = {
            let world = lock(&self.world);
            let docs = world.tables.iter().filter(|record| record.key.sk == "message");
            docs.map(|r| bridge_pipeline::ledger::MessageDoc::of(r).expect("a message")).collect()
        };
        let Some(doc) = self.rng.pick(&messages) else { return };
        // An operator who never stops keeps a world with many faults from ever coming to rest.
        if self.coverage.replays == 10 {
            return;
        }
        self.commands += 1;
        self.coverage.replays += 1;
        self.replayed += 1;
        let command = Command::ReplayMessage {
            connection: doc.connection.clone(),
            message: doc.message.clone(),
            actor: actor(),
        };
        block_on(self.operator.command(&command, self.commands.to_string())).expect("a calm world");
    }

    /// Everything that was received so far, once more.
    pub(super) fn replay_many(&mut self) {
        if self.coverage.many == 2 {
            return;
        }
        let now = lock(&self.world).now;
        self.commands += 1;
        self.coverage.many += 1;
        // Also of what was received before now and is normalized after it.
        self.replayed += self.senders_notes.iter().map(Vec::len).sum::<usize>() as u64;
        let at = bridge_core::Timestamp::from_millis;
        let filter = ReplayFilter {
            connection: plan::CONNECTION.parse().expect("valid"),
            since: at(0),
            until: at(now),
            kind: None,
            destination: None,
            state: [None, Some(Standing::Parked), Some(Standing::Delivered)][self.commands as usize % 3],
            cause: None,
        };
        let id = format!("many-{}", self.commands);
        block_on(self.operator.begin_replay(&id, filter, 5, actor())).expect("a calm world");
        self.many.push(id);
    }

    pub(super) fn cancel(&mut self) {
        let Some(id) = self.many.pop() else { return };
        let tenant = plan::tenant().tenant;
        let doc = block_on(self.operator.cancel_replay(&tenant, &id, actor())).expect("a calm world");
        self.coverage.cancelled += u64::from(doc.is_some_and(|doc| doc.state == ReplayState::Cancelled));
    }

    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
        self.coverage.pauses += u64::from(paused);
        let id = plan::DESTINATION.parse().expect("valid");
        block_on(self.operator.set_paused(&id, paused, actor())).expect("a calm world");
    }
}

pub(super) fn actor() -> Actor {
    Actor { name: "operator".to_owned(), reason: "simulated".to_owned() }
}
