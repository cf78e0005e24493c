//! A batch of records from a FIFO queue, lifted from work on one record.
//!
//! * Records of one group are worked one after the other; groups side by side.
//! * When a record must be tried again, the rest of its group is given back untouched, hidden for as long: the
//!   queue then offers the group again from that record on.
//! * A panic costs the record, not the batch.
//! * What would not be done before the deadline is not begun.
//! * Each record leaves one log line.

use std::{collections::HashMap, future::Future, panic::AssertUnwindSafe, time::Duration};

use bridge_core::{Cause, Timestamp};
use futures::{FutureExt as _, future::join_all};

use crate::{
    line::Line,
    ports::{Clock, Ports, Queue, QueueName},
};

/// A record is not begun with less time than this.
const LEAST_TIME: Duration = Duration::from_secs(2);
/// After this many receives a record that panics is parked.
const PANICS: u32 = 5;
/// How long a group waits after a panic.
const AFTER_PANIC: Duration = Duration::from_secs(20);
/// How long a group waits after it had too little time: claims of what was stopped run out meanwhile.
const AFTER_TIME: Duration = Duration::from_secs(5);
/// A record can be hidden for twelve hours counted from its first receive (SQS).
const LONGEST_HIDE: Duration = Duration::from_hours(11);

/// A received record.
#[derive(Debug, Clone)]
pub struct Received {
    /// `messageId`.
    pub id: String,
    /// `receiptHandle`.
    pub receipt: String,
    /// JSON of a task.
    pub body: String,
    /// `MessageGroupId`.
    pub group: String,
    /// `SequenceNumber`: grows within a group.
    pub sequence: String,
    /// `ApproximateReceiveCount`, 1 for the first.
    pub receives: u32,
    /// `SentTimestamp`.
    pub sent_at: Timestamp,
}

impl Received {
    /// Its place in its lane, as text that sorts: the number of its digits before the digits. It is kept with every
    /// message and resource, so it should be short: SQS's numbers have twenty digits and may have thirty-nine.
    pub fn order(&self) -> String {
        let digits = self.sequence.trim_start_matches('0');
        format!("{:02}{digits}", digits.len())
    }
}

/// What is to become of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done with: delete it.
    Done,
    /// Receive it again after this long, and its group with it.
    Again(Duration),
}

/// How work on a record went.
#[derive(Debug)]
pub struct Report {
    /// What is to become of the record.
    pub verdict: Verdict,
    /// What to say about it.
    pub line: Line,
}

impl Report {
    /// Of work that was stopped because its time was over.
    pub fn out_of_time() -> Self {
        let text = "its time was over: the record is worked again from where it stands in the ledger";
        let cause = Cause::new("work.out_of_time", text);
        let line = Line::new("unknown").outcome("out of time").cause(Some(cause));
        Self { verdict: Verdict::Again(AFTER_TIME), line }
    }
}

/// Work on one record.
pub trait Worker: Sync {
    /// The queue it works, if records of it can be hidden; dead letters wait for their queue's own time-out.
    fn queue(&self) -> Option<QueueName>;
    /// Works a record. Must be over within `time_left`.
    fn work(&self, record: &Received, time_left: Duration) -> impl Future<Output = Report> + Send;
    /// Sets aside a record on which `work` panics again and again.
    fn park(&self, record: &Received, cause: Cause) -> impl Future<Output = Report> + Send;
}

/// Works a batch until `deadline`; returns the ids of the records that must be received again.
pub async fn run<P: Ports>(
    ports: &P,
    worker: &impl Worker,
    records: Vec<Received>,
    deadline: Timestamp,
) -> Vec<String> {
    let mut groups: Vec<Vec<Received>> = Vec::new();
    let mut group_of: HashMap<String, usize> = HashMap::new();
    for record in records {
        let at = *group_of.entry(record.group.clone()).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(record);
    }
    let given_back =
        join_all(groups.into_iter().map(|group| run_group(ports, worker, group, deadline))).await;
    let given_back: Vec<(Received, Duration)> = given_back.into_iter().flatten().collect();
    if let Some(queue) = worker.queue().filter(|_| !given_back.is_empty()) {
        let hide =
            |(record, after): &(Received, Duration)| (record.receipt.clone(), (*after).min(LONGEST_HIDE));
        if let Err(error) = ports.queue().hide(queue, given_back.iter().map(hide).collect()).await {
            // They come back when the queue's own time-out is over.
            tracing::warn!(%error, "records could not be hidden for their back-off");
        }
    }
    given_back.into_iter().map(|(record, _)| record.id).collect()
}

async fn run_group<P: Ports>(
    ports: &P,
    worker: &impl Worker,
    group: Vec<Received>,
    deadline: Timestamp,
) -> Vec<(Received, Duration)> {
    let mut records = group.into_iter();
    let mut given_back = Vec::new();
    for record in records.by_ref() {
        let begun = ports.clock().now();
        let time_left = deadline.since(begun);
        if time_left < LEAST_TIME {
            given_back.push((record, Duration::ZERO));
            break;
        }
        let Report { verdict, line } = work_guarded(worker, &record, time_left).await;
        line.log(&record, begun, ports.clock().now());
        if let Verdict::Again(after) = verdict {
            given_back.push((record, after));
            break;
        }
    }
    if let Some(after) = given_back.first().map(|(_, after)| *after) {
        given_back.extend(records.map(|record| (record, after)));
    }
    given_back
}

async fn work_guarded(worker: &impl Worker, record: &Received, time_left: Duration) -> Report {
    let worked = AssertUnwindSafe(worker.work(record, time_left)).catch_unwind().await;
    let Err(_panic) = worked else { return worked.unwrap_or_else(|_| unreachable!("not a panic")) };
    let cause = Cause::new("work.panicked", "the bridge has a defect that this record brings out; report it");
    if record.receives < PANICS {
        return Report {
            verdict: Verdict::Again(AFTER_PANIC),
            line: Line::new("unknown").outcome("panicked").cause(Some(cause)),
        };
    }
    worker.park(record, cause).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_a_lane_sort_as_the_queues_numbers_do() {
        let order = |sequence: u128| {
            let record = Received {
                id: String::new(),
                receipt: String::new(),
                body: String::new(),
                group: String::new(),
                sequence: format!("{sequence:020}"),
                receives: 1,
                sent_at: Timestamp::default(),
            };
            record.order()
        };
        let numbers =
            [0, 1, 9, 10, 11, 99, 100, 18_849_496_460_467_696_128, 99_999_999_999_999_999_999, u128::MAX];
        assert!(numbers.is_sorted_by(|a, b| order(*a) < order(*b)), "{:?}", numbers.map(order));
        assert_eq!(order(18_849_496_460_467_696_128), "2018849496460467696128");
    }
}
