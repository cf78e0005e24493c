//! `deliver`: one delivery, one attempt.
//!
//! breaker → gate of the lane → claim → call → record the outcome → settle the lane → tell how the call went.

use std::{sync::Arc, time::Duration};

use bridge_core::{
    Cause, Timestamp,
    config::LanePolicy,
    destination::{Call, Destination as _, Outcome},
    task::{DeliverTask, OutboundTask, Stage},
};

use crate::{
    backoff,
    batch::{Received, Report, Verdict, Worker},
    bridge::Bridge,
    configuration::Loaded,
    keys::KeyError,
    ledger::{Claim, Claimed, Gate, LaneKey, ParkRequest, Parked, ParkedTask, Settled, Subject},
    line::Line,
    payload::Purpose,
    ports::{Clock, DeliverPorts, QueueName},
    resilience::endpoint::{Pass, health},
    stage,
};

/// A wait longer than this is not the queue's to keep: the delivery is parked.
const LONGEST_WAIT: Duration = Duration::from_hours(6);
/// No destination keeps everybody waiting longer than this by one answer.
const LONGEST_QUIET: Duration = Duration::from_hours(24);
/// One that says "too often" means longer than no time at all.
const SHORTEST_QUIET: Duration = Duration::from_secs(1);
/// A destination that does not say how long is asked again as after so many failures.
const UNSAID: u32 = 5;
/// What is left of the invocation after a call, to record its outcome.
const AFTERWARDS: Duration = Duration::from_secs(3);

/// Works `outbound.fifo`.
#[derive(Debug)]
pub struct Deliver<'a, P>(pub &'a Bridge<P>);

impl<P: DeliverPorts> Worker for Deliver<'_, P> {
    fn queue(&self) -> Option<QueueName> {
        Some(QueueName::Outbound)
    }

    async fn work(&self, record: &Received, time_left: Duration) -> Report {
        let task = match stage::read_task::<OutboundTask>(record) {
            Ok(OutboundTask::Deliver(task)) => task,
            Err(report) => return *report,
        };
        let line = line_of(&task, 0);
        match self.0.deliver(&task, record, time_left).await {
            Ok(report) => report,
            Err(error) => stage::failed(line, &error),
        }
    }

    async fn park(&self, record: &Received, cause: Cause) -> Report {
        let task = match stage::read_task::<OutboundTask>(record) {
            Ok(OutboundTask::Deliver(task)) => task,
            Err(report) => return *report,
        };
        match self.0.set_aside(&task, record, &lane_of(&task), None, Some(cause)).await {
            Ok(report) => report,
            Err(error) => stage::failed(line_of(&task, 0), &error),
        }
    }
}

fn line_of(task: &DeliverTask, attempt: u32) -> Line {
    Line::new("deliver").message(&task.message, &task.destination, "").delivery(&task.delivery, attempt)
}

fn order_of(task: &DeliverTask, record: &Received) -> String {
    task.release.as_ref().map_or_else(|| record.order(), |release| release.order.clone())
}

fn lane_of(task: &DeliverTask) -> LaneKey {
    LaneKey { stage: Stage::Outbound, connection: task.destination.clone(), lane: task.lane.clone() }
}

impl<P: DeliverPorts> Bridge<P> {
    async fn deliver(
        &self,
        task: &DeliverTask,
        record: &Received,
        time_left: Duration,
    ) -> Result<Report, stage::Failure> {
        let lane = lane_of(task);
        let Some(destination) = self.connection(&task.destination).await? else {
            return self
                .set_aside(task, record, &lane, None, Some(stage::unknown_connection(&task.destination)))
                .await;
        };
        if destination.connection.paused {
            return self.set_aside(task, record, &lane, Some(&destination), Some(stage::paused())).await;
        }
        // Asked before anything is read or claimed: while it is open, waiting costs no attempt, and next to nothing.
        if let Some(until) = self.closed_until(&task.destination).await? {
            return Ok(self.held_back(task, until));
        }
        if self.ledger().lane(&lane).await?.gate(task.release.as_ref()) == Gate::Behind {
            return self.set_aside(task, record, &lane, Some(&destination), None).await;
        }
        let pass = match self.enter(&task.destination, time_left).await? {
            Ok(pass) => pass,
            Err(until) => return Ok(self.held_back(task, until)),
        };
        if let Some(until) = self.over_limit(task, record, &destination, time_left).await? {
            self.leave(&task.destination, &pass, None).await;
            return Ok(self.held_back(task, until));
        }
        let expires = stage::expires(task.queued_at, &destination);
        let claimed = self.ledger().claim(task, time_left, expires).await?;
        if !matches!(claimed, Claimed::Go(_)) {
            self.leave_all(task, &destination, &pass, None).await;
        }
        match claimed {
            Claimed::Go(claim) => {
                self.attempt(task, record, &lane, &destination, (claim, pass), time_left).await
            }
            Claimed::Delivered => self.settled(task, &lane, line_of(task, 0).outcome("duplicate")).await,
            Claimed::Parked => {
                Ok(Report { verdict: Verdict::Done, line: line_of(task, 0).outcome("duplicate") })
            }
            Claimed::NotBefore(until) => Ok(again(until.since(self.now()), line_of(task, 0))),
        }
    }

