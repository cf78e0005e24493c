//! Work that is given back before Lambda ends it.
//!
//! When an invocation runs out of time, Lambda ends its process, and every record of the batch comes back after the
//! queue's visibility timeout, those that were done with, too. To stop one record's work is what a crash would have
//! done to it; the others keep what they have.

use std::time::Duration;

use bridge_core::Cause;
use bridge_pipeline::batch::{Received, Report, Worker};

/// A worker whose work on a record is over when its time is.
#[derive(Debug)]
pub(super) struct InTime<'a, W>(pub(super) &'a W);

impl<W: Worker> Worker for InTime<'_, W> {
    fn queue(&self) -> Option<bridge_pipeline::ports::QueueName> {
        self.0.queue()
    }

    async fn work(&self, record: &Received, time_left: Duration) -> Report {
        let worked = tokio::time::timeout(time_left, self.0.work(record, time_left)).await;
        worked.unwrap_or_else(|_| Report::out_of_time())
    }

    async fn park(&self, record: &Received, cause: Cause) -> Report {
        self.0.park(record, cause).await
    }
}

#[cfg(test)]
mod tests {
    use bridge_core::Timestamp;
    use bridge_pipeline::{batch::Verdict, ports::QueueName};

    use super::*;

    /// Takes as many milliseconds as the record says.
    struct Slow;

    impl Worker for Slow {
        fn queue(&self) -> Option<QueueName> {
            Some(QueueName::Inbound)
        }
        async fn work(&self, record: &Received, _: Duration) -> Report {
            tokio::time::sleep(Duration::from_millis(record.body.parse().unwrap_or(0))).await;
            Report { verdict: Verdict::Done, ..Report::out_of_time() }
        }
        async fn park(&self, _: &Received, _: Cause) -> Report {
            Report::out_of_time()
        }
    }

    #[tokio::test]
    async fn what_takes_longer_than_there_is_time_is_given_back() {
        let record = |millis: u32| Received {
            id: String::new(),
            receipt: String::new(),
            body: millis.to_string(),
            group: String::new(),
            sequence: String::new(),
            receives: 1,
            sent_at: Timestamp::default(),
        };
        let worker = InTime(&Slow);
        let work = async |millis| worker.work(&record(millis), Duration::from_millis(500)).await.verdict;
        assert_eq!(work(0).await, Verdict::Done);
        assert!(matches!(work(60_000).await, Verdict::Again(after) if !after.is_zero()));
    }
}
