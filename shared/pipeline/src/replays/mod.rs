//! Replays of many messages: chosen by a filter, done in steps by `retry`, in the order in which they were received,
//! at a rate that leaves live work its room. What is parked is not sent a second time: it goes on with its lane, in its
//! place. The record of one keeps who asked and why, how far it is, and where it
//! goes on; each message's own record keeps that it was part of it.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | replay | `{tenant}#replays` | `replay#{id}` |

mod choice;

use std::time::Duration;

use bridge_core::{
    Timestamp,
    id::TenantId,
    task::{Actor, Command},
};
use serde::{Deserialize, Serialize};

use crate::{
    bridge::Bridge,
    ledger::{LaneKey, LedgerError, docs_read, docs_write},
    ports::{Expect, Index, Key, PortError, Ports, Query, Record, Store, Table, Write, WriteError},
    queries::QueryError,
    stage::Failure,
};

pub use choice::{Preview, ReplayFilter};

/// Who loses this often against others does the step again.
const RACES: usize = 4;
/// How long the record of a replay is kept.
const KEPT: Duration = Duration::from_hours(24 * 2192);

/// Where a replay stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplayState {
    /// It goes on.
    Running,
    /// Everything that was chosen has been sent.
    Done,
    /// Somebody stopped it. What was sent before goes its way.
    Cancelled,
}

/// One replay of many messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayDoc {
    /// Its id.
    pub id: String,
    /// What was chosen.
    pub filter: ReplayFilter,
    /// Who asked, and why.
    pub actor: Actor,
    /// When.
    pub asked_at: Timestamp,
    /// Messages a second, at most.
    pub per_second: u32,
    /// Where it stands.
    pub state: ReplayState,
    /// Who stopped it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_by: Option<Actor>,
    /// Messages that were looked at.
    pub seen: u64,
    /// Messages that were sent through again.
    pub sent: u64,
    /// Parked tasks of messages that were let go on with their lanes.
    #[serde(default)]
    pub released: u64,
    /// Steps that were done.
    pub steps: u64,
    /// The last place in the index of received messages that was looked at.
    #[serde(default)]
    cursor: String,
    /// The next step is not to begin before this.
    next_at: Timestamp,
}

/// What a step came to.
pub(crate) enum Stepped {
    /// There is nothing to do: it is not there, done or cancelled.
    Over,
    /// Not before this.
    NotBefore(Timestamp),
    /// It has gone on.
    On,
}

fn key(tenant: &TenantId, id: &str) -> Key {
    Key::new(Table::Ledger, format!("{tenant}#replays"), format!("replay#{id}"))
}

fn read(record: &Record) -> Result<ReplayDoc, LedgerError> {
    docs_read(record).map_err(|_| LedgerError::Unreadable("replay"))
}

