//! The queues, over SQS.
//!
//! SQS answers a batch entry by entry, and may take a later entry of a group while it refuses an earlier one. The
//! later one then keeps its place: sending it again is dropped as a repeat, so nothing puts the two right. Entries of
//! one group therefore never share a batch: they go in [waves](waves), each of which waits for the one before. What
//! usually comes at once (the rows of a delivery, one per patient) is one wave, and still ten to a request. What is sent
//! one by one goes [together](together).

mod together;
mod waves;

use std::{sync::Arc, time::Duration};

use aws_sdk_sqs::{
    Client,
    types::{BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry, SendMessageBatchRequestEntry},
};
use bridge_pipeline::ports::{Entry, PortError, Queue, QueueName};
use futures::stream::{self, StreamExt as _};

use self::{together::Together, waves::Sent};
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
    inbound: Arc<Wire>,
    outbound: Arc<Wire>,
    commands: Arc<Wire>,
    polls: Arc<Wire>,
    exports: Arc<Wire>,
    drops: Arc<Wire>,
    meter: Meter,
}

/// The way to a queue. Clones share it, so that what they send goes together.
#[derive(Debug)]
struct Wire {
    url: String,
    together: Together,
}

impl Wire {
    fn to(url: &str) -> Arc<Self> {
        Arc::new(Self { url: url.to_owned(), together: Together::default() })
    }
}

impl SqsQueue {
    pub(crate) fn new(client: Client, settings: &Settings, meter: Meter) -> Self {
        Self {
            client,
            inbound: Wire::to(&settings.inbound_queue_url),
            outbound: Wire::to(&settings.outbound_queue_url),
            commands: Wire::to(&settings.commands_queue_url),
            polls: Wire::to(&settings.polls_queue_url),
            exports: Wire::to(&settings.exports_queue_url),
            drops: Wire::to(&settings.drops_queue_url),
            meter,
        }
    }

    fn wire(&self, queue: QueueName) -> &Wire {
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
        let request = self.client.send_message_batch().queue_url(&self.wire(queue).url);
        let _refused = request.set_entries(Some(Vec::new())).send().await;
    }

    /// Sends what belongs to several senders, each one's in order; how each fared.
    async fn send_all(&self, queue: QueueName, parts: Vec<Vec<Entry>>) -> Vec<Result<(), PortError>> {
        let mut fared: Vec<_> = parts.iter().map(|part| waves::refuse_too_large(part)).collect();
        let entries = parts.into_iter().enumerate();
        let entries = entries.flat_map(|(by, part)| part.into_iter().map(move |entry| Sent { by, entry }));
        for mut wave in waves::waves(entries.collect()) {
            // What comes after an entry that was not taken must not be taken before it.
            wave.retain(|sent| fared.get(sent.by).is_some_and(Result::is_ok));
            let batches = waves::batches(wave).into_iter().map(|batch| self.send_batch(queue, batch));
            let mut batches = stream::iter(batches).buffer_unordered(AT_A_TIME);
            while let Some(refused) = batches.next().await {
                for (by, error) in refused {
                    if let Some(fared) = fared.get_mut(by) {
                        *fared = Err(error);
                    }
                }
            }
        }
        fared
    }

    /// Sends a batch until all of it is taken; whose entries were not, and why.
    async fn send_batch(&self, queue: QueueName, batch: Vec<Sent>) -> Vec<(usize, PortError)> {
        let senders: Vec<usize> = batch.iter().map(|sent| sent.by).collect();
        let bytes: usize = batch.iter().map(|sent| sent.entry.body.len()).sum();
        let is_fifo = queue != QueueName::Drops;
        let entry = |(index, sent): (usize, Sent)| request_entry((index, sent.entry), is_fifo);
        let none_of_it = |error: PortError| senders.iter().map(|by| (*by, error.clone())).collect();
        let mut entries = match batch.into_iter().enumerate().map(entry).collect::<Result<Vec<_>, _>>() {
            Ok(entries) => entries,
            Err(error) => return none_of_it(error),
        };
        for tries in 0.. {
            self.meter.used(SEND, || bytes.div_ceil(64 * 1024).max(1) as f64);
            let request = self.client.send_message_batch().queue_url(&self.wire(queue).url);
            let refused = match request.set_entries(Some(entries.clone())).send().await {
                Ok(answer) => answer.failed,
                Err(error) => return none_of_it(failed(SEND, &error)),
            };
            if refused.is_empty() {
                break;
            }
            if tries + 1 == TRIES || refused.iter().any(BatchResultErrorEntry::sender_fault) {
                let told = |refused: &BatchResultErrorEntry| {
                    let by = senders.get(refused.id().parse::<usize>().ok()?)?;
                    Some((*by, PortError { operation: SEND, reason: refused.code().to_owned() }))
                };
                return refused.iter().filter_map(told).collect();
            }
            entries.retain(|entry| refused.iter().any(|refused| refused.id() == entry.id()));
            tokio::time::sleep(pause(tries)).await;
        }
        Vec::new()
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
        // What fills requests by itself has nothing to gain, and would have others wait.
        if entries.len() >= waves::MOST {
            return self.send_all(queue, vec![entries]).await.into_iter().collect();
        }
        self.wire(queue).together.send(entries, async |parts| self.send_all(queue, parts).await).await
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
            let request = self.client.change_message_visibility_batch().queue_url(&self.wire(queue).url);
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
