//! `retry`: commands and dead letters in; parked work put back on its queue in lane order, lost work parked. Once a
//! minute one schedule calls it to ask for what is due, and another to look after connections that should speak.

use bridge_aws::lambda::{
    EventError, Function, Invocation, Warm,
    sqs::{self, Source, Sources},
};
use bridge_pipeline::{
    Bridge,
    ledger::LedgerError,
    ports::{Ports, QueueName},
    retry::{self, DeadLetters},
};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

/// What it calls.
pub const WARM: [Warm; 3] = [Warm::Tables, Warm::Keys, Warm::Sending(QueueName::Inbound)];

/// What the schedules in `infra/template.yaml` send.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Scheduled {
    ReleaseDue(bool),
    WatchDue(bool),
}

/// The function.
#[derive(Debug)]
pub struct Retry<P> {
    bridge: Bridge<P>,
    sources: Sources,
}

impl<P: Ports> Retry<P> {
    /// Over these ports. What it does with an event depends on the queue it comes from.
    pub fn new(ports: P, sources: Sources) -> Self {
        Self { bridge: Bridge::new(ports), sources }
    }
}

impl<P: Ports> Function for Retry<P> {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        invocation: &'a Invocation,
    ) -> BoxFuture<'a, Result<Value, EventError>> {
        Box::pin(async {
            let failed = |error: LedgerError| EventError::Failed(error.to_string());
            match serde_json::from_slice(event) {
                Ok(Scheduled::ReleaseDue(true)) => {
                    let lanes = self.bridge.release_due().await.map_err(failed)?;
                    return Ok(json!({"lanes": lanes}));
                }
                Ok(Scheduled::WatchDue(true)) => {
                    let watched = self.bridge.watch_due(invocation.deadline).await.map_err(failed)?;
                    return Ok(json!({"connections": watched.connections, "silent": watched.silent}));
                }
                _ => {}
            }
            let batch = sqs::read(event)?;
            let ports = self.bridge.ports();
            match self.sources.of(&batch)? {
                Source::Queue(QueueName::Commands) => {
                    let worker = retry::Retry(&self.bridge);
                    Ok(sqs::run(ports, &worker, batch.records, invocation).await)
                }
                Source::DeadLetters(queue) => {
                    let worker = DeadLetters { bridge: &self.bridge, queue };
                    Ok(sqs::run(ports, &worker, batch.records, invocation).await)
                }
                Source::Queue(_) => Err(EventError::UnknownQueue(batch.queue)),
            }
        })
    }
}
