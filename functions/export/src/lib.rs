//! `export`: what has changed becomes files. Once a minute a schedule calls it to queue the exports that are due, one task each; the
//! tasks come back to it from `exports`, side by side. A file that takes longer than an invocation goes on in the next.

use bridge_aws::lambda::{EventError, Function, Invocation, Warm, sqs};
use bridge_pipeline::{
    Bridge,
    export::{Exports, Pace},
    ports::FilePorts,
};
use futures::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

/// What it calls of AWS.
pub const WARM: [Warm; 2] = [Warm::Tables, Warm::Keys];

/// What the schedule in `infra/template.yaml` sends.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Scheduled {
    #[serde(rename = "export-due")]
    _export_due: bool,
}

/// The function.
#[derive(Debug)]
pub struct Export<P> {
    bridge: Bridge<P>,
    pace: Pace,
}

impl<P: FilePorts> Export<P> {
    /// Over these ports.
    pub fn new(ports: P) -> Self {
        Self { bridge: Bridge::new(ports), pace: Pace::default() }
    }
}

impl<P: FilePorts> Function for Export<P> {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        invocation: &'a Invocation,
    ) -> BoxFuture<'a, Result<Value, EventError>> {
        Box::pin(async {
            if serde_json::from_slice::<Scheduled>(event).is_ok() {
                let queued = self.bridge.queue_due_exports().await;
                let queued = queued.map_err(|error| EventError::Failed(error.to_string()))?;
                return Ok(json!({"exports": queued}));
            }
            let batch = sqs::read(event)?;
            let worker =
                Exports { bridge: &self.bridge, pace: self.pace, encryptor: bridge_openpgp::encryptor };
            Ok(sqs::run(self.bridge.ports(), &worker, batch.records, invocation).await)
        })
    }
}
