//! `watch`: connections that should speak and are silent, or speak otherwise than they did.
//!
//! A schedule asks for the connections that are due; each is held against its rhythm by what the ledger's index knows of
//! its messages, samples of these against the shape that payloads usually have, and is due again when that may have changed.
//! No message costs anything for it (ADR 28).
//!
//! | record | pk | sk |
//! |---|---|---|
//! | watch | `{tenant}#watch` | `silence#{connection}` |
//! | shape of payloads, sealed | `{tenant}#watch` | `shape#{connection}` |

mod calendar;
mod docs;
mod drift;
mod profile;
mod shape;
mod silence;
mod sketch;

use std::time::Duration;

use bridge_core::{
    Timestamp,
    config::Connection,
    id::{ConnectionId, TenantId},
    manifest::Manifest,
};
use futures::{StreamExt as _, stream};

pub use docs::WatchDoc;
pub use drift::Shape;
pub use profile::Profile;
pub use sketch::{Differs, Drift, Known};

use crate::{
    bridge::Bridge,
    configuration::{ConfigurationError, Loaded},
    ledger::LedgerError,
    poll,
    ports::{Expect, Index, Ports, Query, Store, Table, Write, WriteError},
    queries::QueryError,
    stage::Failure,
};
use docs::{due_partitions, watch_key, watches_of};
use silence::Turned;

/// How many of each part of the index are looked at in one invocation.
const DUE_AT_A_TIME: usize = 250;
/// How many are looked at side by side.
const SIDE_BY_SIDE: usize = 16;
/// None is begun with less time than this.
const ENOUGH: Duration = Duration::from_secs(10);
/// What can't be looked at is looked at again after this.
const AFTER_FAILURE: Duration = Duration::from_mins(15);
const RACES: usize = 16;

/// What one invocation of the schedule came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Watched {
    /// Connections that were looked at.
    pub connections: usize,
    /// Of those, the ones that are silent.
    pub silent: usize,
}

/// Whether anything can come from a connection.
fn speaks(connection: &Connection, manifest: &Manifest) -> bool {
    let has_a_door = connection.webhook.is_some() || manifest.webhook.is_some();
    let speaks_hl7 = connection.hl7v2.is_some() || manifest.hl7v2.is_some();
    let is_asked = connection.poll && poll::is_polled(manifest);
    has_a_door || speaks_hl7 || is_asked || !connection.feeds.is_empty()
}

