//! Lanes: what keeps the order when something of them can't go on.
//!
//! The queue keeps the order of a lane as long as nothing is parked. From then on the lane's record does:
//!
//! 1. The head is parked and the lane held ([`Ledger::park`]). Later tasks are parked behind it, by the order in
//!    which the queue had them.
//! 2. A release sends the first parked tasks again, marked with the lane's epoch and their order. The lane stays
//!    held: newer tasks, also those that were on the queue before the release, go on being parked.
//! 3. Whoever finishes a released task takes it out ([`Ledger::settle`]). The last one of those sent asks for the
//!    next ones; the last one of all opens the lane.
//! 4. If a released task fails again, the lane gets a new epoch. What was sent under the old one is parked again
//!    where it was.
//! 5. A lane that is only held until a time (its head waits longer than a queue can) stands in the index of what is
//!    due, and is released by itself then.

use bridge_core::{
    Cause, Timestamp,
    id::{ConnectionId, LaneId},
    task::{Actor, Command, Release, Stage},
};

use super::docs::{LaneDoc, ParkedDoc};
use super::{Ledger, LedgerError, RACES, docs};
use crate::ports::{Expect, Index, Key, Ports, Query, Record, Store, Table, Write};

/// Parts of the index of what is due, so that none is hot when a destination defers all its lanes at once.
const DUE_PARTITIONS: u32 = 8;

/// The part in which a lane stands.
fn due_partition(key: &LaneKey) -> String {
    let sum =
        key.lane.as_str().bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("#due#{}", sum % DUE_PARTITIONS)
}

/// Which lane: a side of the pipeline, a connection there, and a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneKey {
    /// The side.
    pub stage: Stage,
    /// The source of an inbound lane, the destination of an outbound one.
    pub connection: ConnectionId,
    /// The key.
    pub lane: LaneId,
}

impl LaneKey {
    /// Where a source's messages are kept in order.
    pub(crate) fn inbound(connection: &ConnectionId, lane: &LaneId) -> Self {
        Self { stage: Stage::Inbound, connection: connection.clone(), lane: lane.clone() }
    }

    /// Where a destination's deliveries are.
    pub(crate) fn outbound(connection: &ConnectionId, lane: &LaneId) -> Self {
        Self { stage: Stage::Outbound, connection: connection.clone(), lane: lane.clone() }
    }

    /// Asks for its release.
    pub(crate) fn release(&self, actor: Actor, not_before: Option<Timestamp>) -> Command {
        let Self { stage, connection, lane } = self.clone();
        Command::ReleaseLane { connection, stage, lane, actor, not_before }
    }

    fn pk(&self) -> String {
        format!("{}#{}#{}#{}", self.connection.tenant(), self.stage.as_str(), self.connection, self.lane)
    }

    fn read(pk: &str) -> Option<Self> {
        let mut parts = pk.split('#').skip(1);
        let stage = match parts.next()? {
            "inbound" => Stage::Inbound,
            "outbound" => Stage::Outbound,
            _ => return None,
        };
        Some(Self { stage, connection: parts.next()?.parse().ok()?, lane: parts.next()?.parse().ok()? })
    }

    pub(super) fn record(&self) -> Key {
        Key::new(Table::Ledger, self.pk(), "lane")
    }

    pub(super) fn parked(&self, order: &str, id: &str) -> Key {
        Key::new(Table::Ledger, self.pk(), format!("parked#{order}#{id}"))
    }
}

/// A lane as it was read.
#[derive(Debug, Clone, Default)]
pub struct Lane {
    pub(super) rev: u64,
    /// What its record says; the default where there is none.
    pub doc: LaneDoc,
}

/// Whether a task may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// It is its turn.
    Pass,
    /// Something older of its lane is parked.
    Behind,
}

impl Lane {
    /// Whether a task may go on, given the mark of the release that sent it.
    pub fn gate(&self, release: Option<&Release>) -> Gate {
        let its_turn = !self.doc.held
            || release.is_some_and(|release| {
                release.epoch == self.doc.epoch
                    && self.doc.sent_through.as_ref().is_some_and(|through| release.order <= *through)
            });
        if its_turn { Gate::Pass } else { Gate::Behind }
    }

    pub(super) fn put(&self, key: &LaneKey, doc: &LaneDoc, now: Timestamp) -> Write {
        let mut record = Record::new(key.record(), docs::write(doc));
        // An empty lane's record outlives every task that could still carry its epoch (14 days on a queue).
        record.expires =
            (doc.parked == 0 && !doc.held).then(|| now + std::time::Duration::from_hours(24 * 60));
        let due = doc.due.filter(|_| doc.held && doc.sent_through.is_none());
        record.by_attention = due.map(|due| (due_partition(key), format!("{due}#{}", key.pk())));
        let expect = if self.rev == 0 { Expect::Absent } else { Expect::Rev(self.rev) };
        Write::Put(record, expect)
    }
}

