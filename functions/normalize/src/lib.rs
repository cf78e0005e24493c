//! `normalize`: a task from `inbound` in; resources stored, a task per destination on `outbound` out.

use bridge_aws::lambda::{EventError, Function, Invocation, Warm, sqs};
use bridge_pipeline::{
    Bridge, normalize,
    ports::{Ports, QueueName},
};
use futures::future::BoxFuture;
use serde_json::Value;

/// What it calls.
pub const WARM: [Warm; 3] = [Warm::Tables, Warm::Keys, Warm::Sending(QueueName::Outbound)];

/// The function.
#[derive(Debug)]
pub struct Normalize<P>(Bridge<P>);

impl<P: Ports> Normalize<P> {
    /// Over these ports.
    pub fn new(ports: P) -> Self {
        Self(Bridge::new(ports))
    }
}

impl<P: Ports> Function for Normalize<P> {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        invocation: &'a Invocation,
    ) -> BoxFuture<'a, Result<Value, EventError>> {
        Box::pin(async {
            let batch = sqs::read(event)?;
            let worker = normalize::Normalize(&self.0);
            Ok(sqs::run(self.0.ports(), &worker, batch.records, invocation).await)
        })
    }
}
