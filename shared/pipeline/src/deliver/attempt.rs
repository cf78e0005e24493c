//! One attempt under its claim: the call, and what its outcome leads to.

use std::time::Duration;

use bridge_core::{
    Cause, Timestamp,
    config::LanePolicy,
    destination::{Call, Destination as _, Outcome},
};

use super::{Delivery, HOUR, LONGEST_WAIT, OFTEN, Work, aside::fenced, limits::Held};
use crate::{
    backoff,
    batch::{Report, Verdict},
    keys::KeyError,
    ledger::{Claim, ParkRequest, Parked, Settled, Subject},
    payload::Purpose,
    ports::{Clock as _, DeliverPorts},
    resilience::endpoint::health,
    stage::Failure,
};

/// No destination keeps everybody waiting longer than this by one answer.
const LONGEST_QUIET: Duration = Duration::from_hours(24);
/// One that says "too often" means longer than no time at all.
const SHORTEST_QUIET: Duration = Duration::from_secs(1);
/// A destination that does not say how long is asked again as after so many failures.
const UNSAID: u32 = 5;
/// What is left of the invocation after a call, to record its outcome.
const AFTERWARDS: Duration = Duration::from_secs(3);
/// Attempts where an adapter that takes no deliveries is written to, as is asked at the FHIR interface.
const ATTEMPTS: u32 = 12;
/// The same of hours.
const HOURS: u32 = 72;

/// What an attempt came to.
pub(super) enum Came {
    /// To this.
    To(Outcome),
    /// The product says yes, and has not done it yet: it is asked again after this time.
    Unconfirmed(Duration, Cause),
    /// It said yes, and did not do it in time: somebody must look.
    Unfinished(Cause),
    /// The product has some of its resources; there is no time for the others.
    Partly(Cause),
    /// The claim had run out.
    Fenced,
}