impl<P: Ports> Ledger<'_, P> {
    /// Reads a lane.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn lane(&self, key: &LaneKey) -> Result<Lane, LedgerError> {
        match self.get(&key.record()).await? {
            None => Ok(Lane::default()),
            Some(record) => Ok(Lane { rev: record.rev, doc: docs::read(&record, "lane")? }),
        }
    }

    /// Takes a finished task out of its lane, if it was parked there. Returns whether the caller must ask for the
    /// lane's next tasks to be released. Doing it twice does no harm.
    ///
    /// # Errors
    /// When the store fails, or others keep being faster.
    pub async fn settle(&self, key: &LaneKey, release: &Release, id: &str) -> Result<bool, LedgerError> {
        let parked = key.parked(&release.order, id);
        for _ in 0..RACES {
            let lane = self.lane(key).await?;
            let Some(entry) = self.get(&parked).await? else {
                return Ok(is_last_sent(&lane.doc, release) && lane.doc.parked > 0);
            };
            let mut doc = lane.doc.clone();
            doc.parked = doc.parked.saturating_sub(1);
            let ask_for_more = is_last_sent(&doc, release) && doc.parked > 0;
            if doc.parked == 0 {
                doc.held = false;
                doc.sent_through = None;
                doc.due = None;
                doc.cause = None;
            }
            let writes = vec![lane.put(key, &doc, self.now()), Write::Delete(parked.clone(), entry.rev)];
            if self.write(writes).await?.is_ok() {
                return Ok(ask_for_more);
            }
        }
        Err(LedgerError::Contended)
    }

    /// Marks the first `limit` parked tasks of a lane as sent, and returns them, to be put on their queue with
    /// this mark. An empty lane is opened. The mark comes first: a task that arrives before it would be parked.
    ///
    /// # Errors
    /// When the store fails, or others keep being faster.
    pub async fn next_to_release(
        &self,
        key: &LaneKey,
        limit: usize,
    ) -> Result<Vec<(ParkedDoc, Release)>, LedgerError> {
        for _ in 0..RACES {
            let lane = self.lane(key).await?;
            let query = Query::prefix(Table::Ledger, Index::Main, key.pk(), "parked#").limit(limit);
            let records = self.ports.store().query(query).await?;
            let parked: Vec<ParkedDoc> =
                records.iter().map(|record| docs::read(record, "parked")).collect::<Result<_, _>>()?;
            let mut doc = lane.doc.clone();
            doc.sent_through = parked.last().map(|last| last.order.clone());
            doc.due = None;
            if parked.is_empty() {
                doc.held = false;
                doc.parked = 0;
                doc.cause = None;
            }
            if lane.rev == 0 && parked.is_empty() {
                return Ok(Vec::new());
            }
            if doc == lane.doc || self.write(vec![lane.put(key, &doc, self.now())]).await?.is_ok() {
                let mark = |parked: ParkedDoc| {
                    let release = Release { epoch: doc.epoch, order: parked.order.clone() };
                    (parked, release)
                };
                return Ok(parked.into_iter().map(mark).collect());
            }
        }
        Err(LedgerError::Contended)
    }

    /// The lanes that are due at `now`, with their epochs: at most `limit` of each part of the index, which is seconds
    /// behind.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn due_lanes(&self, now: Timestamp, limit: usize) -> Result<Vec<(LaneKey, u64)>, LedgerError> {
        let mut lanes = Vec::new();
        for part in 0..DUE_PARTITIONS {
            let range = String::new()..=now.to_string();
            let (table, index, pk) = (Table::Ledger, Index::ByAttention, format!("#due#{part}"));
            let query = Query { table, index, pk, range, descending: false, limit };
            for record in self.ports.store().query(query).await? {
                let doc: LaneDoc = docs::read(&record, "lane")?;
                let key = LaneKey::read(&record.key.pk).ok_or(LedgerError::Unreadable("lane"))?;
                lanes.push((key, doc.epoch));
            }
        }
        Ok(lanes)
    }

    /// The cause for which a lane is held, for those parked behind.
    pub(super) fn behind(lane: &LaneDoc) -> Cause {
        let why = lane.cause.as_ref().map_or("", |cause| cause.code.as_str());
        Cause::new("lane.held", format!("waits for older work of its lane, which is parked ({why})"))
    }
}

fn is_last_sent(lane: &LaneDoc, release: &Release) -> bool {
    lane.epoch == release.epoch && lane.sent_through.as_deref() == Some(release.order.as_str())
}
