//! `deliver`: one delivery, one attempt.
//!
//! breakers → gate of the lane → way → claim → call → record the outcome → settle the lane → tell how the call went.

mod aside;
mod attempt;
mod enter;
mod path;
mod write;

use std::{sync::Arc, time::Duration};

use bridge_core::{
    Cause, Timestamp,
    config::Serves,
    task::{Command, DeliverTask, OutboundTask},
};

use crate::{
    batch::{Received, Report, Verdict, Worker},
    bridge::Bridge,
    configuration::Loaded,
    ledger::{Claimed, Gate, LaneKey},
    line::Line,
    ports::{DeliverPorts, QueueName},
    stage::{self, Failure},
};
use aside::{Aside, again};
use path::{Bound, Held, Other, Stop};

const HOUR: Duration = Duration::from_hours(1);
/// A wait longer than this is not the queue's to keep: the ledger does, until the delivery is due.
const LONGEST_WAIT: Duration = Duration::from_hours(6);
/// Received so often without an attempt, a delivery is kept in the ledger: a queue gives up on it after a hundred times.
const OFTEN: u32 = 60;
/// Such a wait for a destination's limits is not worth a way over the queue.
const MOMENTS: Duration = Duration::from_secs(2);
/// Whoever finds so often that a delivery may not go where it was about to comes back a moment later.
const TURNS: usize = 3;
/// After the first, no resource is begun in an invocation that has less time left than this.
const ENOUGH: Duration = Duration::from_secs(12);

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
        let work = Work::new(self.0, &task, record);
        let line = work.line(0);
        let done = match work.deliver(time_left).await {
            Ok(report) => self.tell(&task, report).await,
            Err(error) => Err(error),
        };
        done.unwrap_or_else(|error| stage::failed(line, &error))
    }

    async fn park(&self, record: &Received, cause: Cause) -> Report {
        let task = match stage::read_task::<OutboundTask>(record) {
            Ok(OutboundTask::Deliver(task)) => task,
            Err(report) => return *report,
        };
        let work = Work::new(self.0, &task, record);
        match work.set_aside(Aside::because(cause)).await {
            Ok(report) => report,
            Err(error) => stage::failed(work.line(0), &error),
        }
    }
}

impl<P: DeliverPorts> Deliver<'_, P> {
    /// Has who asked told, where they want to be, before the task leaves its queue: one that comes again has it told again,
    /// to the same message.
    async fn tell(&self, task: &DeliverTask, report: Report) -> Result<Report, Failure> {
        if task.tell && matches!(report.verdict, Verdict::Done) {
            let (connection, message) = (task.connection.clone(), task.message.clone());
            let command = Command::TellOutcome { connection, message, delivery: task.delivery.clone() };
            let attempts = self.0.ledger().delivery(&task.connection, &task.message, &task.delivery).await?;
            let dedup = attempts.map_or(0, |doc| doc.attempts);
            self.0.command(&command, format!("told#{dedup}")).await?;
        }
        Ok(report)
    }
}

/// A delivery as it was received, and its place in its lane.
struct Work<'a, P> {
    bridge: &'a Bridge<P>,
    task: &'a DeliverTask,
    record: &'a Received,
    lane: LaneKey,
    /// End of its record's retention.
    expires: Timestamp,
}

/// The same, and where it goes.
struct Delivery<'a, P> {
    work: Work<'a, P>,
    to: Arc<Loaded>,
    /// Which side of the destination takes it.
    serves: Serves,
    /// Who gets it instead, while none of the destination's endpoints is healthy; else when that may be, if ever.
    other: Result<Other, Option<Timestamp>>,
}

impl<'a, P: DeliverPorts> Work<'a, P> {
    fn new(bridge: &'a Bridge<P>, task: &'a DeliverTask, record: &'a Received) -> Self {
        let lane = LaneKey::outbound(&task.destination, &task.lane);
        Self { bridge, task, record, lane, expires: stage::longest(task.queued_at) }
    }

    fn line(&self, attempt: u32) -> Line {
        let line = Line::new("deliver").message(&self.task.message, &self.task.destination, "");
        line.delivery(&self.task.delivery, attempt)
    }

