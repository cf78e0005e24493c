//! By which way a delivery goes: an endpoint of its destination, or, while none answers, the other way that is declared.
//!
//! What may have happened by one way is not sent by another, unless their receivers know each other's keys: the delivery
//! waits for that way, and its lane with it.

use std::{sync::Arc, time::Duration};

use bridge_core::{
    Cause, Timestamp,
    config::{Instead, Serves, Sticky},
    manifest::On,
};

use super::{
    Delivery, Work,
    enter::{Busy, Entered},
};
use crate::{
    configuration::Loaded,
    ledger::{DeliveryDoc, DeliveryState, Going},
    ports::DeliverPorts,
    resilience::ways::{Survey, Want, Way},
    stage::Failure,
};

/// What waits for another connection that is paused comes back after this long.
const PAUSED: Duration = Duration::from_mins(1);
/// The outbox in the record of an attempt.
const OUTBOX: &str = "outbox";

/// Who gets deliveries instead of their destination.
#[derive(Debug, Clone)]
pub(super) enum Other {
    /// A file in the outbox.
    Outbox,
    /// Another connection.
    To(Arc<Loaded>),
}

/// What earlier attempts leave open.
#[derive(Debug, Default)]
pub(super) struct Bound {
    /// It may have had an effect by this way.
    doubt: Option<String>,
    /// It failed by this one a moment ago.
    avoid: Option<String>,
    /// Some of it is with its destination.
    begun: bool,
    /// It was parked, and somebody sends it again.
    looked_at: bool,
    /// Since when it has been tried.
    since: Option<Timestamp>,
}

impl Bound {
    pub(super) fn of(doc: &DeliveryDoc, released: bool) -> Self {
        Self {
            doubt: doc.doubt().map(str::to_owned),
            avoid: doc.failed_by().map(str::to_owned),
            begun: !doc.written.is_empty(),
            looked_at: released && matches!(doc.state, DeliveryState::Parked { .. }),
            since: doc.since,
        }
    }
}

/// What an attempt holds while it is made.
pub(super) struct Held {
    /// The endpoint; `None` for the outbox.
    pub(super) way: Option<Way>,
    /// As it stands in the record of the attempt.
    pub(super) by: String,
    /// It is not its destination that gets it.
    pub(super) instead: bool,
    /// The ways whose receivers know each other's keys.
    book: Vec<String>,
    pub(super) entered: Option<Entered>,
}

impl Held {
    /// What the ledger is told of it.
    pub(super) fn going<'a>(&'a self, book: &'a [&'a str]) -> Going<'a> {
        Going { by: &self.by, book, whole: self.instead }
    }

    pub(super) fn book(&self) -> Vec<&str> {
        self.book.iter().map(String::as_str).collect()
    }
}

/// What became of the other way that an earlier attempt took.
enum Found<'n> {
    /// It is there; with the endpoint of it that the attempt took.
    There(Other, Option<&'n str>),
    /// It is paused.
    Rests,
    /// It is not there any more, or takes another form.
    Nowhere,
}

/// Why nothing is held.
pub(super) enum Stop {
    /// Not before this.
    Until(Timestamp),
    /// It may have had an effect in a place that is not there any more: somebody has to look.
    Gone(Cause),
}

impl<P: DeliverPorts> Work<'_, P> {
    /// Who gets the delivery instead of `to`, none of whose endpoints is healthy; else when that may be, if ever.
    pub(super) async fn other_way(
        &self,
        to: &Loaded,
        survey: &Survey,
    ) -> Result<Result<Other, Option<Timestamp>>, Failure> {
        // Who asked wants the product's own answer.
        let Some(since) = survey.down_since.filter(|_| !self.task.asked && !survey.is_quiet()) else {
            return Ok(Err(None));
        };
        let of_route = self.bridge.connection(&self.task.connection).await?.and_then(|source| {
            let mut routes = source.connection.routes.iter();
            routes.find(|route| route.to == self.task.destination)?.fallback.clone()
        });
        let of_destination = || to.connection.fallback.as_ref()?.deliveries.clone();
        let Some(alternative) = of_route.or_else(of_destination) else { return Ok(Err(None)) };
        let turn = since + Duration::from_mins(u64::from(alternative.after));
        if turn > self.bridge.now() {
            return Ok(Err(Some(turn)));
        }
        Ok(self.other(to, &alternative.to).await?.ok_or(None))
    }

    /// The other way, if it can take what is meant for `to`.
    async fn other(&self, to: &Loaded, instead: &Instead) -> Result<Option<Other>, Failure> {
        let Instead::Connection(id) = instead else { return Ok(Some(Other::Outbox)) };
        let speaks = |loaded: &Loaded| loaded.manifest.deliver.as_ref().map(|it| it.transport.speaks_hl7v2());
        let other = self.bridge.connection(id).await?.filter(|other| {
            let takes_it = speaks(other) == speaks(to) && !other.is_written() && !other.connection.paused;
            takes_it && id.tenant() == self.task.destination.tenant()
        });
        if other.is_none() {
            tracing::warn!(connection = %self.task.destination, instead = %id, "does not take what it should: it is not there, is paused, or takes another form");
        }
        Ok(other.map(Other::To))
    }
}

