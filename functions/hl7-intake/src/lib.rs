//! `hl7-intake`: HL7 v2 over HTTP in, sealed tasks on `inbound` out, and the acknowledgment as the reply.
//!
//! Route: `POST /hl7/{connection}`.

use bridge_aws::lambda::{EventError, Function, Invocation, Warm, http};
use bridge_pipeline::{
    Bridge,
    ports::{Ports, QueueName},
};
use futures::future::BoxFuture;
use serde_json::Value;

/// What it calls.
pub const WARM: [Warm; 3] = [Warm::Tables, Warm::Keys, Warm::Sending(QueueName::Inbound)];

/// The function.
#[derive(Debug)]
pub struct Hl7Intake<P>(Bridge<P>);

impl<P: Ports> Hl7Intake<P> {
    /// Over these ports.
    pub fn new(ports: P) -> Self {
        Self(Bridge::new(ports))
    }
}

impl<P: Ports> Function for Hl7Intake<P> {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        invocation: &'a Invocation,
    ) -> BoxFuture<'a, Result<Value, EventError>> {
        Box::pin(async {
            let call = http::read(event)?;
            let received = self.0.receive_hl7_http(call.parameter("connection"), &call.request);
            Ok(http::write(&http::in_time(invocation, received).await))
        })
    }
}
