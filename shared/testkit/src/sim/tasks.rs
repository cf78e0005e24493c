//! Processes, and what they are doing: futures that are polled one call at a time.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bridge_core::Timestamp;
use bridge_pipeline::{
    Bridge,
    batch::{self, Received},
    deliver::Deliver,
    export::{CipherError, Exports},
    normalize::Normalize,
    poll::Polls,
    ports::{Clock as _, Entry, QueueName, Write},
    retry::Retry,
};

use super::{Flaw, Rng, plan};
use crate::memory::{Fault, Hook, MemoryAdapters, MemoryPorts, Shared, step::Turn};

/// What stands between a simulated process and its world.
#[derive(Debug, Clone)]
pub(super) struct SimHook {
    pub(super) rng: Arc<Mutex<Rng>>,
    pub(super) flaw: Option<Flaw>,
    /// Share of calls that fail.
    pub(super) faults: f64,
}

impl SimHook {
    fn rng<T>(&self, draw: impl FnOnce(&mut Rng) -> T) -> T {
        draw(&mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Hook for SimHook {
    fn pause(&self) -> impl Future<Output = ()> + Send {
        Turn(false)
    }

    fn fault(&self, _: &'static str) -> Option<Fault> {
        self.rng(|rng| {
            let fails = rng.chance(self.faults);
            let after = rng.chance(0.5);
            fails.then_some(if after { Fault::After } else { Fault::Before })
        })
    }

    fn chance(&self) -> f64 {
        self.rng(Rng::unit)
    }

    fn corrupt(&self, writes: Vec<Write>) -> Vec<Write> {
        self.flaw.map_or_else(|| writes.clone(), |flaw| flaw.corrupt(writes.clone()))
    }

    fn lose(&self, entries: Vec<Entry>) -> Vec<Entry> {
        if self.flaw != Some(Flaw::SendsAreLost) {
            return entries;
        }
        entries.into_iter().filter(|_| self.rng(|rng| !rng.chance(0.1))).collect()
    }
}

pub(super) type SimBridge = Arc<Bridge<MemoryPorts<SimHook>>>;

/// An execution environment: lives through many invocations, until it is killed.
pub(super) struct Process {
    pub(super) id: u64,
    pub(super) bridge: SimBridge,
}

impl Process {
    pub(super) fn start(world: &Shared, hook: SimHook, adapters: &MemoryAdapters, id: u64) -> Self {
        let skew = hook.rng(|rng| rng.below(4_000)) as i64 - 2_000;
        let ports = MemoryPorts::new(world.clone(), hook, adapters.clone(), skew, id);
        Self { id, bridge: Arc::new(Bridge::new(ports)) }
    }
}

/// What came of a task that ran to its end.
pub(super) enum Ended {
    /// A sender's request, and whether it was taken.
    Answered { taken: bool },
    /// A batch: these ids are to be received again.
    Batch { queue: QueueName, received: Vec<Received>, again: Vec<String> },
}

/// Something that a process is doing.
pub(super) struct Task {
    pub(super) process: Process,
    /// True time at which the process is killed.
    pub(super) killed_at: i64,
    /// True time before which it does not begin.
    pub(super) begins_at: i64,
    /// The sender that waits for it.
    pub(super) sender: Option<usize>,
    future: Pin<Box<dyn Future<Output = Ended>>>,
}

impl Task {
    pub(super) fn poll(&mut self) -> Option<Ended> {
        let mut context = Context::from_waker(std::task::Waker::noop());
        match self.future.as_mut().poll(&mut context) {
            Poll::Ready(ended) => Some(ended),
            Poll::Pending => None,
        }
    }

    /// A sender's request.
    pub(super) fn request(
        process: Process,
        note: &plan::Note,
        speech: plan::Speech,
        sender: Option<usize>,
        now: i64,
    ) -> Self {
        let (bridge, request) = (process.bridge.clone(), note.request(speech));
        let future = Box::pin(async move {
            let response = match speech {
                plan::Speech::Json => bridge.receive(plan::CONNECTION, &request).await,
                plan::Speech::Hl7v2 => bridge.receive_hl7_http(plan::CONNECTION, &request).await,
            };
            Ended::Answered { taken: matches!(response.status, 200 | 202) }
        });
        Self { process, killed_at: now + 10_000, begins_at: now, sender, future }
    }

    /// A batch that the event source hands over after `held` milliseconds.
    pub(super) fn batch(
        process: Process,
        queue: QueueName,
        received: Vec<Received>,
        now: i64,
        held: i64,
    ) -> Self {
        let bridge = process.bridge.clone();
        const TIMEOUT: i64 = 20_000;
        let future = Box::pin(async move {
            let deadline: Timestamp = bridge.ports().now() + Duration::from_millis(TIMEOUT as u64);
            let records = received.clone();
            let again = match queue {
                QueueName::Inbound => {
                    batch::run(bridge.ports(), &Normalize(&bridge), records, deadline).await
                }
                QueueName::Outbound => batch::run(bridge.ports(), &Deliver(&bridge), records, deadline).await,
                QueueName::Commands => batch::run(bridge.ports(), &Retry(&bridge), records, deadline).await,
                QueueName::Polls => batch::run(bridge.ports(), &Polls(&bridge), records, deadline).await,
                QueueName::Exports => {
                    let exports = Exports {
                        bridge: &bridge,
                        pace: Default::default(),
                        encryptor: |_| Err(CipherError::System),
                    };
                    batch::run(bridge.ports(), &exports, records, deadline).await
                }
                QueueName::Drops => unreachable!("the simulation drops no files"),
            };
            Ended::Batch { queue, received, again }
        });
        Self { process, killed_at: now + held + TIMEOUT, begins_at: now + held, sender: None, future }
    }
}
