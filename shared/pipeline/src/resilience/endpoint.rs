//! What all processes know of an endpoint, and one process's view of it.
//!
//! The shared document is read through a cache of seconds and, while all is well, written by nobody: a process
//! counts for itself. A failure is told at once; while there are failures everybody tells successes as well, with
//! the next look. So no record is hot, and what trips the breaker is the rate over all processes.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bridge_core::{Timestamp, destination::Outcome};
use serde::{Deserialize, Serialize};

use super::{
    breaker::{Answer, Breaker, Counts, HALF_WINDOW, State},
    ways::EndpointId,
};
use crate::{
    backoff::full_jitter,
    bridge::Bridge,
    ledger::{LedgerError, SKEW, docs_read, docs_write},
    ports::{Clock, Expect, Key, Ports, Record, Store, Table, Write, WriteError},
    stage::Failure,
};

/// A change of the shared state is seen everywhere after this long.
const CACHED: Duration = Duration::from_secs(5);
/// Failures are told no more often than this by one process; what comes between is told with the next.
const PAUSE: Duration = Duration::from_secs(1);
/// How long who waits for somebody else's probe waits before looking again.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// Who loses this often against others tells with its next call.
const RACES: usize = 4;
/// Nobody keeps everybody waiting longer than this by one answer.
const LONGEST_QUIET: Duration = Duration::from_hours(24);
/// Who says "too often" means longer than no time at all.
const SHORTEST_QUIET: Duration = Duration::from_secs(1);
/// Who does not say how long is asked again as after so many failures.
const UNSAID: u32 = 5;
/// The transports' cause for a call that could not be made.
const CONFIGURATION: &str = "destination.configuration";

/// The shared state of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EndpointDoc {
    /// Whether it is called at all.
    #[serde(default)]
    pub breaker: Breaker,
    /// It asked not to be called before this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_until: Option<Timestamp>,
}

/// Where the shared state of an endpoint stands.
pub fn endpoint_key(endpoint: &EndpointId) -> Key {
    let tenant = endpoint.connection.tenant();
    Key::new(Table::Ledger, format!("{tenant}#endpoint#{}", endpoint.in_key()), "endpoint")
}

/// The shared state as it was read, and what this process has not told yet.
#[derive(Debug, Clone, Default)]
struct View {
    rev: u64,
    doc: EndpointDoc,
    read_at: Timestamp,
    untold: Counts,
    untold_since: Timestamp,
    told_at: Timestamp,
}

/// One process's views.
#[derive(Debug, Default)]
pub(crate) struct Endpoints(Mutex<HashMap<EndpointId, View>>);

impl Endpoints {
    fn with<T>(&self, endpoint: &EndpointId, change: impl FnOnce(&mut View) -> T) -> T {
        let mut views = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(views.entry(endpoint.clone()).or_default())
    }
}

/// How an endpoint stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Standing {
    /// It is called.
    Healthy,
    /// It failed, and its next probe is due.
    Due { since: Timestamp },
    /// It failed, and is left alone.
    Waits { until: Timestamp, since: Timestamp },
    /// It asked to be left alone.
    Quiet(Timestamp),
}

/// Leave to make one call.
#[derive(Debug)]
pub(crate) enum Pass {
    /// One of many.
    Ordinary,
    /// The probe, elected under this revision of the shared state.
    Probe(u64),
}

/// What a call says about the endpoint; nothing where the bridge itself was in the way.
pub(crate) fn health(outcome: &Outcome) -> Option<bool> {
    match outcome {
        Outcome::Delivered => Some(true),
        Outcome::Rejected(cause) => (cause.code != CONFIGURATION).then_some(true),
        Outcome::Retry { .. } | Outcome::Unknown(_) => Some(false),
        // It works, and says when to come back: that is not the breaker's business.
        Outcome::Throttled { .. } => None,
    }
}

impl<P: Ports> Bridge<P> {
    /// How an endpoint stands, as far as this process knows.
    pub(super) async fn standing(&self, endpoint: &EndpointId) -> Result<Standing, Failure> {
        let view = self.view(endpoint).await?;
        let since = match view.doc.breaker.state {
            State::Closed { .. } => None,
            State::Open { since, .. } | State::Probing { since, .. } => Some(since),
        };
        if let Some(until) = view.doc.quiet_until.filter(|until| *until > self.now()) {
            return Ok(Standing::Quiet(self.look_again(&view, until)));
        }
        Ok(match (view.doc.breaker.ask(self.now()), since) {
            (Answer::Wait(until), _) => {
                Standing::Waits { until: self.look_again(&view, until), since: since.unwrap_or(until) }
            }
            (Answer::Probe, since) => Standing::Due { since: since.unwrap_or(view.read_at) },
            (Answer::Go, _) => Standing::Healthy,
        })
    }

