//! What Lambda's event source mapping for SQS does: receive a batch, call the function, delete what it is done with.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bridge_aws::admin::{Admin, Polled};
use tokio::{sync::Semaphore, task::JoinSet};

use super::{event::sqs, functions::Functions, stop::Stop};
use crate::template::EventSource;

/// Seconds that a receive waits for the first record. Short, because an emulator goes on receiving for a client that
/// was killed, and what it receives then is hidden until the queue's visibility time-out.
const WAIT: u8 = 2;
/// More invocations at once than this gain nothing on one machine.
const AT_ONCE: usize = 16;
/// How long to wait when the queue does not answer.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Counts receives that found nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Idle(Arc<AtomicU64>);

impl Idle {
    /// How many.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Forgets what was counted.
    pub(crate) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// One event source of one function.
#[derive(Debug)]
pub(crate) struct Poller {
    pub(crate) admin: Admin,
    pub(crate) queue_url: String,
    pub(crate) source: EventSource,
    pub(crate) function: String,
    pub(crate) functions: Arc<Functions>,
    pub(crate) idle: Idle,
}

impl Poller {
    /// Polls until it is told to stop, and then until every invocation that was begun is over.
    pub(crate) async fn run(self, stop: Stop) {
        let poller = Arc::new(self);
        let free = Arc::new(Semaphore::new(poller.source.concurrency.clamp(1, AT_ONCE)));
        let mut invocations = JoinSet::new();
        while !stop.is_said() {
            while invocations.try_join_next().is_some() {}
            // A receive is begun only when its records can be worked at once: their time is running.
            let Ok(permit) = Arc::clone(&free).acquire_owned().await else { break };
            let batch = match poller.admin.receive(&poller.queue_url, poller.source.batch_size, WAIT).await {
                Ok(batch) => batch,
                Err(error) => {
                    tracing::warn!(queue = poller.queue_url, %error, "a queue can't be received from");
                    tokio::time::sleep(AFTER_FAILURE).await;
                    continue;
                }
            };
            if batch.is_empty() {
                poller.idle.0.fetch_add(1, Ordering::Relaxed);
            } else {
                let poller = Arc::clone(&poller);
                invocations.spawn(async move {
                    poller.invoke(&batch).await;
                    drop(permit);
                });
            }
        }
        while invocations.join_next().await.is_some() {}
    }

    async fn invoke(&self, batch: &[Polled]) {
        let event = sqs::event(&self.source.arn, batch);
        let done = match self.functions.invoke(&self.function, event).await {
            Ok(response) => sqs::done(batch, &response, self.source.partial),
            // The records come back when the queue's visibility time-out is over.
            Err(error) => {
                tracing::warn!(function = self.function, %error, "an invocation failed");
                return;
            }
        };
        let receipts: Vec<String> = done.into_iter().map(|at| batch[at].receipt.clone()).collect();
        if receipts.is_empty() {
            return;
        }
        if let Err(error) = self.admin.delete(&self.queue_url, &receipts).await {
            tracing::warn!(queue = self.queue_url, %error, "finished records could not be deleted, and will come back");
        }
    }
}
