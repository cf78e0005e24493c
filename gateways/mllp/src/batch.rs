//! Making entries durable, of all connections together, ten to a request.
//!
//! An entry that comes while nothing is under way goes out at once. While requests are under way, entries gather: until
//! there are ten, or the first has waited for [`Limits::linger`]. So a single sender never waits for others, and many
//! senders share requests.

use std::{panic::AssertUnwindSafe, sync::Arc};

use bridge_pipeline::ports::Entry;
use futures::FutureExt as _;
use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep_until},
};

use crate::{
    Limits, Sink,
    lanes::{Job, Lanes},
    limits::BATCH,
    metrics::Metrics,
};

/// The way in.
#[derive(Debug, Clone)]
pub(crate) struct Batcher(mpsc::Sender<Job>);

impl Batcher {
    /// Starts the task, which ends when all clones of the batcher are gone and everything is settled.
    pub(crate) fn start<S: Sink>(
        sink: Arc<S>,
        limits: Limits,
        metrics: Arc<Metrics>,
    ) -> (Self, JoinHandle<()>) {
        let (sender, jobs) = mpsc::channel(limits.in_flight.max(1));
        let work = Work { sink, limits, metrics, lanes: Lanes::default(), sends: JoinSet::new() };
        (Self(sender), tokio::spawn(work.run(jobs)))
    }

    /// Hands an entry over. What it gives is told `true` when the entry is durable, and ends without it otherwise.
    pub(crate) async fn store(&self, entry: Entry) -> oneshot::Receiver<bool> {
        let (done, stored) = oneshot::channel();
        // An error drops the job, which its receiver hears.
        let _ = self.0.send(Job { entry, done }).await;
        stored
    }
}

/// Who waits for an entry that is on its way, and its lane.
type Waiter = (String, oneshot::Sender<bool>);

struct Work<S> {
    sink: Arc<S>,
    limits: Limits,
    metrics: Arc<Metrics>,
    lanes: Lanes,
    sends: JoinSet<(Vec<Waiter>, bool)>,
}

impl<S: Sink> Work<S> {
    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut came = Vec::with_capacity(64);
        let mut open = true;
        while open || self.lanes.ready() > 0 || !self.sends.is_empty() {
            while self.is_due() {
                self.send();
            }
            let due_at = self.lanes.ready_since().map(|since| since + self.limits.linger);
            let may_send = self.sends.len() < self.limits.sends;
            tokio::select! {
                count = jobs.recv_many(&mut came, 64), if open => {
                    open = count > 0;
                    let now = Instant::now();
                    came.drain(..).for_each(|job| self.lanes.push(job, now));
                }
                Some(ended) = self.sends.join_next() => {
                    if let Ok((sent, stored)) = ended {
                        self.settle(sent, stored);
                    }
                }
                () = sleep_until(due_at.unwrap_or_else(Instant::now)), if may_send && due_at.is_some() => {}
            }
        }
    }

    /// Whether a request should go out now.
    fn is_due(&self) -> bool {
        let Some(since) = self.lanes.ready_since() else { return false };
        self.sends.len() < self.limits.sends
            && (self.sends.is_empty() || self.lanes.ready() >= BATCH || since.elapsed() >= self.limits.linger)
    }

    fn send(&mut self) {
        let jobs = self.lanes.take(BATCH);
        self.metrics.request(jobs.len());
        let sink = Arc::clone(&self.sink);
        let (entries, waiters): (Vec<_>, Vec<_>) = jobs
            .into_iter()
            .map(|Job { entry, done }| {
                let group = entry.group.clone();
                (entry, (group, done))
            })
            .unzip();
        self.sends.spawn(async move {
            // A panic of the sink must not leave its lanes waiting for ever.
            let stored = match AssertUnwindSafe(sink.store(entries)).catch_unwind().await {
                Ok(Ok(())) => true,
                Ok(Err(error)) => {
                    tracing::error!(entries = waiters.len(), %error, "messages could not be made durable");
                    false
                }
                Err(_) => false,
            };
            (waiters, stored)
        });
    }

    fn settle(&mut self, sent: Vec<Waiter>, stored: bool) {
        let now = Instant::now();
        for (group, done) in sent {
            // Dropping the others tells their connections that they were not stored.
            drop(self.lanes.settle(&group, stored, now));
            // Nobody listens any more when the connection is gone.
            let _ = done.send(stored);
        }
    }
}
