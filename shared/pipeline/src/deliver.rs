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
    resilience::{
        endpoint::{Pass, health},
        rates::{Rates, Turn},
    },
    stage,
};

const HOUR: Duration = Duration::from_hours(1);
/// A wait longer than this is not the queue's to keep: the ledger does, until the delivery is due.
const LONGEST_WAIT: Duration = Duration::from_hours(6);
/// Received so often without an attempt, a delivery is kept in the ledger: a queue gives up on it after a hundred times.
const OFTEN: u32 = 60;
/// Such a wait for a destination's limits is not worth a way over the queue.
const MOMENTS: Duration = Duration::from_secs(2);
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
        match self.0.set_aside(&task, record, &lane_of(&task), None, Aside::because(cause)).await {
            Ok(report) => report,
            Err(error) => stage::failed(line_of(&task, 0), &error),
        }
    }
}

/// What a call holds while it is made.
struct Held {
    pass: Pass,
    /// Until when it has a seat, where the destination has them.
    seat: Option<Timestamp>,
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
        let deadline = self.now() + time_left;
        let Some(destination) = self.connection(&task.destination).await? else {
            return self
                .set_aside(
                    task,
                    record,
                    &lane,
                    None,
                    Aside::because(stage::unknown_connection(&task.destination)),
                )
                .await;
        };
        if destination.connection.paused {
            let aside = Aside::because(stage::paused());
            return self.set_aside(task, record, &lane, Some(&destination), aside).await;
        }
        // Asked before anything is read or claimed: while it is open, waiting costs no attempt, and next to nothing.
        if let Some(until) = self.closed_until(&task.destination).await? {
            return self.held_back(task, record, &lane, &destination, until).await;
        }
        if self.ledger().lane(&lane).await?.gate(task.release.as_ref()) == Gate::Behind {
            return self.set_aside(task, record, &lane, Some(&destination), Aside::default()).await;
        }
        let pass = match self.enter(&task.destination, time_left).await? {
            Ok(pass) => pass,
            Err(until) => return self.held_back(task, record, &lane, &destination, until).await,
        };
        let rates = Rates::of_deliveries(&destination.manifest);
        let (holder, first) = (task.delivery.as_str(), record.receives == 1);
        let turn = Turn { holder, first, calls: 1, deadline, patience: MOMENTS };
        let held = match self.within_rates(&task.destination, &rates, &turn).await? {
            Ok(seat) => Held { pass, seat },
            Err(until) => {
                self.leave(&task.destination, &pass, None).await;
                return self.held_back(task, record, &lane, &destination, until).await;
            }
        };
        let time_left = deadline.since(self.now());
        let expires = stage::expires(task.queued_at, &destination);
        let claimed =
            self.ledger().claim(task, time_left, expires, self.retries_wait(&task.destination)).await?;
        if !matches!(claimed, Claimed::Go(_)) {
            self.leave_all(task, &held, None).await;
        }
        match claimed {
            Claimed::Go(claim) => {
                self.attempt(task, record, &lane, &destination, (claim, held), time_left).await
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
        (claim, held): (Claim, Held),
        time_left: Duration,
    ) -> Result<Report, stage::Failure> {
        let attempt = claim.doc.attempts;
        if claim.doc.tries > 1 {
            self.retries(&task.destination);
        }
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
                self.leave_all(task, &held, None).await;
                return Err(error.into());
            }
            Err(error) => (Outcome::Rejected(Cause::new("payload.unreadable", error.to_string())), None),
        };
        // What came of the delivery first: what its call says about the endpoint may get lost.
        let recorded = self.record(task, record, lane, destination, claim, outcome).await;
        self.leave_all(task, &held, good).await;
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
                self.give_up(task, record, lane, destination, claim, "rejected", cause, None).await
            }
            // The transports there are carry an idempotency key: repeating is safe.
            Outcome::Unknown(cause) => {
                self.try_again(task, record, lane, destination, claim, ("unknown", None, cause)).await
            }
            Outcome::Throttled { after, cause } => {
                let after = self.throttled(&task.destination, after).await?;
                // The attempt is on record, and doesn't count: it says nothing about the delivery.
                let mut claim = claim;
                claim.doc.tries = claim.doc.tries.saturating_sub(1);
                let outcome = ("throttled", Some(after), cause);
                self.try_again(task, record, lane, destination, claim, outcome).await
            }
            Outcome::Retry { after, cause } => {
                self.try_again(task, record, lane, destination, claim, ("retry", after, cause)).await
            }
        }
    }

    async fn leave_all(&self, task: &DeliverTask, held: &Held, good: Option<bool>) {
        self.leave(&task.destination, &held.pass, good).await;
        if let Some(seat) = held.seat {
            self.leave_seat(&task.destination, task.delivery.as_str(), seat).await;
        }
    }

    /// The destination is not to be called before `until`.
    async fn held_back(
        &self,
        task: &DeliverTask,
        record: &Received,
        lane: &LaneKey,
        destination: &Arc<Loaded>,
        until: Timestamp,
    ) -> Result<Report, stage::Failure> {
        let wait = until.since(self.now());
        let cause = Cause::new(
            "destination.waits",
            "the destination fails, or is called as often as it allows: no attempt is counted",
        );
        if wait > LONGEST_WAIT || record.receives >= OFTEN {
            let aside = Aside { cause: Some(cause), due: Some(until) };
            return self.set_aside(task, record, lane, Some(destination), aside).await;
        }
        Ok(again(wait, line_of(task, 0).cause(Some(cause))))
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
        let now = self.now();
        let deliver = destination.manifest.deliver.as_ref();
        let limit = deliver.map_or(1, |deliver| deliver.max_attempts);
        let oldest = deliver
            .map_or(Duration::ZERO, |deliver| HOUR * u32::try_from(deliver.max_age).unwrap_or(u32::MAX));
        let wait =
            backoff::full_jitter(claim.doc.tries, self.ports.clock().chance()).max(after.unwrap_or_default());
        let is_old = claim.doc.since.is_some_and(|since| now.since(since) >= oldest);
        if claim.doc.tries >= limit || is_old {
            return self.give_up(task, record, lane, destination, claim, outcome, cause, None).await;
        }
        if wait > LONGEST_WAIT {
            let due = Some(now + wait);
            return self.give_up(task, record, lane, destination, claim, outcome, cause, due).await;
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
        due: Option<Timestamp>,
    ) -> Result<Report, stage::Failure> {
        claim.ended(self.now(), outcome, &cause);
        let word = if due.is_some() { "deferred" } else { "parked" };
        let line = line_of(task, claim.doc.attempts).outcome(word).cause(Some(cause.clone()));
        let parked = self
            .ledger()
            .park(ParkRequest {
                lane,
                order: &order_of(task, record),
                task: &self.preserved(task).await?,
                cause: Some(cause),
                // A lane that has to wait waits as a whole, whatever it does when somebody must look.
                policy: if due.is_some() { LanePolicy::Hold } else { destination.connection.lanes },
                due,
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
        Aside { cause, due }: Aside,
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
                due,
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

/// Why a delivery is set aside without an attempt: because of its lane alone, for a cause, or for a cause until a time.
#[derive(Debug, Default)]
struct Aside {
    cause: Option<Cause>,
    due: Option<Timestamp>,
}

impl Aside {
    const fn because(cause: Cause) -> Self {
        Self { cause: Some(cause), due: None }
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
