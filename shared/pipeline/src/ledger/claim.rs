//! Claims: who may call a destination, and until when.

use std::time::Duration;

use bridge_core::{Cause, Timestamp, task::DeliverTask};

use super::{
    Conflict, Ledger, LedgerError, RACES, delivery_key,
    docs::{self, DeliveryDoc, DeliveryState, Refusal},
};
use crate::ports::{Expect, Key, Ports, Record, Write};

/// Clocks of two machines may differ by this much: a claim is valid that much longer for everybody else.
pub(crate) const SKEW: Duration = Duration::from_secs(5);

/// The right to make one attempt. Every later write is conditional on its revision, so that an attempt that took
/// too long can change nothing any more.
#[derive(Debug, Clone)]
pub struct Claim {
    pub(super) rev: u64,
    /// The delivery, with the attempt begun.
    pub doc: DeliveryDoc,
}

/// The way that an attempt is to take.
#[derive(Debug, Clone, Copy)]
pub struct Going<'a> {
    /// An endpoint's name, or who gets it instead of its destination; empty where there is one way alone.
    pub by: &'a str,
    /// The ways whose receivers know each other's keys, this one among them: what may have happened by one of these may be
    /// sent by this one.
    pub book: &'a [&'a str],
    /// Nothing of the delivery may be with its destination already.
    pub whole: bool,
}

impl Going<'_> {
    fn may_take(&self, doc: &DeliveryDoc) -> bool {
        doc.doubt().is_none_or(|doubt| self.book.contains(&doubt)) && (!self.whole || doc.written.is_empty())
    }
}

/// What came of asking for a claim.
#[derive(Debug)]
pub enum Claimed {
    /// Go ahead.
    Go(Claim),
    /// Not before this: another attempt is under way, or the next one is not due yet.
    NotBefore(Timestamp),
    /// It is over: it was delivered before, or refused to who asked for it.
    Over,
    /// It is parked, and its parked task will come back when released.
    Parked,
    /// It may have had an effect by another way, and so may not take this one. Nothing was claimed.
    Elsewhere(DeliveryDoc),
}

/// What came of recording an attempt's outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It stands in the ledger.
    Recorded,
    /// The claim had run out and another attempt has begun: the outcome is not this attempt's to record.
    Fenced,
}