impl<P: DeliverPorts> Delivery<'_, P> {
    /// Leave for one attempt, or why there is none.
    pub(super) async fn hold(
        &self,
        bound: &Bound,
        deadline: Timestamp,
    ) -> Result<Result<Held, Stop>, Failure> {
        let mut ways = self.to.ways(self.serves);
        let mut book = Vec::new();
        if self.knows_repeats() {
            book.extend(ways.iter().map(|way| way.id.word().to_owned()));
        }
        match bound.doubt.as_deref() {
            None => {}
            Some(doubt) if ways.iter().any(|way| way.id.word() == doubt) => {
                ways.retain(|way| way.id.word() == doubt || book.iter().any(|name| name == doubt));
            }
            Some(doubt) => match self.instead_at(doubt).await? {
                Found::There(other, endpoint) => {
                    return self.hold_other(&other, endpoint, deadline).await;
                }
                Found::Rests => return Ok(Err(Stop::Until(self.work.bridge.now() + PAUSED))),
                Found::Nowhere if bound.looked_at => book.push(doubt.to_owned()),
                Found::Nowhere => return Ok(Err(Stop::Gone(gone(doubt)))),
            },
        }
        let want = Want { key: self.key(), avoid: bound.avoid.as_deref() };
        let entered = self.enter_one(&ways, want, deadline).await?;
        let may_go = bound.doubt.is_none() && !bound.begun;
        Ok(match (entered, &self.other) {
            (Ok((way, entered)), _) => {
                let by = way.id.word().to_owned();
                book.push(by.clone());
                Ok(Held { way: Some(way), by, instead: false, book, entered })
            }
            (Err(Busy::Endpoint(_)), Ok(other)) if may_go => {
                return self.hold_other(other, None, deadline).await;
            }
            (Err(Busy::Endpoint(until)), Err(Some(turn))) if may_go => Err(Stop::Until(until.min(*turn))),
            (Err(Busy::Endpoint(until)), _) => match bound.doubt.as_deref().filter(|_| self.is_old(bound)) {
                Some(doubt) => Err(Stop::Gone(unreachable(doubt))),
                None => Err(Stop::Until(until)),
            },
            (Err(Busy::Limits(until)), _) => Err(Stop::Until(until)),
        })
    }

    /// Whether it has waited for as long as a delivery may fail.
    fn is_old(&self, bound: &Bound) -> bool {
        let oldest = self.to.manifest.deliver.as_ref().map_or(0, |deliver| deliver.max_age);
        let since = bound.since.filter(|_| !bound.looked_at);
        since.is_some_and(|since| self.work.bridge.now().since(since) >= Duration::from_hours(oldest))
    }

    /// The other way that an earlier attempt took, by its name there.
    async fn instead_at<'n>(&self, name: &'n str) -> Result<Found<'n>, Failure> {
        let (id, endpoint) = match name.split_once('/') {
            Some((id, endpoint)) => (id, Some(endpoint)),
            None => (name, None),
        };
        let Ok(instead) = id.parse::<Instead>() else { return Ok(Found::Nowhere) };
        if let Instead::Connection(id) = &instead
            && self.work.bridge.connection(id).await?.is_some_and(|other| other.connection.paused)
        {
            return Ok(Found::Rests);
        }
        let other = self.work.other(&self.to, &instead).await?;
        Ok(other.map_or(Found::Nowhere, |other| Found::There(other, endpoint)))
    }

    async fn hold_other(
        &self,
        other: &Other,
        endpoint: Option<&str>,
        deadline: Timestamp,
    ) -> Result<Result<Held, Stop>, Failure> {
        let held =
            |way, by: String, entered| Held { way, book: vec![by.clone()], by, instead: true, entered };
        let Other::To(loaded) = other else { return Ok(Ok(held(None, OUTBOX.to_owned(), None))) };
        let mut ways = loaded.ways(Serves::Deliveries);
        if let Some(endpoint) = endpoint {
            ways.retain(|way| way.id.word() == endpoint);
        }
        Ok(match self.enter_one(&ways, Want::default(), deadline).await? {
            Ok((way, entered)) => {
                let id = &way.id;
                let by = match id.word() {
                    "" => id.connection.to_string(),
                    endpoint => format!("{}/{endpoint}", id.connection),
                };
                Ok(held(Some(way), by, entered))
            }
            Err(Busy::Endpoint(until) | Busy::Limits(until)) => Err(Stop::Until(until)),
        })
    }

    /// What stays with one endpoint.
    fn key(&self) -> Option<&str> {
        match self.to.failover(self.serves).sticky.unwrap_or_default() {
            Sticky::None => None,
            Sticky::Lane => Some(self.work.task.lane.as_str()),
            Sticky::Token => Some(self.work.task.destination.as_str()),
        }
    }

    /// Whether a repeat at one endpoint is known at the others: it is declared, or what is written is looked for first.
    fn knows_repeats(&self) -> bool {
        let looks_first = || {
            let api = self.to.manifest.api.as_ref().filter(|_| self.serves == Serves::Interface);
            api.is_some_and(|api| {
                let mut writes = api.resources.values().flat_map(|resource| &resource.write);
                writes.all(|write| write.on == On::Update || write.find.is_some())
            })
        };
        self.to.failover(self.serves).one_book.unwrap_or_else(looks_first)
    }
}

fn unreachable(name: &str) -> Cause {
    let text = format!(
        "it may have arrived at `{name}`, which can't be reached since: look there; released, it goes on waiting for it"
    );
    Cause::new("delivery.unanswered", text)
}

fn gone(name: &str) -> Cause {
    let text = format!(
        "it may have arrived at `{name}`, which is no endpoint of the connection any more, nor its other way: look there, \
         then release the lane"
    );
    Cause::new("delivery.endpoint-gone", text)
}
