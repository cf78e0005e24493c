//! One attempt under its claim: the call, and what its outcome leads to.

use std::time::Duration;

use bridge_core::{
    Cause, Phi, Timestamp,
    config::{LanePolicy, Serves},
    destination::{Call, Destination as _, Outcome},
};

use super::{Delivery, HOUR, LONGEST_WAIT, OFTEN, Work, aside::fenced, path::Held};
use crate::{
    backoff,
    batch::{Report, Verdict},
    keys::KeyError,
    ledger::{Claim, ParkRequest, Parked, Refusal, Settled, Subject},
    payload::Purpose,
    ports::{Clock as _, DeliverPorts, Files as _},
    resilience::endpoint::health,
    stage::Failure,
};

/// A queue counts in seconds.
const SHORTEST: Duration = Duration::from_secs(1);
/// What is left of the invocation after a call, to record its outcome.
const AFTERWARDS: Duration = Duration::from_secs(3);
/// Where there are other endpoints, who may not call one of them comes back after this long.
const ELSEWHERE: Duration = Duration::from_secs(10);
/// Attempts where an adapter that takes no deliveries is written to, as is asked at the FHIR interface.
const ATTEMPTS: u32 = 12;
/// The same of hours.
const HOURS: u32 = 72;

/// What an attempt came to.
pub(super) enum Came {
    /// To this.
    To(Outcome),
    /// The product refuses it.
    Refused(Refusal, Cause),
    /// The product says yes, and has not done it yet: it is asked again after this time.
    Unconfirmed(Duration, Cause),
    /// It said yes, and did not do it in time: somebody must look.
    Unfinished(Cause),
    /// The product has some of its resources; there is no time for the others.
    Partly(Cause),
    /// Nothing was called: the product is not to be, before this.
    NotBefore(Timestamp),
    /// The claim had run out.
    Fenced,
}

