//! How changes are found by asking.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{super::Extract, TimeForm};

/// How changes are found by asking.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Poll {
    /// The operation that lists.
    pub operation: String,
    /// Arguments that are always the same.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// A setting without which this type is not polled: where it is empty, nothing is asked.
    #[serde(default)]
    pub needs: Option<String>,
    /// Seconds between two times, where the connection's setting `poll-every` says nothing else.
    #[serde(default = "five_minutes")]
    pub every: u64,
    /// Where a record says its id, by which what is gone from a full listing is found.
    #[serde(default = "slash_id")]
    pub id: Extract,
    /// How what has changed is told from what has not.
    pub delta: Delta,
    /// Everything is read now and then, and what is gone is found.
    #[serde(default)]
    pub reconcile: Option<Reconcile>,
}

impl Poll {
    /// The operations that it asks.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        let again = match &self.delta {
            Delta::Queue { again: Some(again), .. } => again.operation.as_deref(),
            _ => None,
        };
        let all = self.reconcile.as_ref().map(|all| all.operation.as_str());
        [self.operation.as_str()].into_iter().chain(again).chain(all)
    }
}

/// How what has changed is told from what has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Delta {
    /// What changed since a point in time.
    Since {
        /// The argument.
        argument: String,
        /// How the time is written.
        #[serde(default)]
        time: TimeForm,
        /// Seconds that are asked for again: stamps have whole seconds, and clocks differ.
        overlap: u64,
        /// Where the next point in time comes from. Left out: when the first page was asked for, by our clock.
        #[serde(default)]
        mark: Option<Mark>,
        /// Hours that the first time looks back.
        #[serde(default = "a_day")]
        first: u64,
    },
    /// What changed between two points in time; a long absence is made up for window by window.
    Window {
        /// The argument for the beginning.
        from: String,
        /// The argument for the end.
        to: String,
        /// How they are written.
        #[serde(default)]
        time: TimeForm,
        /// Seconds that are asked for again.
        overlap: u64,
        /// The longest window, in hours.
        longest: u64,
        /// Hours that the first time looks back.
        #[serde(default = "a_day")]
        first: u64,
    },
    /// A queue that forgets what it has handed out: a page is durable here before the next is asked for.
    Queue {
        /// What makes it hand out again what it handed out in a time: after a crash.
        #[serde(default)]
        again: Option<Again>,
        /// Records on a full page, after which the next is asked for at once. Left out: what stays in the queue waits for
        /// the next poll, unless the operation has pages.
        #[serde(default)]
        full: Option<u64>,
    },
    /// The newest first: read until what was known the last time.
    Newest {
        /// Where a record says when it changed.
        changed: Extract,
        /// How that is written.
        #[serde(default)]
        time: TimeForm,
        /// Seconds before what was known that are read again.
        overlap: u64,
        /// Hours that the first time looks back.
        #[serde(default = "a_day")]
        first: u64,
    },
    /// Everything every time. What did not change is the same message as the last time, and so nothing.
    Whole,
}

/// How a queue hands out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Again {
    /// The operation, where it is not that of the poll. What is handed out again stays, so its list can have pages: it needs
    /// some where a page does not hold all that came in the minutes around a crash.
    #[serde(default)]
    pub operation: Option<String>,
    /// The argument for the beginning.
    pub from: String,
    /// The argument for the end.
    pub to: String,
    /// How they are written.
    #[serde(default)]
    pub time: TimeForm,
}

/// Where the next point in time comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Mark {
    /// What the first page's answer says.
    Answer {
        /// A header (`date` is read as RFC 9110 says) or a place in the body.
        answer: Extract,
    },
    /// The latest of what the records say.
    Record {
        /// A place in the record.
        record: Extract,
    },
}

/// Everything is read now and then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Reconcile {
    /// The operation that lists everything.
    pub operation: String,
    /// Its arguments.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// Hours between two times.
    pub every: u64,
}

fn slash_id() -> Extract {
    Extract::Pointer("/id".to_owned())
}

const fn five_minutes() -> u64 {
    300
}

const fn a_day() -> u64 {
    24
}
