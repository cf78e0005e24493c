//! Leave to call one endpoint: past its breaker, within its connection's limits, and back.

use std::time::Duration;

use bridge_core::{Timestamp, config::Serves, destination::Destination as _};

use super::{Delivery, MOMENTS, Work, path::Held};
use crate::{
    ports::DeliverPorts,
    resilience::{
        endpoint::Pass,
        rates::{Rates, Turn},
        seating::Seat,
        ways::{Pick, Want, Way},
    },
    stage::Failure,
};

/// An endpoint that failed is asked whether it is there before anything is sent to it, and has so long to answer.
const KNOCK: Duration = Duration::from_secs(5);

/// Leave to call one endpoint.
pub(super) struct Entered {
    pass: Pass,
    /// Where the destination has seats.
    seat: Option<Seat>,
}

/// Why one endpoint is not called now.
pub(super) enum Busy {
    /// It fails, or another one probes it.
    Endpoint(Timestamp),
    /// The connection is called as often as it allows.
    Limits(Timestamp),
}

impl<P: DeliverPorts> Delivery<'_, P> {
    /// Enters the best of `ways` that can be entered. Where there is a choice, one that failed is not entered before it
    /// answers to a knock: a probe that leaves a doubt would bind its delivery to it.
    pub(super) async fn enter_one(
        &self,
        ways: &[Way],
        want: Want<'_>,
        deadline: Timestamp,
    ) -> Result<Result<(Way, Option<Entered>), Busy>, Failure> {
        let bridge = self.work.bridge;
        let mut left = ways.to_vec();
        while !left.is_empty() {
            let survey = bridge.survey(&left).await?;
            let Pick { way, probe } = match bridge.pick(&left, &survey, want) {
                Ok(pick) => pick,
                Err(until) => return Ok(Err(Busy::Endpoint(until))),
            };
            let to_knock_at = match probe {
                None if self.has_choice() && !survey.has_healthy() => Some(way.clone()),
                better => better,
            };
            if let Some(due) = to_knock_at {
                if let Some(entered) = self.probe(&due, deadline).await? {
                    return Ok(Ok((due, entered)));
                }
                if due.id == way.id {
                    left.retain(|other| other.id != way.id);
                    continue;
                }
            }
            match self.enter_way(&way, deadline).await? {
                Ok(entered) => return Ok(Ok((way, entered))),
                Err(busy @ Busy::Limits(_)) => return Ok(Err(busy)),
                Err(Busy::Endpoint(_)) => left.retain(|other| other.id != way.id),
            }
        }
        let until = bridge.survey(ways).await?.waits();
        Ok(Err(Busy::Endpoint(until.unwrap_or_else(|| bridge.now()))))
    }

    /// Whether there is, or will be, another way than the one that failed.
    pub(super) fn has_choice(&self) -> bool {
        self.to.connection.endpoints.len() > 1 || !matches!(self.other, Err(None))
    }

    /// Leave to be the probe of an endpoint, if it answers to a knock and nobody else is it.
    async fn probe(&self, way: &Way, deadline: Timestamp) -> Result<Option<Option<Entered>>, Failure> {
        let bridge = self.work.bridge;
        let time_left = deadline.since(bridge.now());
        let Ok(pass) = bridge.enter(&way.id, time_left).await? else { return Ok(None) };
        if let Pass::Probe(_) = pass {
            let (connection, manifest) = (&way.to.connection, &way.to.manifest);
            let time = KNOCK.min(time_left);
            let answers = bridge.ports.destination().knock(connection, manifest, way.id.serves, time).await;
            if !answers {
                bridge.leave(&way.id, &pass, Some(false)).await;
                return Ok(None);
            }
        }
        if way.id.serves == Serves::Interface {
            // Each of a write's calls enters for itself.
            bridge.leave(&way.id, &pass, Some(true)).await;
            return Ok(Some(None));
        }
        Ok(self.within_limits(way, pass, deadline).await?.ok().map(Some))
    }

    async fn enter_way(
        &self,
        way: &Way,
        deadline: Timestamp,
    ) -> Result<Result<Option<Entered>, Busy>, Failure> {
        let bridge = self.work.bridge;
        if way.id.serves == Serves::Interface {
            return Ok(Ok(None));
        }
        match bridge.enter(&way.id, deadline.since(bridge.now())).await? {
            Ok(pass) => Ok(self.within_limits(way, pass, deadline).await?.map(Some).map_err(Busy::Limits)),
            Err(until) => Ok(Err(Busy::Endpoint(until))),
        }
    }

    async fn within_limits(
        &self,
        way: &Way,
        pass: Pass,
        deadline: Timestamp,
    ) -> Result<Result<Entered, Timestamp>, Failure> {
        let Work { bridge, task, record, .. } = self.work;
        let rates = Rates::of_deliveries(&way.to.manifest);
        let first = record.receives == 1;
        let turn = Turn { holder: task.delivery.as_str(), first, calls: 1, deadline, patience: MOMENTS };
        match bridge.within_rates(&way.id.connection, &rates, &turn).await? {
            Ok(seat) => Ok(Ok(Entered { pass, seat })),
            Err(until) => {
                bridge.leave(&way.id, &pass, None).await;
                Ok(Err(until))
            }
        }
    }

    /// After the call, or instead of it.
    pub(super) async fn leave_all(&self, held: &Held, good: Option<bool>) {
        let Work { bridge, task, .. } = self.work;
        let (Some(way), Some(entered)) = (&held.way, &held.entered) else { return };
        bridge.leave(&way.id, &entered.pass, good).await;
        if let Some(seat) = entered.seat {
            bridge.leave_seat(&way.id.connection, task.delivery.as_str(), seat).await;
        }
    }
}