impl<P: Ports> Bridge<P> {
    /// A connection was applied: it is watched from now on, unless it is paused or nothing comes from it.
    ///
    /// # Errors
    /// When the store fails, or others keep being faster.
    pub async fn schedule_watch(
        &self,
        connection: &Connection,
        manifest: &Manifest,
    ) -> Result<(), ConfigurationError> {
        let (id, now) = (&connection.connection, self.now());
        for _ in 0..RACES {
            let record = self.ports.store().get(&watch_key(id)).await?;
            let write = match record {
                None if !speaks(connection, manifest) => return Ok(()),
                None => {
                    let mut doc = WatchDoc::new(id, now);
                    doc.due = doc.due.filter(|_| !connection.paused);
                    Write::Put(doc.record(), Expect::Absent)
                }
                Some(record) if !speaks(connection, manifest) => Write::Delete(record.key, record.rev),
                Some(record) => {
                    // One that this version can't read is begun anew.
                    let mut doc = WatchDoc::read(&record).unwrap_or_else(|_| WatchDoc::new(id, now));
                    let was_paused = doc.due.is_none();
                    if connection.paused || was_paused {
                        (doc.silent, doc.surprise, doc.learned) = (None, 0.0, now);
                    }
                    doc.due = (!connection.paused).then_some(now);
                    doc.since = now;
                    Write::Put(doc.record(), Expect::Rev(record.rev))
                }
            };
            match self.ports.store().write(vec![write]).await {
                Ok(()) => return Ok(()),
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(ConfigurationError::Changed(format!("the watch of {id}")))
    }

    /// Looks at every connection that is due, as far as there is time. To be called once a minute: what two look at at
    /// once is decided by one of them.
    ///
    /// # Errors
    /// When the store can't say who is due. What goes wrong with one connection is logged, and costs the others nothing.
    pub async fn watch_due(&self, deadline: Timestamp) -> Result<Watched, LedgerError> {
        let mut due = Vec::new();
        for pk in due_partitions() {
            let (table, index) = (Table::Ledger, Index::ByAttention);
            let range = String::new()..=format!("{}$", self.now());
            let query = Query { table, index, pk, range, descending: false, limit: DUE_AT_A_TIME };
            for record in self.ports.store().query(query).await? {
                match WatchDoc::read(&record) {
                    Ok(doc) => due.push(doc.connection),
                    Err(error) => tracing::warn!(key = record.key.sk, %error, "a watch can't be read"),
                }
            }
        }
        let looks = due.into_iter().map(|connection| self.look_in_time(connection, deadline));
        let looked: Vec<Option<bool>> = stream::iter(looks).buffer_unordered(SIDE_BY_SIDE).collect().await;
        let silent = looked.iter().filter(|silent| **silent == Some(true)).count();
        Ok(Watched { connections: looked.iter().flatten().count(), silent })
    }

    /// Whether a connection is silent; nothing where there is no time, or it can't be looked at.
    async fn look_in_time(&self, connection: ConnectionId, deadline: Timestamp) -> Option<bool> {
        if deadline.since(self.now()) < ENOUGH {
            return None;
        }
        let looked = self.look_at(&connection).await;
        looked
            .inspect_err(|error| tracing::warn!(%connection, %error, "a connection could not be watched"))
            .ok()
    }

    /// Looks at one connection; whether it is silent.
    async fn look_at(&self, connection: &ConnectionId) -> Result<bool, Failure> {
        let Some(record) = self.ports.store().get(&watch_key(connection)).await? else { return Ok(false) };
        let mut doc = WatchDoc::read(&record)?;
        let looked = match self.connection(connection).await {
            Ok(Some(loaded)) => self.look(&loaded, &mut doc).await,
            Ok(None) => {
                doc.due = Some(self.now() + AFTER_FAILURE);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        };
        if looked.is_err() {
            // What can't be looked at must not keep the others from their turn.
            doc = WatchDoc::read(&record)?;
            doc.due = Some(self.now() + AFTER_FAILURE);
        }
        match self.ports.store().write(vec![Write::Put(doc.record(), Expect::Rev(record.rev))]).await {
            Ok(()) => {}
            // Somebody else has looked, or the connection was applied.
            Err(WriteError::Conflict { .. }) => return Ok(false),
            Err(WriteError::Failed(error)) => return Err(error.into()),
        }
        if let Some(turned) = looked? {
            let heard = doc.heard.map(|heard| heard.to_string()).unwrap_or_default();
            tracing::info!(
                target: "bridge::event", event = "silence", state = turned.word(), %connection, heard
            );
        }
        Ok(doc.silent.is_some())
    }

    async fn look(&self, loaded: &Loaded, doc: &mut WatchDoc) -> Result<Option<Turned>, Failure> {
        let (due, turned) = self.listen(loaded, doc).await?;
        // A shape that can't be sampled must not keep a silence from being told.
        if let Err(error) = self.sample(loaded, doc).await {
            tracing::warn!(connection = %doc.connection, %error, "payloads could not be looked at");
        }
        doc.due = Some(due.min(doc.sampled.max(self.now()) + drift::EVERY));
        Ok(turned)
    }

    /// How a connection's watch stands; `None` where nothing comes from it, or nobody applied it since connections are
    /// watched.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn watch_of(&self, connection: &ConnectionId) -> Result<Option<WatchDoc>, QueryError> {
        let record = self.ports.store().get(&watch_key(connection)).await?;
        Ok(record.map(|record| WatchDoc::read(&record)).transpose()?)
    }

    /// The watches of a tenant's connections, by name.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn watches(&self, tenant: &TenantId) -> Result<Vec<WatchDoc>, QueryError> {
        let query = Query::prefix(Table::Ledger, Index::Main, watches_of(tenant), "silence#");
        let records = self.ports.store().query(query).await?;
        Ok(records.iter().map(WatchDoc::read).collect::<Result<_, _>>()?)
    }
}
