//! `deliver`: a task from `outbound` in, a call to its destination out. The only function that calls out.

use bridge_aws::lambda::{EventError, Function, Invocation, Warm, sqs};
use bridge_pipeline::{Bridge, deliver, ports::DeliverPorts};
use futures::future::BoxFuture;
use serde_json::Value;

/// What it calls of AWS.
pub const WARM: [Warm; 2] = [Warm::Tables, Warm::Keys];

/// The function.
#[derive(Debug)]
pub struct Deliver<P>(Bridge<P>);

impl<P: DeliverPorts> Deliver<P> {
    /// Over these ports.
    pub fn new(ports: P) -> Self {
        Self(Bridge::new(ports))
    }
}

impl<P: DeliverPorts> Function for Deliver<P> {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        invocation: &'a Invocation,
    ) -> BoxFuture<'a, Result<Value, EventError>> {
        Box::pin(async {
            let batch = sqs::read(event)?;
            let worker = deliver::Deliver(&self.0);
            Ok(sqs::run(self.0.ports(), &worker, batch.records, invocation).await)
        })
    }
}
