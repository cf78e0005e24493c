//! Opening connections while the function starts: a TLS handshake costs most of a first call, and during its start a
//! function has a whole processor.

use std::time::Duration;

use bridge_pipeline::ports::QueueName;
use futures::future::{BoxFuture, join_all};
use tokio::time::timeout;

use crate::Aws;

/// A function that is not warm by then starts cold.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a function will call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warm {
    /// DynamoDB.
    Tables,
    /// SQS, to send to this queue.
    Sending(QueueName),
    /// KMS.
    Keys,
}

impl Aws {
    /// Opens connections to all of these at once. Succeeds whatever they answer.
    pub async fn warm_up(&self, warm: &[Warm]) {
        let calls = warm.iter().map(|what| -> BoxFuture<'_, ()> {
            match *what {
                Warm::Tables => Box::pin(self.store.warm_up()),
                Warm::Sending(queue) => Box::pin(self.queue.warm_up(queue)),
                Warm::Keys => Box::pin(self.keys.warm_up()),
            }
        });
        if timeout(PATIENCE, join_all(calls)).await.is_err() {
            tracing::warn!("AWS did not answer in time to warm up");
        }
    }
}
