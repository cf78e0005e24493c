//! The rate limits of a connection, kept by all processes together in shared records: a process asks for all of its work
//! that waits, is given moments to call at, and calls without asking again. A limit of many calls a second has several
//! records, so none is hot. A connection without limits costs nothing here.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bridge_core::{Timestamp, id::ConnectionId, manifest::Limit};

use super::{
    bucket::{Lease, Share, Wish, shards},
    pocket::{Answer, Pocket, Seen},
    rates::{Desk, Rates},
};
use crate::{
    bridge::Bridge,
    ledger::{LedgerError, docs_read, docs_write},
    ports::{Clock, Expect, Key, Ports, Record, Store, Table, Write, WriteError},
    stage::Failure,
};

/// Who loses this often against others comes back a moment later.
pub(super) const RACES: usize = 8;
/// That moment.
pub(super) const A_MOMENT: Duration = Duration::from_secs(1);
/// A record that nobody used for its period and this long is forgotten.
pub(super) const KEPT: Duration = Duration::from_hours(24);

/// Which limit: of whom, of what of theirs, and which in the manifest's order.
type Place = (ConnectionId, Desk, usize);

/// One process's pockets.
#[derive(Debug, Default)]
pub(crate) struct Limits(Mutex<HashMap<Place, Arc<Pocket>>>);

impl Limits {
    fn pocket(&self, of: &Place) -> Arc<Pocket> {
        let mut pockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pockets.entry(of.clone()).or_default())
    }
}

/// Leave for calls by all limits of a desk.
#[derive(Debug)]
pub(super) struct Leave {
    /// Not before this.
    pub(super) from: Timestamp,
    /// The calls are to be made before this.
    pub(super) until: Timestamp,
    taken: Vec<(Arc<Pocket>, Lease)>,
}

impl Leave {
    /// Nothing is called: others of this process may use what is still good of it.
    pub(super) fn give_back(self) {
        self.taken.into_iter().for_each(|(pocket, lease)| pocket.give_back(lease));
    }
}

/// Where a shard of a limit stands.
fn limit_key((connection, desk, number): &Place, shard: u32) -> Key {
    let pk = format!("{}#limit#{connection}{}#{number}#{shard}", connection.tenant(), desk.in_key());
    Key::new(Table::Ledger, pk, "slices")
}

impl<P: Ports> Bridge<P> {
    /// Leave for calls by all limits, perhaps a moment ahead; or when to ask again.
    pub(super) async fn take_calls(
        &self,
        connection: &ConnectionId,
        rates: &Rates<'_>,
        wish: Wish,
    ) -> Result<Result<Leave, Timestamp>, Failure> {
        // The longest period first: what another limit's refusal leaves over of it is used by the next.
        let mut order: Vec<(usize, &Limit)> = rates.limits.iter().enumerate().collect();
        order.sort_by_key(|(_, limit)| std::cmp::Reverse(limit.seconds));
        let mut leave =
            Leave { from: wish.not_before, until: Timestamp::from_millis(i64::MAX), taken: Vec::new() };
        for (number, limit) in order {
            let place = (connection.clone(), rates.desk, number);
            let pocket = self.limits.pocket(&place);
            match self.ask_limit(&place, limit, &pocket, Wish { not_before: leave.from, ..wish }).await? {
                Ok(lease) => {
                    (leave.from, leave.until) = (leave.from.max(lease.from), leave.until.min(lease.until));
                    leave.taken.push((pocket, lease));
                }
                Err(until) => {
                    leave.give_back();
                    return Ok(Err(until));
                }
            }
        }
        if leave.from < leave.until {
            return Ok(Ok(leave));
        }
        // The moments of two limits don't meet.
        let from = leave.from;
        leave.give_back();
        Ok(Err(from))
    }

    /// Leave by one limit. The first of those who wait asks for all of them, the others find what they got.
    async fn ask_limit(
        &self,
        of: &Place,
        limit: &Limit,
        pocket: &Pocket,
        wish: Wish,
    ) -> Result<Answer, Failure> {
        if let Some(lease) = pocket.spare(&wish, self.now()) {
            return Ok(Ok(lease));
        }
        let ticket = pocket.join(wish);
        let _asking = pocket.asking.lock().await;
        if let Some(answer) = ticket.answer() {
            return Ok(answer);
        }
        let shards = shards(limit);
        let begin = (self.ports.clock().chance() * f64::from(shards)) as u32;
        for step in 0..shards {
            let shard = (begin + step) % shards;
            self.ask_shard(of, (limit, shard), pocket, step + 1 == shards).await?;
            if pocket.is_quiet() {
                break;
            }
        }
        Ok(ticket.answer().unwrap_or_else(|| Err(self.now() + A_MOMENT)))
    }

    /// Asks one shard for all who wait. Those who get nothing ask the next; the last one gives them a turn.
    async fn ask_shard(
        &self,
        of: &Place,
        (limit, shard): (&Limit, u32),
        pocket: &Pocket,
        is_last: bool,
    ) -> Result<(), Failure> {
        let share = Share::of(limit, shard);
        let key = limit_key(of, shard);
        let mut seen = match pocket.seen(shard) {
            Some(seen) => seen,
            None => see(self.ports.store().get(&key).await?.as_ref())?,
        };
        for _ in 0..RACES {
            let now = self.now();
            let mut bucket = seen.bucket.clone();
            let served = pocket.serve(&mut bucket, &share, now, is_last);
            if served.answers.is_empty() {
                return Ok(());
            }
            let mut record = Record::new(key.clone(), docs_write(&bucket));
            record.expires = Some(now + Duration::from_secs(u64::from(limit.seconds)) + KEPT);
            match self.put_limit(record, seen.rev).await? {
                Ok(rev) => {
                    pocket.see(shard, Seen { rev, bucket });
                    pocket.tell(served);
                    return Ok(());
                }
                Err(current) => {
                    seen = see(current.as_deref())?;
                    pocket.see(shard, seen.clone());
                }
            }
        }
        Ok(())
    }

    /// Writes a record if it still has the revision `rev`; its new revision, or what stands there.
    pub(super) async fn put_limit(
        &self,
        record: Record,
        rev: u64,
    ) -> Result<Result<u64, Option<Box<Record>>>, Failure> {
        let expect = if rev == 0 { Expect::Absent } else { Expect::Rev(rev) };
        match self.ports.store().write(vec![Write::Put(record, expect)]).await {
            Ok(()) => Ok(Ok(rev + 1)),
            Err(WriteError::Conflict { current, .. }) => Ok(Err(current)),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }
}

fn see(record: Option<&Record>) -> Result<Seen, LedgerError> {
    let Some(record) = record else { return Ok(Seen::default()) };
    let bucket = docs_read(record).map_err(|_| LedgerError::Unreadable("limit"))?;
    Ok(Seen { rev: record.rev, bucket })
}
