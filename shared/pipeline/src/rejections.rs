//! What the doors turned away: counted per connection, cause and hour, with the last senders.
//!
//! Bounded on both sides: a record per (connection, cause, hour) whatever is thrown at the door, and at most one
//! write per record and second from each process. What was sent is not kept: nobody has vouched for it.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bridge_core::{Cause, Timestamp, id::ConnectionId};
use serde::{Deserialize, Serialize};

use crate::{
    bridge::Bridge,
    ledger::{docs_read, docs_write},
    ports::{Clock, Expect, Index, Key, PortError, Ports, Query, Record, Store, Table, Write},
};

const WRITE_EVERY: Duration = Duration::from_secs(1);
const KEPT_FOR: Duration = Duration::from_hours(24 * 30);
const SENDERS: usize = 5;
/// Counters not yet written, at most: the names of unknown connections never get here.
const PENDING: usize = 10_000;

/// Rejections of one cause in one hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectionDoc {
    /// Which door; `unknown` for addresses that lead nowhere.
    pub connection: String,
    /// Why.
    pub cause: Cause,
    /// How many, at least.
    pub count: u64,
    /// First of the hour.
    pub first: Timestamp,
    /// Last so far.
    pub last: Timestamp,
    /// The last senders.
    pub senders: Vec<IpAddr>,
}

/// How many, and when they were written last.
type Pending = (u64, Option<Timestamp>);

/// Counts that are not written yet.
#[derive(Debug, Default)]
pub(crate) struct Rejections {
    pending: Mutex<HashMap<(String, String), Pending>>,
}

impl Rejections {
    /// Adds one; returns the count to write now, if it is time.
    fn add(&self, connection: &str, code: &str, now: Timestamp) -> Option<u64> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() >= PENDING {
            pending.clear();
        }
        let (count, written) = pending.entry((connection.to_owned(), code.to_owned())).or_default();
        *count += 1;
        if written.is_some_and(|at| now.since(at) < WRITE_EVERY) {
            return None;
        }
        *written = Some(now);
        Some(std::mem::take(count))
    }
}

impl<P: Ports> Bridge<P> {
    /// Counts a request that was turned away. Losing a race for the counter loses nothing but a count.
    pub(crate) async fn count_rejection(
        &self,
        connection: Option<&ConnectionId>,
        cause: &Cause,
        sender: Option<IpAddr>,
    ) {
        let now = self.ports.clock().now();
        let name = connection.map_or("unknown", ConnectionId::as_str);
        let Some(count) = self.rejections.add(name, &cause.code, now) else { return };
        for _ in 0..3 {
            match self.write_rejections(name, cause, sender, count, now).await {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(connection = name, code = cause.code, %error, "a rejection was not counted");
                    return;
                }
            }
        }
    }

    async fn write_rejections(
        &self,
        name: &str,
        cause: &Cause,
        sender: Option<IpAddr>,
        count: u64,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let hour = &now.to_string()[..13];
        let key = Key::new(Table::Ledger, rejections_pk(name), format!("{hour}#{}", cause.code));
        let current = self.ports.store().get(&key).await?;
        let expect = current.as_ref().map_or(Expect::Absent, |record| Expect::Rev(record.rev));
        let mut doc = current.and_then(|record| docs_read(&record).ok()).unwrap_or_else(|| RejectionDoc {
            connection: name.to_owned(),
            cause: cause.clone(),
            count: 0,
            first: now,
            last: now,
            senders: Vec::new(),
        });
        doc.count += count;
        doc.last = now;
        if let Some(sender) = sender {
            doc.senders.retain(|known| *known != sender);
            doc.senders.insert(0, sender);
            doc.senders.truncate(SENDERS);
        }
        let mut record = Record::new(key, docs_write(&doc));
        record.expires = Some(now + KEPT_FOR);
        Ok(self.ports.store().write(vec![Write::Put(record, expect)]).await.is_ok())
    }

    /// What a door turned away since `since`, oldest first; `None` for addresses that lead nowhere.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rejections(
        &self,
        connection: Option<&ConnectionId>,
        since: Timestamp,
    ) -> Result<Vec<RejectionDoc>, PortError> {
        let name = connection.map_or("unknown", ConnectionId::as_str);
        let mut query = Query::prefix(Table::Ledger, Index::Main, rejections_pk(name), "");
        query.range = since.to_string()[..13].to_owned()..=query.range.end().clone();
        let records = self.ports.store().query(query).await?;
        Ok(records.iter().filter_map(|record| docs_read(record).ok()).collect())
    }
}

fn rejections_pk(name: &str) -> String {
    match name.split_once('.') {
        Some((tenant, _)) => format!("{tenant}#rejected#{name}"),
        None => format!("#rejected#{name}"),
    }
}