impl<P: Ports> Bridge<P> {
    /// Begins a replay under an id of the caller's. The same id again is the same replay.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn begin_replay(
        &self,
        id: &str,
        filter: ReplayFilter,
        per_second: u32,
        actor: Actor,
    ) -> Result<ReplayDoc, QueryError> {
        let (now, tenant) = (self.now(), filter.connection.tenant());
        let connection = filter.connection.clone();
        let doc = ReplayDoc {
            id: id.to_owned(),
            filter,
            actor,
            asked_at: now,
            per_second: per_second.max(1),
            state: ReplayState::Running,
            cancelled_by: None,
            seen: 0,
            sent: 0,
            released: 0,
            steps: 0,
            cursor: String::new(),
            next_at: now,
        };
        let mut record = Record::new(key(&tenant, id), docs_write(&doc));
        record.expires = Some(now + KEPT);
        let doc = match self.ports.store().write(vec![Write::Put(record, Expect::Absent)]).await {
            Ok(()) => doc,
            Err(WriteError::Conflict { current, .. }) => current.map_or(Ok(doc), |record| read(&record))?,
            Err(WriteError::Failed(error)) => return Err(error.into()),
        };
        let command = Command::ReplayMany { connection, replay: id.to_owned() };
        self.command(&command, doc.steps.to_string()).await?;
        Ok(doc)
    }

    /// Stops a replay; what was sent before goes its way. `None` where there is none of that id.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn cancel_replay(
        &self,
        tenant: &TenantId,
        id: &str,
        actor: Actor,
    ) -> Result<Option<ReplayDoc>, QueryError> {
        for _ in 0..RACES {
            let Some(record) = self.ports.store().get(&key(tenant, id)).await? else { return Ok(None) };
            let mut doc = read(&record)?;
            if doc.state != ReplayState::Running {
                return Ok(Some(doc));
            }
            doc.state = ReplayState::Cancelled;
            doc.cancelled_by = Some(actor.clone());
            if self.put_replay(record, &doc).await? {
                return Ok(Some(doc));
            }
        }
        Err(LedgerError::Contended.into())
    }

    /// Asks for the release of lanes with so many parked tasks each, one after the other, so that at most `per_second`
    /// tasks a second come back beside live work. `unique` tells this request from the one before.
    ///
    /// # Errors
    /// When the queue fails.
    pub async fn release_lanes(
        &self,
        lanes: &[(LaneKey, usize)],
        per_second: u32,
        actor: &Actor,
        unique: &str,
    ) -> Result<(), PortError> {
        let (now, mut before) = (self.now(), 0);
        for (lane, tasks) in lanes {
            let wait = Duration::from_millis(before * 1000 / u64::from(per_second.max(1)));
            let command = lane.release(actor.clone(), (before > 0).then(|| now + wait));
            self.command(&command, unique.to_owned()).await?;
            before += *tasks as u64;
        }
        Ok(())
    }

    /// The replays of a tenant, in the order of their ids.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn replays(&self, tenant: &TenantId) -> Result<Vec<ReplayDoc>, QueryError> {
        let query = Query::prefix(Table::Ledger, Index::Main, format!("{tenant}#replays"), "replay#");
        let records = self.ports.store().query(query).await?;
        Ok(records.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// One step of a replay. Done twice, even at the same time, it sends each message once: their own records know.
    pub(crate) async fn step_replay(&self, tenant: &TenantId, id: &str) -> Result<Stepped, Failure> {
        let Some(record) = self.ports.store().get(&key(tenant, id)).await? else { return Ok(Stepped::Over) };
        let mut doc = read(&record)?;
        if doc.state != ReplayState::Running {
            return Ok(Stepped::Over);
        }
        if doc.next_at > self.now() {
            return Ok(Stepped::NotBefore(doc.next_at));
        }
        let page = self.choose(&doc.filter, &doc.cursor).await?;
        let (mut sent, mut released) = (0, 0);
        for chosen in &page.chosen {
            for lane in &chosen.parked_in {
                // Once, however many of its tasks the replay comes across.
                let command = lane.release(doc.actor.clone(), None);
                self.command(&command, format!("replay {id}")).await?;
                released += 1;
            }
            if chosen.parked_in.is_empty() {
                let (message, command) = (&chosen.message, format!("replay {id}"));
                self.replay(&message.connection, &message.message, doc.actor.clone(), &command).await?;
                sent += 1;
            }
        }
        doc.seen += page.seen;
        doc.sent += sent;
        doc.released += released;
        doc.steps += 1;
        doc.next_at =
            self.now() + Duration::from_millis((sent + released) * 1000 / u64::from(doc.per_second));
        match page.last {
            Some(last) => doc.cursor = last,
            None => doc.state = ReplayState::Done,
        }
        // Another was faster, or it has been cancelled: what stands there decides.
        let _ = self.put_replay(record, &doc).await?;
        tracing::info!(
            target: "bridge::event", event = "replay", connection = %doc.filter.connection, id, seen = doc.seen,
            sent = doc.sent, released = doc.released, state = ?doc.state
        );
        let next = Command::ReplayMany { connection: doc.filter.connection.clone(), replay: id.to_owned() };
        if doc.state == ReplayState::Running {
            self.command(&next, doc.steps.to_string()).await?;
        }
        Ok(Stepped::On)
    }

    async fn put_replay(&self, mut record: Record, doc: &ReplayDoc) -> Result<bool, LedgerError> {
        let rev = record.rev;
        record.doc = docs_write(doc);
        match self.ports.store().write(vec![Write::Put(record, Expect::Rev(rev))]).await {
            Ok(()) => Ok(true),
            Err(WriteError::Conflict { .. }) => Ok(false),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }
}
