//! Seats of a connection, shared by all processes: who calls takes one, and gives it back.

use std::time::Duration;

use bridge_core::{Timestamp, id::ConnectionId};

use super::{
    limits::{A_MOMENT, KEPT, RACES},
    rates::Desk,
    seats::Seats,
};
use crate::{
    bridge::Bridge,
    ledger::{LedgerError, SKEW, docs_read, docs_write},
    ports::{Key, Ports, Record, Store, Table},
    stage::Failure,
};

/// Where the seats of a connection's desk stand.
fn seats_key(connection: &ConnectionId, desk: Desk) -> Key {
    let pk = format!("{}#limit#{connection}{}", connection.tenant(), desk.in_key());
    Key::new(Table::Ledger, pk, "seats")
}

/// A seat that somebody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seat {
    desk: Desk,
    /// It is free again then, if it is not given back before.
    until: Timestamp,
}

impl<P: Ports> Bridge<P> {
    /// A seat among those that call at the same time, for a call that is over within `time_left`; or when to ask again.
    pub(super) async fn take_seat(
        &self,
        connection: &ConnectionId,
        (desk, seats): (Desk, u32),
        holder: &str,
        time_left: Duration,
    ) -> Result<Result<Seat, Timestamp>, Failure> {
        let now = self.now();
        let until = now + time_left + SKEW;
        let take = |held: &mut Seats| held.take(seats, holder, now, until).map(|()| Seat { desk, until });
        let taken = self.change_seats(connection, desk, take).await?;
        Ok(taken.unwrap_or(Err(now + A_MOMENT)))
    }

    /// Gives the seat back. One that is not given back is free when its time is over.
    pub(crate) async fn leave_seat(&self, connection: &ConnectionId, holder: &str, seat: Seat) {
        let leave = |held: &mut Seats| {
            held.leave(holder, seat.until);
            Ok(())
        };
        let left = self.change_seats(connection, seat.desk, leave).await;
        if let Err(error) = left {
            tracing::warn!(%connection, %error, "a seat could not be given back, and will expire");
        }
    }

    /// `None` when others were faster, again and again.
    async fn change_seats<T>(
        &self,
        connection: &ConnectionId,
        desk: Desk,
        change: impl Fn(&mut Seats) -> Result<T, Timestamp>,
    ) -> Result<Option<Result<T, Timestamp>>, Failure> {
        let key = seats_key(connection, desk);
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
}