impl<P: DeliverPorts> Delivery<'_, P> {
    pub(super) async fn attempt(
        &self,
        mut claim: Claim,
        held: &Held,
        deadline: Timestamp,
    ) -> Result<Report, Failure> {
        let Work { bridge, task, .. } = self.work;
        let opened =
            bridge.unpack(Purpose::Delivery, &task.destination, task.delivery.as_str(), &task.payload).await;
        let (came, good) = match (opened, &held.way) {
            (Ok(body), None) => (Came::To(self.put_out(&body).await), None),
            (Ok(body), Some(way)) if way.id.serves == Serves::Interface => {
                (self.write(&mut claim, &way.to, &body, deadline).await?, None)
            }
            (Ok(body), Some(way)) => {
                let call = Call {
                    delivery: &task.delivery,
                    attempt: claim.doc.attempts,
                    connection: &way.to.connection,
                    manifest: &way.to.manifest,
                    body: &body,
                    now: bridge.now(),
                    time_left: deadline.since(bridge.now()).saturating_sub(AFTERWARDS),
                };
                let outcome = bridge.ports.destination().deliver(&call).await;
                let good = health(&outcome);
                (Came::To(outcome), good)
            }
            (Err(KeyError::Port(error)), _) => {
                self.leave_all(held, None).await;
                return Err(error.into());
            }
            (Err(error), _) => {
                (Came::To(Outcome::Rejected(Cause::new("payload.unreadable", error.to_string()))), None)
            }
        };
        // What came of the delivery first: what its call says about the endpoint may get lost.
        let recorded = self.record(claim, held, came).await;
        self.leave_all(held, good).await;
        recorded.map(|report| Report { line: report.line.by(&held.by), ..report })
    }

    /// Puts the delivery into the outbox, in the order of its lane. The same delivery is the same file.
    async fn put_out(&self, body: &Phi<Vec<u8>>) -> Outcome {
        let Work { bridge, task, .. } = self.work;
        let speaks_hl7v2 =
            self.to.manifest.deliver.as_ref().is_some_and(|deliver| deliver.transport.speaks_hl7v2());
        let kind = if speaks_hl7v2 { "hl7" } else { "json" };
        let (order, to) = (self.work.order(), &task.destination);
        let key = format!("outbox/{to}/undelivered/{order}.{}.{kind}", task.delivery);
        match bridge.ports.files().put(&key, body.expose().clone()).await {
            Ok(()) => Outcome::Delivered,
            // It may be there.
            Err(error) => Outcome::Unknown(Cause::new("outbox.unavailable", error.to_string())),
        }
    }

    async fn record(&self, mut claim: Claim, held: &Held, came: Came) -> Result<Report, Failure> {
        let Work { bridge, task, .. } = self.work;
        let line = self.work.line(claim.doc.attempts);
        let outcome = match came {
            Came::To(Outcome::Rejected(cause)) if task.asked => {
                return self.refuse(claim, Refusal::Failed, cause).await;
            }
            Came::To(outcome) => outcome,
            Came::Refused(why, cause) if task.asked => return self.refuse(claim, why, cause).await,
            Came::Refused(_, cause) => Outcome::Rejected(cause),
            Came::Unconfirmed(wait, cause) => return self.ask_later(claim, wait, cause).await,
            Came::Unfinished(cause) => return self.give_up(claim, "unconfirmed", cause, None).await,
            Came::Partly(cause) => return self.wait(claim, "partly", cause, bridge.now()).await,
            Came::NotBefore(until) => {
                // The next attempt may go elsewhere.
                let until = if self.has_choice() { until.min(bridge.now() + ELSEWHERE) } else { until };
                let text = "the product fails, or is called as often as it allows: no attempt is counted";
                return self.wait(claim, "waits", Cause::new("destination.waits", text), until).await;
            }
            Came::Fenced => return Ok(fenced(line)),
        };
        match outcome {
            Outcome::Delivered => {
                let instead = held.instead.then(|| held.by.clone());
                let word = if held.instead { "handed over" } else { "delivered" };
                match bridge.ledger().delivered(claim, instead).await? {
                    Settled::Recorded => self.work.settled(line.outcome(word)).await,
                    Settled::Fenced => Ok(fenced(line)),
                }
            }
            Outcome::Rejected(cause) => self.give_up(claim, "rejected", cause, None).await,
            // Repeating is safe: transports carry an idempotency key, and what is written is looked for first.
            Outcome::Unknown(cause) => self.try_again(claim, "unknown", None, cause).await,
            Outcome::Throttled { after, cause } => {
                let after = match &held.way {
                    Some(way) if way.id.serves == Serves::Deliveries => {
                        Some(bridge.throttled(&way.id, after).await?)
                    }
                    // Who called has told the others.
                    _ => after,
                };
                // The attempt is on record, and doesn't count: it says nothing about the delivery.
                claim.doc.tries = claim.doc.tries.saturating_sub(1);
                self.try_again(claim, "throttled", after, cause).await
            }
            Outcome::Retry { after, cause } => self.try_again(claim, "retry", after, cause).await,
        }
    }

    /// Ends it: who asked for it is told.
    async fn refuse(&self, claim: Claim, why: Refusal, cause: Cause) -> Result<Report, Failure> {
        let line = self.work.line(claim.doc.attempts).cause(Some(cause.clone()));
        match self.work.bridge.ledger().refused(claim, why, cause).await? {
            Settled::Recorded => self.work.settled(line.outcome("refused")).await,
            Settled::Fenced => Ok(fenced(line)),
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

    /// Goes on at `until`. The attempt says nothing about the delivery, and doesn't count.
    async fn wait(
        &self,
        mut claim: Claim,
        outcome: &'static str,
        cause: Cause,
        until: Timestamp,
    ) -> Result<Report, Failure> {
        let Work { bridge, record, .. } = self.work;
        claim.doc.tries = claim.doc.tries.saturating_sub(1);
        let wait = until.since(bridge.now()).max(SHORTEST);
        if wait > LONGEST_WAIT || record.receives >= OFTEN {
            return self.give_up(claim, outcome, cause, Some(until)).await;
        }
        let line = self.work.line(claim.doc.attempts).outcome(outcome).cause(Some(cause.clone()));
        Ok(match bridge.ledger().waiting(claim, outcome, cause, until).await? {
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
