//! Which limits a call falls under, and waiting for them.
//!
//! Deliveries, reads, polls and writes that go to a product's own interface share one set of limits; its token endpoint has
//! a set of its own, and so has another way of taking deliveries.

use std::time::Duration;

use bridge_core::{
    Timestamp,
    id::ConnectionId,
    manifest::{Api, Auth, Limit, Manifest, Transport},
};

use super::{bucket::Wish, limits::Leave, seating::Seat};
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
    /// Its interface, or what it takes deliveries by where it has none.
    Main,
    /// What it takes deliveries by beside its interface.
    Deliveries,
    /// Where it gives out tokens.
    Tokens,
}

impl Desk {
    pub(super) const fn in_key(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Deliveries => "#deliveries",
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
            (Some(deliver), api) => {
                let desk = if api.is_some() { Desk::Deliveries } else { Desk::Main };
                Self { desk, limits: &deliver.limits, seats: deliver.concurrency }
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
    /// The caller's seat, where there are any, once the limits allow its calls; or when to ask again.
    pub(crate) async fn within_rates(
        &self,
        connection: &ConnectionId,
        rates: &Rates<'_>,
        turn: &Turn<'_>,
    ) -> Result<Result<Option<Seat>, Timestamp>, Failure> {
        let time_left = turn.deadline.since(self.now());
        let seat = match rates.seats {
            Some(seats) => {
                match self.take_seat(connection, (rates.desk, seats), turn.holder, time_left).await? {
                    Ok(seat) => Some(seat),
                    Err(until) => return Ok(Err(until)),
                }
            }
            None => None,
        };
        let allowed = self.within_limits(connection, rates, turn).await;
        if let (Ok(Err(_)) | Err(_), Some(seat)) = (&allowed, seat) {
            self.leave_seat(connection, turn.holder, seat).await;
        }
        Ok(allowed?.map(|()| seat))
    }

    /// Waits for the moment of the calls, as long as that is worth it.
    async fn within_limits(
        &self,
        connection: &ConnectionId,
        rates: &Rates<'_>,
        turn: &Turn<'_>,
    ) -> Result<Result<(), Timestamp>, Failure> {
        if rates.limits.is_empty() {
            return Ok(Ok(()));
        }
        let (calls, mut first) = (turn.calls, turn.first);
        loop {
            let wish = Wish { calls, first, not_before: self.now() };
            let taken = self.take_calls(connection, rates, wish).await?;
            let from = taken.as_ref().map_or_else(|until| *until, |leave| leave.from);
            let wait = from.since(self.now());
            // A queue counts in seconds: the last moments are waited for here, so that the call comes when it is due.
            if wait > turn.patience || (wait > Duration::ZERO && turn.deadline.since(from) <= ENOUGH) {
                taken.into_iter().for_each(Leave::give_back);
                return Ok(Err(self.now() + Duration::from_secs(wait.as_secs())));
            }
            self.ports.clock().sleep(wait).await;
            match taken {
                Ok(leave) if self.now() < leave.until => return Ok(Ok(())),
                // Overslept: it has to be asked for again.
                taken => taken.into_iter().for_each(Leave::give_back),
            }
            first = false;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn desks(deliver: &str) -> (Desk, Desk) {
        let yaml = format!(
            "{{adapter: a, version: 1, title: A, settings: {{url: {{about: where}}}}, secrets: {{key: A key}}, \
             api: {{base: '{{url}}', auth: {{kind: basic, user: '{{key}}'}}, limits: [{{calls: 1, seconds: 1}}], \
             operations: {{list: {{path: /list}}}}}}, deliver: {deliver}}}"
        );
        let manifest: Manifest = serde_norway::from_str(&yaml).unwrap();
        (Rates::of_deliveries(&manifest).desk, Rates::of_api(manifest.api.as_ref().unwrap()).desk)
    }

    #[test]
    fn what_goes_by_the_interface_shares_its_limits_and_what_goes_another_way_does_not() {
        let (deliveries, interface) = desks("{transport: {kind: api}}");
        assert_eq!(deliveries, interface);
        let (deliveries, interface) = desks(
            "{transport: {kind: standard-webhook, url: '{url}', secret: key}, limits: [{calls: 9, seconds: 1}]}",
        );
        assert_ne!(deliveries.in_key(), interface.in_key(), "two limits in one record");
    }
}