    async fn attempt(
        &self,
        task: &DeliverTask,
        record: &Received,
        lane: &LaneKey,
        destination: &Arc<Loaded>,
        (claim, pass): (Claim, Pass),
        time_left: Duration,
    ) -> Result<Report, stage::Failure> {
        let attempt = claim.doc.attempts;
        let (outcome, good) = match self
            .unpack(Purpose::Delivery, &task.destination, task.delivery.as_str(), &task.payload)
            .await
        {
            Ok(body) => {
                let call = Call {
                    delivery: &task.delivery,
                    attempt,
                    connection: &destination.connection,
                    manifest: &destination.manifest,
                    body: &body,
                    now: self.now(),
                    time_left: time_left.saturating_sub(AFTERWARDS),
                };
                let outcome = self.ports.destination().deliver(&call).await;
                let good = health(&outcome);
                (outcome, good)
            }
            Err(KeyError::Port(error)) => {
                self.leave_all(task, destination, &pass, None).await;
                return Err(error.into());
            }
            Err(error) => (Outcome::Rejected(Cause::new("payload.unreadable", error.to_string())), None),
        };
        // What came of the delivery first: what its call says about the endpoint may get lost.
        let recorded = self.record(task, record, lane, destination, claim, outcome).await;
        self.leave_all(task, destination, &pass, good).await;
        recorded
    }

    async fn record(
        &self,
        task: &DeliverTask,
        record: &Received,
        lane: &LaneKey,
        destination: &Arc<Loaded>,
        claim: Claim,
        outcome: Outcome,
    ) -> Result<Report, stage::Failure> {
        let line = line_of(task, claim.doc.attempts);
        match outcome {
            Outcome::Delivered => match self.ledger().delivered(claim).await? {
                Settled::Recorded => self.settled(task, lane, line.outcome("delivered")).await,
                Settled::Fenced => Ok(fenced(line)),
            },
            Outcome::Rejected(cause) => {
                self.give_up(task, record, lane, destination, claim, "rejected", cause).await
            }
            // The transports there are carry an idempotency key: repeating is safe.
            Outcome::Unknown(cause) => {
                self.try_again(task, record, lane, destination, claim, ("unknown", None, cause)).await
            }
            Outcome::Throttled { after, cause } => {
                let after =
                    after.unwrap_or_else(|| backoff::full_jitter(UNSAID, self.ports.clock().chance()));
                self.quiet(&task.destination, self.now() + after.min(LONGEST_QUIET)).await?;
                // The attempt is on record, and doesn't count: it says nothing about the delivery.
                let mut claim = claim;
                claim.doc.tries = claim.doc.tries.saturating_sub(1);
                let outcome = ("throttled", Some(after.max(SHORTEST_QUIET)), cause);
                self.try_again(task, record, lane, destination, claim, outcome).await
            }
            Outcome::Retry { after, cause } => {
                self.try_again(task, record, lane, destination, claim, ("retry", after, cause)).await
            }
        }
    }

    /// When to ask again, where the destination's limits don't allow the call. Otherwise it holds its seat.
    async fn over_limit(
        &self,
        task: &DeliverTask,
        record: &Received,
        destination: &Loaded,
        time_left: Duration,
    ) -> Result<Option<Timestamp>, stage::Failure> {
        let Some(deliver) = &destination.manifest.deliver else { return Ok(None) };
        if let Some(seats) = deliver.concurrency
            && let Err(until) = self.take_seat(&task.destination, seats, &task.delivery, time_left).await?
        {
            return Ok(Some(until));
        }
        if deliver.limits.is_empty() {
            return Ok(None);
        }
        let taken = self.take_call(&task.destination, deliver, record.receives == 1).await?;
        if taken.is_err() && deliver.concurrency.is_some() {
            self.leave_seat(&task.destination, &task.delivery).await;
        }
        Ok(taken.err())
    }

    async fn leave_all(&self, task: &DeliverTask, destination: &Loaded, pass: &Pass, good: Option<bool>) {
        self.leave(&task.destination, pass, good).await;
        if destination.manifest.deliver.as_ref().is_some_and(|deliver| deliver.concurrency.is_some()) {
            self.leave_seat(&task.destination, &task.delivery).await;
        }
    }