    /// Leave to call the destination, for a call that is over within `time_left`; or until when to wait.
    pub(crate) async fn enter(
        &self,
        endpoint: &EndpointId,
        time_left: Duration,
    ) -> Result<Result<Pass, Timestamp>, Failure> {
        let lease = self.now() + time_left + SKEW;
        let mut view = self.view(endpoint).await?;
        for _ in 0..RACES {
            match view.doc.breaker.ask(self.now()) {
                Answer::Go => return Ok(Ok(Pass::Ordinary)),
                Answer::Wait(until) => return Ok(Err(self.look_again(&view, until))),
                Answer::Probe => {
                    let elected = self.change(endpoint, &view, |doc, _| doc.breaker.elect(lease)).await?;
                    match elected {
                        Ok(rev) => return Ok(Ok(Pass::Probe(rev))),
                        Err(newer) => view = newer,
                    }
                }
            }
        }
        Ok(Err(self.look_again(&view, lease)))
    }

    /// What came of a call, or `None` when it was not made. Never a reason for the delivery to fail: what can't be
    /// told is told with a later call.
    pub(crate) async fn leave(&self, endpoint: &EndpointId, pass: &Pass, good: Option<bool>) {
        if good == Some(true) {
            self.retries.earn(endpoint);
        }
        let told = match pass {
            Pass::Ordinary => match good {
                None => return,
                Some(good) => self.tell_call(endpoint, good).await,
            },
            Pass::Probe(rev) => self.tell_probe(endpoint, *rev, good).await,
        };
        if let Err(error) = told {
            tracing::warn!(connection = %endpoint.connection, endpoint = endpoint.word(), %error, "how a call went could not be told");
        }
    }

    /// The endpoint says that it was called too often, and perhaps for how long it is to be left alone: from now on
    /// everybody knows. How long that is.
    pub(crate) async fn throttled(
        &self,
        endpoint: &EndpointId,
        after: Option<Duration>,
    ) -> Result<Duration, Failure> {
        let after = after.unwrap_or_else(|| full_jitter(UNSAID, self.ports.clock().chance()));
        self.quiet(endpoint, self.now() + after.min(LONGEST_QUIET)).await?;
        Ok(after.max(SHORTEST_QUIET))
    }

    async fn quiet(&self, endpoint: &EndpointId, until: Timestamp) -> Result<(), Failure> {
        let mut view = self.endpoints.with(endpoint, |view| view.clone());
        for _ in 0..RACES {
            let later = |doc: &mut EndpointDoc, _| doc.quiet_until = doc.quiet_until.max(Some(until));
            match self.change(endpoint, &view, later).await? {
                Ok(_) => break,
                Err(newer) => view = newer,
            }
        }
        Ok(())
    }

    async fn tell_probe(&self, endpoint: &EndpointId, rev: u64, good: Option<bool>) -> Result<(), Failure> {
        let view = self.endpoints.with(endpoint, |view| view.clone());
        // Another revision: the lease ran out, and the probe is another's.
        if view.rev == rev {
            let _ = self.change(endpoint, &view, |doc, now| doc.breaker.probed(now, good)).await?;
        }
        Ok(())
    }

