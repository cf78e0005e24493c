//! What a call holds while it is made: leave by the breaker, a seat, and its place within the limits.

use std::time::Duration;

use bridge_core::{Timestamp, manifest::Limit};

use super::{Delivery, ENOUGH};
use crate::{
    ports::{Clock as _, DeliverPorts},
    resilience::endpoint::Pass,
    stage::Failure,
};

/// Such a wait for a destination's limits is not worth a way over the queue.
const MOMENTS: Duration = Duration::from_secs(2);

/// What a call holds while it is made.
pub(super) struct Held {
    pub(super) pass: Pass,
    /// Until when it has a seat, where the destination has them.
    pub(super) seat: Option<Timestamp>,
}

impl<P: DeliverPorts> Delivery<'_, P> {
    /// How often, and how many at the same time.
    fn limits(&self) -> (&[Limit], Option<u32>) {
        let manifest = &self.to.manifest;
        if self.is_written() {
            return manifest.api.as_ref().map_or((&[], None), |api| (&api.limits, api.concurrency));
        }
        manifest.deliver.as_ref().map_or((&[], None), |deliver| (&deliver.limits, deliver.concurrency))
    }

    /// The seat that the call holds, where there are any; or when to ask again, where the destination's limits don't
    /// allow it.
    pub(super) async fn within_limits(
        &self,
        deadline: Timestamp,
    ) -> Result<Result<Option<Timestamp>, Timestamp>, Failure> {
        let (bridge, task) = (self.work.bridge, self.work.task);
        let (limits, seats) = self.limits();
        let seat = match seats {
            Some(seats) => {
                let time_left = deadline.since(bridge.now());
                match bridge.take_seat(&task.destination, seats, &task.delivery, time_left).await? {
                    Ok(seat) => Some(seat),
                    Err(until) => return Ok(Err(until)),
                }
            }
            None => None,
        };
        if limits.is_empty() {
            return Ok(Ok(seat));
        }
        let mut first = self.work.record.receives == 1;
        loop {
            let Err(until) = bridge.take_call(&task.destination, limits, first).await? else {
                return Ok(Ok(seat));
            };
            let wait = until.since(bridge.now());
            // A queue counts in seconds: the last moments are waited for here, so that the call comes when it is due.
            if wait <= MOMENTS && deadline.since(until) > ENOUGH {
                bridge.ports.clock().sleep(wait).await;
                first = false;
                continue;
            }
            if let Some(seat) = seat {
                bridge.leave_seat(&task.destination, &task.delivery, seat).await;
            }
            return Ok(Err(bridge.now() + Duration::from_secs(wait.as_secs())));
        }
    }

    pub(super) async fn leave_all(&self, held: &Held, good: Option<bool>) {
        let (bridge, task) = (self.work.bridge, self.work.task);
        bridge.leave(&task.destination, &held.pass, good).await;
        if let Some(seat) = held.seat {
            bridge.leave_seat(&task.destination, &task.delivery, seat).await;
        }
    }
}
