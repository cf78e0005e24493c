//! The retry budget of an endpoint, shared by all processes: each takes a few retries at a time from one record, and
//! tells with that what it has earned. Only who tries again ever asks, so an endpoint without trouble costs nothing.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use bridge_core::Timestamp;

use super::{
    budget::{Budget, Purse},
    endpoint::endpoint_key,
    limits::{A_MOMENT, KEPT, RACES},
    ways::EndpointId,
};
use crate::{
    bridge::Bridge,
    ledger::{LedgerError, docs_read, docs_write},
    ports::{Key, Ports, Record},
    stage::Failure,
};

/// One process's purses, each with the budget as it was last seen and its revision.
#[derive(Debug, Default)]
pub(crate) struct Retries(Mutex<HashMap<EndpointId, (Purse, Budget, u64)>>);

impl Retries {
    fn with<T>(&self, of: &EndpointId, change: impl FnOnce(&mut (Purse, Budget, u64)) -> T) -> T {
        let mut purses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(purses.entry(of.clone()).or_default())
    }

    /// A call was answered.
    pub(crate) fn earn(&self, of: &EndpointId) {
        self.with(of, |(purse, ..)| purse.earn());
    }

    /// A retry that was taken was not made.
    pub(crate) fn give_back(&self, of: &EndpointId) {
        self.with(of, |(purse, ..)| purse.give_back());
    }
}

/// Beside what is known of the endpoint.
fn budget_key(endpoint: &EndpointId) -> Key {
    Key { sk: "retries".to_owned(), ..endpoint_key(endpoint) }
}

impl<P: Ports> Bridge<P> {
    /// Takes a retry (`None`), or says until when only first attempts are made.
    pub(crate) async fn take_retry(&self, endpoint: &EndpointId) -> Result<Option<Timestamp>, Failure> {
        let now = self.now();
        let (known, earned, mut seen, mut rev) = self.retries.with(endpoint, |(purse, seen, rev)| {
            let known = purse.take(now);
            // What two ask for at once is told by one of them.
            let earned = if known.is_none() { purse.tell() } else { 0.0 };
            (known, earned, *seen, *rev)
        });
        if let Some(known) = known {
            return Ok(known);
        }
        for _ in 0..RACES {
            let (now, mut budget) = (self.now(), seen);
            let taken = budget.take(now, earned);
            let mut record = Record::new(budget_key(endpoint), docs_write(&budget));
            record.expires = Some(now + KEPT);
            match self.put_limit(record, rev).await {
                Ok(Ok(rev)) => {
                    self.retries.with(endpoint, |(purse, seen, at)| {
                        purse.told(now, taken);
                        (*seen, *at) = (budget, rev);
                    });
                    return Ok(taken.err());
                }
                Ok(Err(current)) => (seen, rev) = read(current.as_deref())?,
                Err(error) => {
                    self.retries.with(endpoint, |(purse, ..)| purse.untell(earned));
                    return Err(error);
                }
            }
        }
        self.retries.with(endpoint, |(purse, ..)| purse.untell(earned));
        Ok(Some(self.now() + A_MOMENT))
    }
}

fn read(record: Option<&Record>) -> Result<(Budget, u64), LedgerError> {
    let Some(record) = record else { return Ok((Budget::default(), 0)) };
    let budget = docs_read(record).map_err(|_| LedgerError::Unreadable("retries"))?;
    Ok((budget, record.rev))
}
