//! `file-ingest`: a file that was dropped in; a sealed task on `inbound` for each of its rows, and a report, out.
//!
//! S3 tells of a file on a queue of its own. A file that takes longer than an invocation goes back to that queue, and
//! goes on where it was.

use bridge_aws::lambda::{EventError, Function, Invocation, Warm, s3, sqs};
use bridge_pipeline::{
    Bridge,
    files::{Ingest, Pace},
    ports::{FilePorts, QueueName},
};
use futures::future::BoxFuture;
use serde_json::Value;

/// What it calls.
pub const WARM: [Warm; 3] = [Warm::Tables, Warm::Keys, Warm::Sending(QueueName::Inbound)];

/// The function.
#[derive(Debug)]
pub struct FileIngest<P> {
    bridge: Bridge<P>,
    pace: Pace,
}

impl<P: FilePorts> FileIngest<P> {
    /// Over these ports.
    pub fn new(ports: P) -> Self {
        Self { bridge: Bridge::new(ports), pace: Pace::default() }
    }
}

impl<P: FilePorts> Function for FileIngest<P> {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        invocation: &'a Invocation,
    ) -> BoxFuture<'a, Result<Value, EventError>> {
        Box::pin(async {
            let mut batch = sqs::read(event)?;
            for record in &mut batch.records {
                if let Some(task) = s3::task(&record.body) {
                    record.body = serde_json::to_string(&task).unwrap_or_default();
                }
            }
            let worker =
                Ingest { bridge: &self.bridge, pace: self.pace, decryptor: bridge_openpgp::decryptor };
            Ok(sqs::run(self.bridge.ports(), &worker, batch.records, invocation).await)
        })
    }
}
