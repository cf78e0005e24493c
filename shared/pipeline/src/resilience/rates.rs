//! Which limits a call falls under, and waiting for them.
//!
//! Deliveries, reads, polls and writes that go to a product's own interface share one set of limits; its token endpoint has
//! a set of its own.

use std::time::Duration;

use bridge_core::{
    Timestamp,
    id::ConnectionId,
    manifest::{Api, Auth, Limit, Manifest, Transport},
};

use crate::{
    bridge::Bridge,
    ports::{Clock, Ports},
    stage::Failure,
};

/// A call is not waited for in an invocation that then has less time than this.
const ENOUGH: Duration = Duration::from_secs(12);

/// What of a connection is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Desk {
    /// What it takes deliveries by, or its interface.
    Main,
    /// Where it gives out tokens.
    Tokens,
}

impl Desk {
    pub(super) const fn in_key(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Tokens => "#tokens",
        }
    }
}

/// The limits of one desk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates<'a> {
    pub(crate) desk: Desk,
    pub(crate) limits: &'a [Limit],
    /// How many calls at the same time.
    pub(crate) seats: Option<u32>,
}

impl<'a> Rates<'a> {
    /// Of what a connection takes deliveries by.
    pub(crate) fn of_deliveries(manifest: &'a Manifest) -> Self {
        match (&manifest.deliver, &manifest.api) {
            (Some(deliver), Some(api)) if deliver.transport == Transport::Api => Self::of_api(api),
            (Some(deliver), _) => {
                Self { desk: Desk::Main, limits: &deliver.limits, seats: deliver.concurrency }
            }
            (None, _) => Self { desk: Desk::Main, limits: &[], seats: None },
        }
    }

    /// Of a product's own interface.
    pub(crate) fn of_api(api: &'a Api) -> Self {
        Self { desk: Desk::Main, limits: &api.limits, seats: api.concurrency }
    }

    /// Of where tokens are given out.
    pub(crate) fn of_tokens(api: &'a Api) -> Self {
        let limits = match &api.auth {
            Auth::Oauth2(oauth) => oauth.limits.as_slice(),
            _ => &[],
        };
        Self { desk: Desk::Tokens, limits, seats: None }
    }
}

/// Who wants to call, and how long they would wait for it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn<'a> {
    /// Unique among those that call: a delivery's id, or a call's.
    pub(crate) holder: &'a str,
    /// They have not waited before.
    pub(crate) first: bool,
    /// So many calls are made, one after the other.
    pub(crate) calls: u32,
    /// The end of the invocation.
    pub(crate) deadline: Timestamp,
    /// Longer waits are not worth sitting out.
    pub(crate) patience: Duration,
}

impl<P: Ports> Bridge<P> {
    /// Until when the caller has a seat, where there are any; or when to ask again, where the limits don't allow a call.
    pub(crate) async fn within_rates(
        &self,
        connection: &ConnectionId,
        rates: &Rates<'_>,
        turn: &Turn<'_>,
    ) -> Result<Result<Option<Timestamp>, Timestamp>, Failure> {
        let time_left = turn.deadline.since(self.now());
        let seat = match rates.seats {
            Some(seats) => match self.take_seat(connection, seats, turn.holder, time_left).await? {
                Ok(seat) => Some(seat),
                Err(until) => return Ok(Err(until)),
            },
            None => None,
        };
        if rates.limits.is_empty() {
            return Ok(Ok(seat));
        }
        let (mut first, mut missing) = (turn.first, turn.calls);
        while missing > 0 {
            let Err(until) = self.take_call(connection, rates, first).await? else {
                missing -= 1;
                continue;
            };
            let wait = until.since(self.now());
            // A queue counts in seconds: the last moments are waited for here, so that the call comes when it is due.
            if wait <= turn.patience && turn.deadline.since(until) > ENOUGH {
                self.ports.clock().sleep(wait).await;
                first = false;
                continue;
            }
            if let Some(seat) = seat {
                self.leave_seat(connection, turn.holder, seat).await;
            }
            return Ok(Err(self.now() + Duration::from_secs(wait.as_secs())));
        }
        Ok(Ok(seat))
    }
}