impl<P: Ports> Ledger<'_, P> {
    /// Claims a delivery for one attempt that is over within `time_left`. Where `retries` has a time, only first attempts
    /// are made before it. What may have happened by a way that `going` does not allow for is not claimed.
    ///
    /// # Errors
    /// When the store fails, or others keep being faster.
    pub async fn claim(
        &self,
        task: &DeliverTask,
        time_left: Duration,
        expires: Timestamp,
        retries: Option<Timestamp>,
        going: Going<'_>,
    ) -> Result<Claimed, LedgerError> {
        let key = delivery_key(&task.connection, &task.message, &task.delivery);
        // A first attempt is the common case: it takes one write and no read.
        let mut current: Option<Record> = None;
        for _ in 0..RACES {
            let now = self.now();
            let until = now + time_left + SKEW;
            let (mut doc, expect) = match &current {
                None => {
                    (DeliveryDoc::new(task, DeliveryState::Waiting { until: now }, expires), Expect::Absent)
                }
                Some(record) => {
                    let mut doc: DeliveryDoc = docs::read(record, "delivery")?;
                    match doc.state {
                        DeliveryState::Delivered { .. } | DeliveryState::Refused { .. } => {
                            return Ok(Claimed::Over);
                        }
                        DeliveryState::Parked { .. } | DeliveryState::Deferred { .. }
                            if task.release.is_none() =>
                        {
                            return Ok(Claimed::Parked);
                        }
                        // Somebody looked at it: it begins anew. What was deferred goes on.
                        DeliveryState::Parked { .. } => {
                            (doc.tries, doc.since) = (0, None);
                            let open =
                                doc.written.iter_mut().filter_map(|written| written.unconfirmed.as_mut());
                            open.for_each(|since| *since = now);
                        }
                        DeliveryState::Deferred { .. } => {}
                        DeliveryState::Attempting { until }
                        | DeliveryState::Waiting { until }
                        | DeliveryState::Unconfirmed { until }
                            if until > now =>
                        {
                            return Ok(Claimed::NotBefore(until));
                        }
                        DeliveryState::Attempting { .. }
                        | DeliveryState::Waiting { .. }
                        | DeliveryState::Unconfirmed { .. } => {}
                    }
                    if !going.may_take(&doc) {
                        return Ok(Claimed::Elsewhere(doc));
                    }
                    if doc.tries > 0
                        && let Some(until) = retries
                    {
                        return Ok(Claimed::NotBefore(until));
                    }
                    (doc, Expect::Rev(record.rev))
                }
            };
            let rev = current.as_ref().map_or(0, |record| record.rev) + 1;
            doc.begin_attempt(now, until, going.by);
            match self.put_delivery(&key, &doc, expect).await? {
                Ok(()) => return Ok(Claimed::Go(Claim { rev, doc })),
                Err(Conflict { current: found, .. }) => current = found.map(|record| *record),
            }
        }
        Err(LedgerError::Contended)
    }

    /// Records that the destination has it, or who has it instead.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delivered(&self, mut claim: Claim, instead: Option<String>) -> Result<Settled, LedgerError> {
        let now = self.now();
        claim.doc.instead = instead;
        self.end_attempt(claim, "delivered", None, DeliveryState::Delivered { at: now }).await
    }

    /// Records that the attempt failed and another may follow at `until`.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn waiting(
        &self,
        claim: Claim,
        outcome: &str,
        cause: Cause,
        until: Timestamp,
    ) -> Result<Settled, LedgerError> {
        self.end_attempt(claim, outcome, Some(cause), DeliveryState::Waiting { until }).await
    }

    /// Records that the destination says yes, and is to be asked at `until` whether it has done it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn unconfirmed(
        &self,
        claim: Claim,
        cause: Cause,
        until: Timestamp,
    ) -> Result<Settled, LedgerError> {
        self.end_attempt(claim, "unconfirmed", Some(cause), DeliveryState::Unconfirmed { until }).await
    }

    /// Records that the destination refused it, for who asked to see.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn refused(&self, claim: Claim, why: Refusal, cause: Cause) -> Result<Settled, LedgerError> {
        let at = self.now();
        self.end_attempt(claim, "rejected", Some(cause), DeliveryState::Refused { at, why }).await
    }

    /// Records how far an attempt has come, in the middle of it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn progress(&self, claim: &mut Claim) -> Result<Settled, LedgerError> {
        let key = delivery_key(&claim.doc.source, &claim.doc.message, &claim.doc.delivery);
        Ok(match self.put_delivery(&key, &claim.doc, Expect::Rev(claim.rev)).await? {
            Ok(()) => {
                claim.rev += 1;
                Settled::Recorded
            }
            Err(_) => Settled::Fenced,
        })
    }

    /// Records a delivery that has been queued. Where an attempt was faster, its record is the better one.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn queued(&self, task: &DeliverTask, expires: Timestamp) -> Result<(), LedgerError> {
        let key = delivery_key(&task.connection, &task.message, &task.delivery);
        let doc = DeliveryDoc::new(task, DeliveryState::Waiting { until: self.now() }, expires);
        let _ = self.put_delivery(&key, &doc, Expect::Absent).await?;
        Ok(())
    }

    async fn end_attempt(
        &self,
        claim: Claim,
        outcome: &str,
        cause: Option<Cause>,
        state: DeliveryState,
    ) -> Result<Settled, LedgerError> {
        let Claim { rev, mut doc } = claim;
        doc.end_attempt(self.now(), outcome, cause);
        doc.state = state;
        let key = delivery_key(&doc.source, &doc.message, &doc.delivery);
        Ok(match self.put_delivery(&key, &doc, Expect::Rev(rev)).await? {
            Ok(()) => Settled::Recorded,
            Err(_) => Settled::Fenced,
        })
    }

    async fn put_delivery(
        &self,
        key: &Key,
        doc: &DeliveryDoc,
        expect: Expect,
    ) -> Result<Result<(), Conflict>, LedgerError> {
        let record = docs::delivery_record(doc);
        debug_assert_eq!(&record.key, key);
        self.write(vec![Write::Put(record, expect)]).await
    }
}

impl Claim {
    /// Notes how the attempt ended, before it is parked.
    pub fn ended(&mut self, now: Timestamp, outcome: &str, cause: &Cause) {
        self.doc.end_attempt(now, outcome, Some(cause.clone()));
    }
}
