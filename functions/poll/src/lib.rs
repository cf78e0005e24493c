//! `poll`: asks products what has changed. Once a minute a schedule calls it to queue the connections that are due, one task
//! each; the tasks come back to it from `polls`, side by side.

use bridge_aws::lambda::{EventError, Function, Invocation, Warm, sqs};
use bridge_pipeline::{
    Bridge,
    poll::Polls,
    ports::{QueueName, RemotePorts},
};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

/// What it calls of AWS.
pub const WARM: [Warm; 3] = [Warm::Tables, Warm::Keys, Warm::Sending(QueueName::Inbound)];

/// What the schedule in `infra/template.yaml` sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Scheduled {
    #[serde(rename = "queue-due")]
    _queue_due: bool,
}

/// The function.
#[derive(Debug)]
pub struct Poll<P>(Bridge<P>);

impl<P: RemotePorts> Poll<P> {
    /// Over these ports.
    pub fn new(ports: P) -> Self {
        Self(Bridge::new(ports))
    }
}

impl<P: RemotePorts> Function for Poll<P> {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        invocation: &'a Invocation,
    ) -> BoxFuture<'a, Result<Value, EventError>> {
        Box::pin(async {
            if serde_json::from_slice::<Scheduled>(event).is_ok() {
                let queued = self.0.queue_due_polls().await;
                let queued = queued.map_err(|error| EventError::Failed(error.to_string()))?;
                return Ok(json!({"connections": queued}));
            }
            let batch = sqs::read(event)?;
            Ok(sqs::run(self.0.ports(), &Polls(&self.0), batch.records, invocation).await)
        })
    }
}
