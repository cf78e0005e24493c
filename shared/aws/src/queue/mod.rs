//! The queues, over SQS.
//!
//! SQS answers a batch entry by entry, and may take a later entry of a group while it refuses an earlier one. The
//! later one then keeps its place: sending it again is dropped as a repeat, so nothing puts the two right. Entries of
//! one group therefore never share a batch: they go in [waves](waves), each of which waits for the one before. What
//! usually comes at once (the rows of a delivery, one per patient) is one wave, and still ten to a request.

mod waves;

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    types::{BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, SendMessageBatchRequestEntry},
};
use bridge_pipeline::ports::{Entry, PortError, Queue, QueueName};
use futures::stream::{self, TryStreamExt as _};

use crate::{
    Meter, Settings,
    error::{broken, failed, pause},
};

const SEND: &str = "sqs.SendMessageBatch";
const HIDE: &str = "sqs.ChangeMessageVisibilityBatch";

/// How often entries that SQS itself failed to take are sent.
const TRIES: u32 = 4;
/// Batches on their way at a time.
const AT_A_TIME: usize = 4;
/// SQS's longest visibility timeout.
const LONGEST_HIDE: u64 = 12 * 60 * 60;

/// [`Queue`] over SQS FIFO queues, and the standard one that S3 writes to.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    inbound: String,
    outbound: String,
    commands: String,
    polls: String,
    exports: String,
    drops: String,
    meter: Meter,
}

impl SqsQueue {
    pub(crate) fn new(client: Client, settings: &Settings, meter: Meter) -> Self {
        Self {
            client,
            inbound: settings.inbound_queue_url.clone(),
            outbound: settings.outbound_queue_url.clone(),
            commands: settings.commands_queue_url.clone(),
            polls: settings.polls_queue_url.clone(),
            exports: settings.exports_queue_url.clone(),
            drops: settings.drops_queue_url.clone(),
            meter,
        }
    }

    fn url(&self, queue: QueueName) -> &str {
        match queue {
            QueueName::Inbound => &self.inbound,
            QueueName::Outbound => &self.outbound,
            QueueName::Commands => &self.commands,
            QueueName::Polls => &self.polls,
            QueueName::Exports => &self.exports,
            QueueName::Drops => &self.drops,
        }
    }

    /// Opens the connection before it is needed: by a batch of nothing, which SQS refuses. It needs no permission
    /// that a sender does not have.
    pub(crate) async fn warm_up(&self, queue: QueueName) {
        let request = self.client.send_message_batch().queue_url(self.url(queue));
        let _refused = request.set_entries(Some(Vec::new())).send().await;
    }

    /// Sends a batch until all of it is taken.
    async fn send_batch(&self, queue: QueueName, batch: Vec<Entry>) -> Result<(), PortError> {
        let bytes: usize = batch.iter().map(|entry| entry.body.len()).sum();
        let is_fifo = queue != QueueName::Drops;
        let entry = |entry| request_entry(entry, is_fifo);
        let mut entries = batch.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>()?;
        for tries in 0.. {
            self.meter.used(SEND, || bytes.div_ceil(64 * 1024).max(1) as f64);
            let request = self.client.send_message_batch().queue_url(self.url(queue));
            let answer = request.set_entries(Some(entries.clone())).send().await;
            let refused = answer.map_err(|error| failed(SEND, &error))?.failed;
            let Some(first) = refused.first() else { return Ok(()) };
            if tries + 1 == TRIES || refused.iter().any(BatchResultErrorEntry::sender_fault) {
                let reason = format!("{} of {} entries: {}", refused.len(), entries.len(), first.code());
                return Err(PortError { operation: SEND, reason });
            }
            entries.retain(|entry| refused.iter().any(|refused| refused.id() == entry.id()));
            tokio::time::sleep(pause(tries)).await;
        }
        Ok(())
    }
}

fn request_entry(
    (index, entry): (usize, Entry),
    is_fifo: bool,
) -> Result<SendMessageBatchRequestEntry, PortError> {
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(entry.body)
        .set_message_group_id(is_fifo.then_some(entry.group))
        .set_message_deduplication_id(is_fifo.then_some(entry.dedup))
        .build()
        .map_err(|error| broken(SEND, &error))
}

impl Queue for SqsQueue {
    async fn send(&self, queue: QueueName, entries: Vec<Entry>) -> Result<(), PortError> {
        for wave in waves::waves(entries) {
            let batches = waves::batches(wave)?;
            stream::iter(batches.into_iter().map(Ok))
                .try_for_each_concurrent(AT_A_TIME, |batch| self.send_batch(queue, batch))
                .await?;
        }
        Ok(())
    }

    async fn hide(&self, queue: QueueName, receipts: Vec<(String, Duration)>) -> Result<(), PortError> {
        for batch in receipts.chunks(waves::MOST) {
            let entries = batch.iter().enumerate().map(|(index, (receipt, after))| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(index.to_string())
                    .receipt_handle(receipt)
                    .visibility_timeout(seconds(*after))
                    .build()
                    .map_err(|error| broken(HIDE, &error))
            });
            let request = self.client.change_message_visibility_batch().queue_url(self.url(queue));
            let answer = request.set_entries(Some(entries.collect::<Result<_, _>>()?)).send().await;
            let refused = answer.map_err(|error| failed(HIDE, &error))?.failed;
            if let Some(first) = refused.first() {
                let reason = format!("{} of {} receipts: {}", refused.len(), batch.len(), first.code());
                return Err(PortError { operation: HIDE, reason });
            }
        }
        Ok(())
    }
}

/// Whole seconds, rounded up.
fn seconds(after: Duration) -> i32 {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    i32::try_from(seconds.min(LONGEST_HIDE)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hiding_is_rounded_up_and_bounded() {
        let cases = [(0, 0), (1, 1), (1000, 1), (1001, 2), (u64::MAX, 43_200)];
        for (millis, expected) in cases {
            assert_eq!(seconds(Duration::from_millis(millis)), expected, "{millis} ms");
        }
    }
}