impl<P: DeliverPorts> Delivery<'_, P> {
    pub(super) async fn attempt(
        &self,
        mut claim: Claim,
        held: Held,
        deadline: Timestamp,
    ) -> Result<Report, Failure> {
        let Work { bridge, task, .. } = self.work;
        if claim.doc.tries > 1 {
            bridge.retries(&task.destination);
        }
        let opened = bridge
            .unpack(Purpose::Delivery, &task.destination, task.delivery.as_str(), &task.payload)
            .await;
        let time_left = deadline.since(bridge.now()).saturating_sub(AFTERWARDS);
        let (came, good) = match opened {
            Ok(body) if self.is_written() => match self.write(&mut claim, &body, time_left).await {
                Ok(came) => {
                    let good = came.health();
                    (came, good)
                }
                Err(failure) => {
                    self.leave_all(&held, None).await;
                    return Err(failure);
                }
            },
            Ok(body) => {
                let call = Call {
                    delivery: &task.delivery,
                    attempt: claim.doc.attempts,
                    connection: &self.to.connection,
                    manifest: &self.to.manifest,
                    body: &body,
                    now: bridge.now(),
                    time_left,
                };
                let outcome = bridge.ports.destination().deliver(&call).await;
                let good = health(&outcome);
                (Came::To(outcome), good)
            }
            Err(KeyError::Port(error)) => {
                self.leave_all(&held, None).await;
                return Err(error.into());
            }
            Err(error) => {
                (Came::To(Outcome::Rejected(Cause::new("payload.unreadable", error.to_string()))), None)
            }
        };
        // What came of the delivery first: what its call says about the endpoint may get lost.
        let recorded = self.record(claim, came).await;
        self.leave_all(&held, good).await;
        recorded
    }

    async fn record(&self, mut claim: Claim, came: Came) -> Result<Report, Failure> {
        let Work { bridge, task, .. } = self.work;
        let line = self.work.line(claim.doc.attempts);
        let outcome = match came {
            Came::To(outcome) => outcome,
            Came::Unconfirmed(wait, cause) => return self.ask_later(claim, wait, cause).await,
            Came::Unfinished(cause) => return self.give_up(claim, "unconfirmed", cause, None).await,
            Came::Partly(cause) => {
                claim.doc.tries = claim.doc.tries.saturating_sub(1);
                let now = bridge.now();
                return Ok(match bridge.ledger().waiting(claim, "partly", cause, now).await? {
                    Settled::Recorded => {
                        Report { verdict: Verdict::Again(SHORTEST_QUIET), line: line.outcome("partly") }
                    }
                    Settled::Fenced => fenced(line),
                });
            }
            Came::Fenced => return Ok(fenced(line)),
        };
        match outcome {
            Outcome::Delivered => match bridge.ledger().delivered(claim).await? {
                Settled::Recorded => self.work.settled(line.outcome("delivered")).await,
                Settled::Fenced => Ok(fenced(line)),
            },
            Outcome::Rejected(cause) if task.asked => {
                let line = line.cause(Some(cause.clone()));
                match bridge.ledger().refused(claim, cause).await? {
                    Settled::Recorded => self.work.settled(line.outcome("refused")).await,
                    Settled::Fenced => Ok(fenced(line)),
                }
            }
            Outcome::Rejected(cause) => self.give_up(claim, "rejected", cause, None).await,
            // Repeating is safe: transports carry an idempotency key, and what is written is looked for first.
            Outcome::Unknown(cause) => self.try_again(claim, "unknown", None, cause).await,
            Outcome::Throttled { after, cause } => {
                let unsaid = || backoff::full_jitter(UNSAID, bridge.ports.clock().chance());
                let after = after.unwrap_or_else(unsaid);
                bridge.quiet(&task.destination, bridge.now() + after.min(LONGEST_QUIET)).await?;
                // The attempt is on record, and doesn't count: it says nothing about the delivery.
                claim.doc.tries = claim.doc.tries.saturating_sub(1);
                self.try_again(claim, "throttled", Some(after.max(SHORTEST_QUIET)), cause).await
            }
            Outcome::Retry { after, cause } => self.try_again(claim, "retry", after, cause).await,
        }
    }

    async fn try_again(
        &self,
        claim: Claim,
        outcome: &'static str,
        after: Option<Duration>,
        cause: Cause,
    ) -> Result<Report, Failure> {
        let bridge = self.work.bridge;
        let now = bridge.now();
        let (limit, oldest) = match &self.to.manifest.deliver {
            Some(deliver) => (deliver.max_attempts, u32::try_from(deliver.max_age).unwrap_or(u32::MAX)),
            None if self.work.task.asked => (ATTEMPTS, HOURS),
            None => (1, 0),
        };
        let wait = backoff::full_jitter(claim.doc.tries, bridge.ports.clock().chance());
        let wait = wait.max(after.unwrap_or_default());
        let is_old = claim.doc.since.is_some_and(|since| now.since(since) >= HOUR * oldest);
        if claim.doc.tries >= limit || is_old {
            return self.give_up(claim, outcome, cause, None).await;
        }
        if wait > LONGEST_WAIT {
            return self.give_up(claim, outcome, cause, Some(now + wait)).await;
        }
        let line = self.work.line(claim.doc.attempts).outcome(outcome).cause(Some(cause.clone()));
        Ok(match bridge.ledger().waiting(claim, outcome, cause, bridge.now() + wait).await? {
            Settled::Recorded => Report { verdict: Verdict::Again(wait), line },
            Settled::Fenced => fenced(line),
        })
    }

    /// Asks after `wait` whether the product has done what it said yes to. The attempt was good, and doesn't count.
    async fn ask_later(&self, mut claim: Claim, wait: Duration, cause: Cause) -> Result<Report, Failure> {
        let Work { bridge, record, .. } = self.work;
        claim.doc.tries = claim.doc.tries.saturating_sub(1);
        let until = bridge.now() + wait;
        if wait > LONGEST_WAIT || record.receives >= OFTEN {
            return self.give_up(claim, "unconfirmed", cause, Some(until)).await;
        }
        let line = self.work.line(claim.doc.attempts).outcome("unconfirmed");
        Ok(match bridge.ledger().unconfirmed(claim, cause, until).await? {
            Settled::Recorded => Report { verdict: Verdict::Again(wait), line },
            Settled::Fenced => fenced(line),
        })
    }

    async fn give_up(
        &self,
        mut claim: Claim,
        outcome: &str,
        cause: Cause,
        due: Option<Timestamp>,
    ) -> Result<Report, Failure> {
        let bridge = self.work.bridge;
        claim.ended(bridge.now(), outcome, &cause);
        let word = if due.is_some() { "deferred" } else { "parked" };
        let line = self.work.line(claim.doc.attempts).outcome(word).cause(Some(cause.clone()));
        let parked = bridge
            .ledger()
            .park(ParkRequest {
                lane: &self.work.lane,
                order: &self.work.order(),
                task: &self.work.preserved().await?,
                cause: Some(cause),
                // A lane that has to wait waits as a whole, whatever it does when somebody must look.
                policy: if due.is_some() { LanePolicy::Hold } else { self.to.connection.lanes },
                due,
                subject: Subject::Claimed(&claim),
            })
            .await?;
        Ok(match parked {
            Parked::Superseded => fenced(line),
            Parked::Done | Parked::LaneOpen | Parked::Busy(_) => Report { verdict: Verdict::Done, line },
        })
    }
}

impl Came {
    /// What it says about the endpoint.
    fn health(&self) -> Option<bool> {
        match self {
            Self::To(outcome) => health(outcome),
            Self::Unconfirmed(..) | Self::Unfinished(_) | Self::Partly(_) => Some(true),
            Self::Fenced => None,
        }
    }
}