    /// The destination is not to be called now.
    fn held_back(&self, task: &DeliverTask, until: Timestamp) -> Report {
        let cause = Cause::new(
            "destination.waits",
            "the destination fails, or is called as often as it allows: no attempt is counted",
        );
        again(until.since(self.now()), line_of(task, 0).cause(Some(cause)))
    }

    async fn try_again(
        &self,
        task: &DeliverTask,
        record: &Received,
        lane: &LaneKey,
        destination: &Arc<Loaded>,
        claim: Claim,
        (outcome, after, cause): (&'static str, Option<Duration>, Cause),
    ) -> Result<Report, stage::Failure> {
        let limit = destination.manifest.deliver.as_ref().map_or(1, |deliver| deliver.max_attempts);
        let wait =
            backoff::full_jitter(claim.doc.tries, self.ports.clock().chance()).max(after.unwrap_or_default());
        if claim.doc.tries >= limit || wait > LONGEST_WAIT {
            return self.give_up(task, record, lane, destination, claim, outcome, cause).await;
        }
        let line = line_of(task, claim.doc.attempts).outcome(outcome).cause(Some(cause.clone()));
        Ok(match self.ledger().waiting(claim, outcome, cause, self.now() + wait).await? {
            Settled::Recorded => Report { verdict: Verdict::Again(wait), line },
            Settled::Fenced => fenced(line),
        })
    }

    #[expect(clippy::too_many_arguments, reason = "one attempt's whole context, used in two places")]
    async fn give_up(
        &self,
        task: &DeliverTask,
        record: &Received,
        lane: &LaneKey,
        destination: &Arc<Loaded>,
        mut claim: Claim,
        outcome: &str,
        cause: Cause,
    ) -> Result<Report, stage::Failure> {
        claim.ended(self.now(), outcome, &cause);
        let line = line_of(task, claim.doc.attempts).outcome("parked").cause(Some(cause.clone()));
        let parked = self
            .ledger()
            .park(ParkRequest {
                lane,
                order: &order_of(task, record),
                task: &self.preserved(task).await?,
                cause: Some(cause),
                policy: destination.connection.lanes,
                subject: Subject::Claimed(&claim),
            })
            .await?;
        Ok(match parked {
            Parked::Superseded => fenced(line),
            Parked::Done | Parked::LaneOpen | Parked::Busy(_) => Report { verdict: Verdict::Done, line },
        })
    }

    /// Parks a delivery that was not attempted.
    async fn set_aside(
        &self,
        task: &DeliverTask,
        record: &Received,
        lane: &LaneKey,
        destination: Option<&Arc<Loaded>>,
        cause: Option<Cause>,
    ) -> Result<Report, stage::Failure> {
        let expires =
            destination.map_or_else(|| stage::longest(task.queued_at), |d| stage::expires(task.queued_at, d));
        let line = line_of(task, 0).cause(cause.clone());
        let parked = self
            .ledger()
            .park(ParkRequest {
                lane,
                order: &order_of(task, record),
                task: &self.preserved(task).await?,
                cause,
                policy: LanePolicy::Hold,
                subject: Subject::Delivery(task, expires),
            })
            .await?;
        match parked {
            Parked::Done => Ok(Report { verdict: Verdict::Done, line: line.outcome("parked") }),
            Parked::LaneOpen => Ok(again(Duration::ZERO, line)),
            Parked::Busy(until) => Ok(again(until.since(self.now()), line)),
            Parked::Superseded => self.settled(task, lane, line.outcome("duplicate")).await,
        }
    }

    /// After the delivery is done: takes it out of its lane if it was parked there, and asks for what comes next.
    async fn settled(
        &self,
        task: &DeliverTask,
        lane: &LaneKey,
        line: Line,
    ) -> Result<Report, stage::Failure> {
        self.settle_release(lane, task.release.as_ref(), task.delivery.as_str()).await?;
        Ok(Report { verdict: Verdict::Done, line })
    }

    /// The task in the form in which it is parked: under a key that does not expire.
    async fn preserved(&self, task: &DeliverTask) -> Result<ParkedTask, stage::Failure> {
        let mut task = task.clone();
        task.payload = self
            .preserved_payload(Purpose::Delivery, &task.destination, task.delivery.as_str(), task.payload)
            .await?;
        Ok(ParkedTask::Outbound(task))
    }
}

/// It is not its time: the whole group waits.
fn again(after: Duration, line: Line) -> Report {
    Report { verdict: Verdict::Again(after.max(Duration::from_secs(1))), line: line.outcome("not yet") }
}

/// Another attempt has begun, or the work is done: what this one knows is of no use, and its record is not its to delete.
fn fenced(line: Line) -> Report {
    Report { verdict: Verdict::Again(Duration::from_secs(1)), line: line.outcome("fenced") }
}
