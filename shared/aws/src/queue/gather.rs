//! Sending in one request what is sent at about the same time: SQS bills requests, and one takes ten entries.
//!
//! The groups of a batch are worked side by side, each sends its deliveries when it has them, and that is at about the
//! same time. The first to come waits a moment for the others. Should the common request fail, each sends its own.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bridge_pipeline::ports::{Entry, PortError, QueueName};
use tokio::sync::oneshot;

use super::SqsQueue;

/// The moment. A function that waits so long costs a seventh of what a request does.
const MOMENT: Duration = Duration::from_millis(10);

/// What waits to be sent, for one queue. Clones wait together.
#[derive(Debug, Clone, Default)]
pub(super) struct Gathering(Arc<Mutex<Vec<Waiting>>>);

#[derive(Debug)]
struct Waiting {
    entries: Vec<Entry>,
    /// Told whether all were sent.
    done: oneshot::Sender<bool>,
}

impl Gathering {
    /// Returns whether these are the first.
    fn add(&self, waiting: Waiting) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(waiting);
        all.len() == 1
    }

    fn take(&self) -> Vec<Waiting> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SqsQueue {
    /// Sends entries to a queue together with others that come in a moment.
    pub(super) async fn send_gathered(
        &self,
        queue: QueueName,
        gathering: &Gathering,
        entries: Vec<Entry>,
    ) -> Result<(), PortError> {
        let (done, sent) = oneshot::channel();
        if gathering.add(Waiting { entries: entries.clone(), done }) {
            let (all, gathering) = (self.clone(), gathering.clone());
            // A task of its own: whoever came first may be gone before the others are served.
            tokio::spawn(async move {
                tokio::time::sleep(MOMENT).await;
                let (entries, waiting): (Vec<_>, Vec<_>) =
                    gathering.take().into_iter().map(|one| (one.entries, one.done)).unzip();
                let sent = all.send_all(queue, entries.concat()).await.is_ok();
                for done in waiting {
                    // Nobody waits any more: sending is all that was asked.
                    let _ = done.send(sent);
                }
            });
        }
        match sent.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => self.send_all(queue, entries).await,
        }
    }
}
