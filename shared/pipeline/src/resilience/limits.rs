//! The rate limits of a connection, kept by all processes together: each leases a few calls at a time from shared
//! records, and makes them without asking again. A limit of many calls a second has several records, so none is hot.
//! A connection without limits costs nothing here.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bridge_core::{Timestamp, id::ConnectionId, manifest::Limit};

use super::{
    bucket::{Bucket, Share, shards},
    rates::{Desk, Rates},
    seats::Seats,
};
use crate::{
    bridge::Bridge,
    ledger::{LedgerError, SKEW, docs_read, docs_write},
    ports::{Clock, Expect, Key, Ports, Record, Store, Table, Write, WriteError},
    stage::Failure,
};

/// Who loses this often against others comes back a moment later.
const RACES: usize = 8;
/// That moment.
const A_MOMENT: Duration = Duration::from_secs(1);
/// A record that nobody used for its period and this long is forgotten.
const KEPT: Duration = Duration::from_hours(24);

/// One shard as this process last saw it.
#[derive(Debug, Clone, Default)]
struct Seen {
    rev: u64,
    bucket: Bucket,
}

/// What this process holds of one limit.
#[derive(Debug, Default)]
struct Pocket {
    calls: u32,
    until: Timestamp,
    shards: BTreeMap<u32, Seen>,
}

impl Pocket {
    fn has(&self, now: Timestamp) -> bool {
        self.calls > 0 && now < self.until
    }
}

/// Which limit: of whom, of what of theirs, and which in the manifest's order.
type Place = (ConnectionId, Desk, usize);

/// One process's pockets.
#[derive(Debug, Default)]
pub(crate) struct Limits(Mutex<HashMap<Place, Pocket>>);

impl Limits {
    fn with<T>(&self, of: &Place, change: impl FnOnce(&mut Pocket) -> T) -> T {
        let mut pockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(pockets.entry(of.clone()).or_default())
    }

    /// Takes one call of each limit, if there is one of each.
    fn spend(&self, connection: &ConnectionId, rates: &Rates<'_>, now: Timestamp) -> bool {
        let mut pockets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = |number: usize| (connection.clone(), rates.desk, number);
        let limits = rates.limits.len();
        let has_all =
            (0..limits).all(|number| pockets.get(&place(number)).is_some_and(|pocket| pocket.has(now)));
        for number in (0..limits).filter(|_| has_all) {
            pockets.entry(place(number)).and_modify(|pocket| pocket.calls -= 1);
        }
        has_all
    }
}

/// Where a shard of a limit stands.
fn limit_key((connection, desk, number): &Place, shard: u32) -> Key {
    let pk = format!("{}#limit#{connection}{}#{number}#{shard}", connection.tenant(), desk.in_key());
    Key::new(Table::Ledger, pk, "limit")
}

/// Where the seats of a connection stand.
fn seats_key(connection: &ConnectionId) -> Key {
    Key::new(Table::Ledger, format!("{}#limit#{connection}", connection.tenant()), "seats")
}

impl<P: Ports> Bridge<P> {
    /// Leave for one call by all limits, or when to ask again. `first` says that this caller has not waited before.
    pub(super) async fn take_call(
        &self,
        connection: &ConnectionId,
        rates: &Rates<'_>,
        first: bool,
    ) -> Result<Result<(), Timestamp>, Failure> {
        let limits = rates.limits;
        // The longest period first: what its refusal leaves in the other pockets is worth the least.
        let mut order: Vec<(usize, &Limit)> = limits.iter().enumerate().collect();
        order.sort_by_key(|(_, limit)| std::cmp::Reverse(limit.seconds));
        for _ in 0..RACES {
            if self.limits.spend(connection, rates, self.now()) {
                return Ok(Ok(()));
            }
            for (number, limit) in &order {
                let of = (connection.clone(), rates.desk, *number);
                let now = self.now();
                if !self.limits.with(&of, |pocket| pocket.has(now))
                    && let Err(until) = self.lease(&of, limit, first).await?
                {
                    return Ok(Err(until));
                }
            }
        }
        Ok(Err(self.now() + A_MOMENT))
    }