    fn order(&self) -> String {
        self.task.release.as_ref().map_or_else(|| self.record.order(), |release| release.order.clone())
    }

    async fn deliver(mut self, time_left: Duration) -> Result<Report, Failure> {
        let destination = &self.task.destination;
        let deadline = self.bridge.now() + time_left;
        let Some(to) = self.bridge.connection(destination).await? else {
            return self.set_aside(Aside::because(stage::unknown_connection(destination))).await;
        };
        self.expires = stage::expires(self.task.queued_at, &to);
        if to.connection.paused {
            return self.set_aside(Aside::because(stage::paused())).await;
        }
        let is_written = self.task.asked || to.is_written();
        let serves = if is_written { Serves::Interface } else { Serves::Deliveries };
        // Asked before anything is read or claimed: while none is healthy, waiting costs no attempt, and next to nothing.
        let survey = self.bridge.survey(&to.ways(serves)).await?;
        let other = self.other_way(&to, &survey).await?;
        if let (Some(until), Err(turn)) = (survey.waits(), &other) {
            return self.held_back(turn.map_or(until, |turn| until.min(turn))).await;
        }
        if self.bridge.ledger().lane(&self.lane).await?.gate(self.task.release.as_ref()) == Gate::Behind {
            return self.set_aside(Aside::default()).await;
        }
        Delivery { work: self, to, serves, other }.enter(deadline).await
    }
}

impl<P: DeliverPorts> Delivery<'_, P> {
    async fn enter(&self, deadline: Timestamp) -> Result<Report, Failure> {
        let Work { bridge, task, record, .. } = self.work;
        let released = task.release.is_some();
        // What earlier attempts left open is known to the claim at the latest. Where there is a choice it is read before.
        let mut known = match self.has_choice() && (released || record.receives > 1) {
            true => bridge.ledger().delivery(&task.connection, &task.message, &task.delivery).await?,
            false => None,
        };
        for _ in 0..TURNS {
            let bound = known.as_ref().map(|doc| Bound::of(doc, released)).unwrap_or_default();
            let held = match self.hold(&bound, deadline).await? {
                Ok(held) => held,
                Err(Stop::Until(until)) => return self.work.held_back(until).await,
                Err(Stop::Gone(cause)) => return self.work.set_aside(Aside::because(cause)).await,
            };
            let time_left = deadline.since(bridge.now());
            let claimed = self.claim(&held, time_left).await;
            if !matches!(claimed, Ok(Claimed::Go(_))) {
                self.leave_all(&held, None).await;
            }
            let line = self.work.line(0);
            return match claimed? {
                Claimed::Go(claim) => self.attempt(claim, &held, deadline).await,
                Claimed::Over => self.work.settled(line.outcome("duplicate")).await,
                Claimed::Parked => Ok(Report { verdict: Verdict::Done, line: line.outcome("duplicate") }),
                Claimed::NotBefore(until) => Ok(again(until.since(bridge.now()), line)),
                Claimed::Elsewhere(doc) => {
                    known = Some(doc);
                    continue;
                }
            };
        }
        Ok(again(Duration::ZERO, self.work.line(0)))
    }

    /// Claims it for one attempt. A retry takes one of the endpoint's budget; what is received for the first time is none.
    async fn claim(&self, held: &Held, time_left: Duration) -> Result<Claimed, Failure> {
        let Work { bridge, task, record, .. } = self.work;
        let retried = held.way.as_ref().filter(|_| record.receives > 1 || task.release.is_some());
        let until = match retried {
            Some(way) => bridge.take_retry(&way.id).await?,
            None => None,
        };
        let book = held.book();
        let claimed =
            bridge.ledger().claim(task, time_left, self.work.expires, until, held.going(&book)).await;
        let is_retry = matches!(&claimed, Ok(Claimed::Go(claim)) if claim.doc.tries > 1);
        if let (Some(way), None, false) = (retried, until, is_retry) {
            bridge.retries.give_back(&way.id);
        }
        Ok(claimed?)
    }
}