    async fn tell_call(&self, endpoint: &EndpointId, good: bool) -> Result<(), Failure> {
        let now = self.now();
        let due = self.endpoints.with(endpoint, |view| {
            if now.since(view.untold_since) > HALF_WINDOW {
                (view.untold, view.untold_since) = (Counts::default(), now);
            }
            view.untold.good += u32::from(good);
            view.untold.bad += u32::from(!good);
            let pause = if view.untold.bad > 0 { PAUSE } else { CACHED };
            let of_interest = view.untold.bad > 0 || view.doc.breaker.is_suspicious(now);
            (of_interest && now.since(view.told_at) >= pause).then(|| {
                view.told_at = now;
                (view.clone(), std::mem::take(&mut view.untold))
            })
        });
        let Some((mut view, counts)) = due else { return Ok(()) };
        for _ in 0..RACES {
            match self.change(endpoint, &view, |doc, now| doc.breaker.count(now, counts)).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(newer)) => view = newer,
                Err(error) => {
                    self.untell(endpoint, counts);
                    return Err(error);
                }
            }
        }
        self.untell(endpoint, counts);
        Ok(())
    }

    fn untell(&self, endpoint: &EndpointId, counts: Counts) {
        self.endpoints.with(endpoint, |view| {
            view.untold.good += counts.good;
            view.untold.bad += counts.bad;
        });
    }

    async fn view(&self, endpoint: &EndpointId) -> Result<View, Failure> {
        let now = self.now();
        let known = self.endpoints.with(endpoint, |view| {
            (view.read_at != Timestamp::default() && now.since(view.read_at) < CACHED).then(|| view.clone())
        });
        match known {
            Some(view) => Ok(view),
            None => {
                let record = self.ports.store().get(&endpoint_key(endpoint)).await?;
                self.seen(endpoint, record.as_ref())
            }
        }
    }

    /// Takes over what stands in the store.
    fn seen(&self, endpoint: &EndpointId, record: Option<&Record>) -> Result<View, Failure> {
        let doc = match record {
            None => EndpointDoc::default(),
            Some(record) => docs_read(record).map_err(|_| LedgerError::Unreadable("endpoint"))?,
        };
        let (rev, now) = (record.map_or(0, |record| record.rev), self.now());
        Ok(self.endpoints.with(endpoint, |view| {
            (view.rev, view.doc, view.read_at) = (rev, doc, now);
            view.clone()
        }))
    }

    /// Changes the shared state, if it is still what `view` shows; otherwise what it is now.
    async fn change(
        &self,
        endpoint: &EndpointId,
        view: &View,
        change: impl FnOnce(&mut EndpointDoc, Timestamp),
    ) -> Result<Result<u64, View>, Failure> {
        let mut doc = view.doc.clone();
        change(&mut doc, self.now());
        if doc == view.doc {
            return Ok(Ok(view.rev));
        }
        let mut record = Record::new(endpoint_key(endpoint), docs_write(&doc));
        let is_closed = matches!(doc.breaker.state, State::Closed { .. });
        record.by_attention =
            (!is_closed).then(|| (format!("{}#breakers", endpoint.connection.tenant()), endpoint.in_key()));
        let expect = if view.rev == 0 { Expect::Absent } else { Expect::Rev(view.rev) };
        match self.ports.store().write(vec![Write::Put(record.clone(), expect)]).await {
            Ok(()) => {
                report(endpoint, &view.doc, &doc);
                record.rev = view.rev + 1;
                Ok(Ok(self.seen(endpoint, Some(&record))?.rev))
            }
            Err(WriteError::Conflict { current, .. }) => Ok(Err(self.seen(endpoint, current.as_deref())?)),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }

    /// When to ask again: when the wait is over, or sooner where a probe under way may end it. Spread, so that not all
    /// who wait come at once.
    fn look_again(&self, view: &View, until: Timestamp) -> Timestamp {
        let now = self.now();
        let soon =
            if matches!(view.doc.breaker.state, State::Probing { .. }) { now + LOOK_AGAIN } else { until };
        until.min(soon).max(now) + LOOK_AGAIN.mul_f64(self.ports.clock().chance() / 2.0)
    }
}

/// A change of state is an event: metrics and alarms are made of these lines. One writer makes the change, so it is told once.
fn report(endpoint: &EndpointId, before: &EndpointDoc, after: &EndpointDoc) {
    let (from, to) = (before.breaker.state.word(), after.breaker.state.word());
    if from == to {
        return;
    }
    let until = match after.breaker.state {
        State::Open { until, .. } => until.to_string(),
        State::Probing { lease, .. } => lease.to_string(),
        State::Closed { .. } => String::new(),
    };
    let (connection, name) = (&endpoint.connection, endpoint.word());
    tracing::info!(target: "bridge::event", event = "breaker", %connection, endpoint = name, from, to, until);
    match (endpoint.name.is_some(), from, to) {
        (true, "closed", _) => {
            tracing::info!(target: "bridge::event", event = "failover", %connection, endpoint = name);
        }
        (true, _, "closed") => {
            tracing::info!(target: "bridge::event", event = "return", %connection, endpoint = name);
        }
        _ => {}
    }
}