    /// Fills a pocket from one of the limit's shards, or comes back with a turn.
    async fn lease(&self, of: &Place, limit: &Limit, first: bool) -> Result<Result<(), Timestamp>, Failure> {
        let shards = shards(limit);
        let begin = (self.ports.clock().chance() * f64::from(shards)) as u32;
        for step in 0..shards {
            let shard = (begin + step) % shards;
            let is_last = step + 1 == shards;
            match self.lease_of(of, limit, shard, first, is_last).await? {
                Ok(()) => return Ok(Ok(())),
                Err(until) if is_last => return Ok(Err(until)),
                Err(_) => {}
            }
        }
        Ok(Err(self.now() + A_MOMENT))
    }

    /// The same of one shard. A refusal is only written down, as a turn, where it is the last word.
    async fn lease_of(
        &self,
        of: &Place,
        limit: &Limit,
        shard: u32,
        first: bool,
        is_last: bool,
    ) -> Result<Result<(), Timestamp>, Failure> {
        let share = Share::of(limit, shard);
        let key = limit_key(of, shard);
        let known = self.limits.with(of, |pocket| pocket.shards.get(&shard).cloned());
        let mut seen = match known {
            Some(seen) => seen,
            None => see(self.ports.store().get(&key).await?.as_ref())?,
        };
        for _ in 0..RACES {
            let now = self.now();
            let mut bucket = seen.bucket.clone();
            let taken = bucket.take(&share, now, first);
            if let (Err(until), false) = (&taken, is_last) {
                return Ok(Err(*until));
            }
            let mut record = Record::new(key.clone(), docs_write(&bucket));
            record.expires = Some(now + Duration::from_secs(u64::from(limit.seconds)) + KEPT);
            let written = self.put_limit(record, seen.rev).await?;
            let is_ours = written.is_ok();
            seen = match written {
                Ok(rev) => Seen { rev, bucket },
                Err(current) => see(current.as_deref())?,
            };
            self.limits.with(of, |pocket| {
                pocket.shards.insert(shard, seen.clone());
                if let (true, Ok(lease)) = (is_ours, &taken) {
                    let kept = if pocket.has(now) && pocket.until == lease.until { pocket.calls } else { 0 };
                    (pocket.calls, pocket.until) = (kept + lease.calls, lease.until);
                }
            });
            if is_ours {
                return Ok(taken.map(|_| ()));
            }
        }
        Ok(Err(self.now() + A_MOMENT))
    }

    /// A seat among those that call at the same time, for a call that is over within `time_left`: until when it is held,
    /// or when to ask again.
    pub(super) async fn take_seat(
        &self,
        connection: &ConnectionId,
        seats: u32,
        holder: &str,
        time_left: Duration,
    ) -> Result<Result<Timestamp, Timestamp>, Failure> {
        let now = self.now();
        let lease = now + time_left + SKEW;
        let take = |held: &mut Seats| held.take(seats, holder, now, lease).map(|()| lease);
        let taken = self.change_seats(connection, take).await?;
        Ok(taken.unwrap_or(Err(now + A_MOMENT)))
    }

    /// Gives the seat back. One that is not given back is free when its time is over.
    pub(crate) async fn leave_seat(&self, connection: &ConnectionId, holder: &str, lease: Timestamp) {
        let leave = |held: &mut Seats| {
            held.leave(holder, lease);
            Ok(())
        };
        let left = self.change_seats(connection, leave).await;
        if let Err(error) = left {
            tracing::warn!(%connection, %error, "a seat could not be given back, and will expire");
        }
    }

    /// `None` when others were faster, again and again.
    async fn change_seats<T>(
        &self,
        connection: &ConnectionId,
        change: impl Fn(&mut Seats) -> Result<T, Timestamp>,
    ) -> Result<Option<Result<T, Timestamp>>, Failure> {
        let key = seats_key(connection);
        let mut current = self.ports.store().get(&key).await?;
        for _ in 0..RACES {
            let mut held: Seats = match &current {
                None => Seats::default(),
                Some(record) => docs_read(record).map_err(|_| LedgerError::Unreadable("seats"))?,
            };
            let changed = change(&mut held);
            let mut record = Record::new(key.clone(), docs_write(&held));
            record.expires = Some(self.now() + KEPT);
            match self.put_limit(record, current.map_or(0, |record| record.rev)).await? {
                Ok(_) => return Ok(Some(changed)),
                Err(found) => current = found.map(|record| *record),
            }
        }
        Ok(None)
    }

    /// Writes a record if it still has the revision `rev`; its new revision, or what stands there.
    async fn put_limit(&self, record: Record, rev: u64) -> Result<Result<u64, Option<Box<Record>>>, Failure> {
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
