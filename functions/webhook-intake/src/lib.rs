//! `webhook-intake`: a vendor's request in, a sealed task on `inbound` out.
//!
//! Routes: `POST` and `GET /webhooks/{connection}`.

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
pub struct WebhookIntake<P>(Bridge<P>);

impl<P: Ports> WebhookIntake<P> {
    /// Over these ports.
    pub fn new(ports: P) -> Self {
        Self(Bridge::new(ports))
    }
}

impl<P: Ports> Function for WebhookIntake<P> {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        invocation: &'a Invocation,
    ) -> BoxFuture<'a, Result<Value, EventError>> {
        Box::pin(async {
            let call = http::read(event)?;
            let received = self.0.receive(call.parameter("connection"), &call.request);
            Ok(http::write(&http::in_time(invocation, received).await))
        })
    }
}
