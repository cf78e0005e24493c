//! The log of the calls that a simulator was sent.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::Serialize;

/// Calls that are kept one by one; counts are kept for all.
const KEPT: usize = 10_000;

/// The log.
#[derive(Debug, Default)]
pub struct Calls(Mutex<Log>);

#[derive(Debug, Default)]
struct Log {
    latest: VecDeque<Call>,
    counts: BTreeMap<String, Count>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    /// When it was answered, by the product's clock.
    pub at: Timestamp,
    /// `GET`.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The status that was answered; 0 where the caller got no answer.
    pub status: u16,
}

/// Calls of one method and path; parts of a path that are numbers count as one: `GET /v1/patients/{id}`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// All of them.
    pub calls: u64,
    /// Those that were answered by 400 or above, or not at all.
    pub refusals: u64,
}

impl Calls {
    pub(crate) fn enter(&self, call: Call) {
        let mut log = self.log();
        let count = log.counts.entry(place(&call)).or_default();
        count.calls += 1;
        count.refusals += u64::from(call.status == 0 || call.status >= 400);
        if log.latest.len() == KEPT {
            log.latest.pop_front();
        }
        log.latest.push_back(call);
    }

    /// The latest calls, oldest first.
    #[must_use]
    pub fn latest(&self) -> Vec<Call> {
        self.log().latest.iter().cloned().collect()
    }

    /// How often each method and path was called since the start.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, Count> {
        self.log().counts.clone()
    }

    /// How many calls came in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.log().counts.values().map(|count| count.calls).sum()
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn place(call: &Call) -> String {
    let is_id = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let parts = call.path.split('/').map(|part| if is_id(part) { "{id}" } else { part });
    format!("{} {}", call.method, parts.collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_counted_together() {
        let calls = Calls::default();
        let call = |path: &str, status| Call {
            at: Timestamp::UNIX_EPOCH,
            method: "GET".to_owned(),
            path: path.to_owned(),
            status,
        };
        calls.enter(call("/v1/patients/1", 200));
        calls.enter(call("/v1/patients/2", 404));
        calls.enter(call("/v1/patients", 0));
        assert_eq!(calls.counts()["GET /v1/patients/{id}"], Count { calls: 2, refusals: 1 });
        assert_eq!(calls.counts()["GET /v1/patients"], Count { calls: 1, refusals: 1 });
        assert_eq!((calls.latest().len(), calls.total()), (3, 3));
    }
}
