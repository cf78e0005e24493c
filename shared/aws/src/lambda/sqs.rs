//! SQS event sources: events as batches of records, and partial batch responses.

use std::{borrow::Cow, time::Duration};

use bridge_core::Timestamp;
use bridge_pipeline::{
    batch::{self, Received, Worker},
    ports::{Ports, QueueName},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{EventError, Invocation, in_time::InTime};
use crate::Settings;

const KIND: &str = "SQS";
/// What is left of an invocation to hide what comes back, and to answer.
const TO_ANSWER: Duration = Duration::from_secs(1);
const DEAD_LETTERS: &str = "-dead-letters";

/// The records of an event, all from one queue.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The queue's name.
    pub queue: String,
    /// In the queue's order.
    pub records: Vec<Received>,
}

/// Where records come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A queue.
    Queue(QueueName),
    /// What that queue gave up on.
    DeadLetters(QueueName),
}

/// The names of the queues, as event sources have them.
#[derive(Debug, Clone)]
pub struct Sources([(String, Source); 12]);

impl Sources {
    /// The names in these settings, and those of their dead letter queues.
    pub fn new(settings: &Settings) -> Self {
        let name = |url: &str| url.rsplit('/').next().unwrap_or_default().to_owned();
        // infra/template.yaml names dead letter queues after their queue.
        let dead = |url: &str| match name(url).strip_suffix(".fifo") {
            Some(stem) => format!("{stem}{DEAD_LETTERS}.fifo"),
            None => name(url) + DEAD_LETTERS,
        };
        let Settings { inbound_queue_url: inbound, outbound_queue_url: outbound, .. } = settings;
        let (commands, polls) = (&settings.commands_queue_url, &settings.polls_queue_url);
        let (drops, exports) = (&settings.drops_queue_url, &settings.exports_queue_url);
        Self([
            (name(inbound), Source::Queue(QueueName::Inbound)),
            (name(outbound), Source::Queue(QueueName::Outbound)),
            (name(commands), Source::Queue(QueueName::Commands)),
            (name(polls), Source::Queue(QueueName::Polls)),
            (dead(inbound), Source::DeadLetters(QueueName::Inbound)),
            (dead(outbound), Source::DeadLetters(QueueName::Outbound)),
            (dead(commands), Source::DeadLetters(QueueName::Commands)),
            (dead(polls), Source::DeadLetters(QueueName::Polls)),
            (name(drops), Source::Queue(QueueName::Drops)),
            (dead(drops), Source::DeadLetters(QueueName::Drops)),
            (name(exports), Source::Queue(QueueName::Exports)),
            (dead(exports), Source::DeadLetters(QueueName::Exports)),
        ])
    }

    /// Where a batch comes from.
    ///
    /// # Errors
    /// When the queue is none of the bridge's.
    pub fn of(&self, batch: &Batch) -> Result<Source, EventError> {
        let found = self.0.iter().find(|(name, _)| *name == batch.queue);
        found.map(|(_, source)| *source).ok_or_else(|| EventError::UnknownQueue(batch.queue.clone()))
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    message_id: String,
    receipt_handle: String,
    body: String,
    #[serde(borrow)]
    attributes: Attributes<'a>,
    #[serde(borrow, rename = "eventSourceARN")]
    event_source_arn: Cow<'a, str>,
}

/// Numbers come as text. What a standard queue's records lack is empty: each is a group of its own.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes<'a> {
    #[serde(default)]
    message_group_id: String,
    #[serde(default)]
    sequence_number: String,
    #[serde(borrow)]
    approximate_receive_count: Cow<'a, str>,
    #[serde(borrow)]
    sent_timestamp: Cow<'a, str>,
}

/// Reads an event.
///
/// # Errors
/// When it is not one of SQS.
pub fn read(event: &[u8]) -> Result<Batch, EventError> {
    let event: Event<'_> = super::read(KIND, event)?;
    let arn = event.records.first().map(|record| &*record.event_source_arn).unwrap_or_default();
    let queue = arn.rsplit(':').next().unwrap_or_default().to_owned();
    let records = event.records.into_iter().map(|record| Received {
        group: Some(record.attributes.message_group_id)
            .filter(|group| !group.is_empty())
            .unwrap_or_else(|| record.message_id.clone()),
        id: record.message_id,
        receipt: record.receipt_handle,
        body: record.body,
        sequence: record.attributes.sequence_number,
        receives: record.attributes.approximate_receive_count.parse().unwrap_or(1),
        sent_at: Timestamp::from_millis(record.attributes.sent_timestamp.parse().unwrap_or(0)),
    });
    Ok(Batch { queue, records: records.collect() })
}

/// Works the records in the invocation's time, and answers which of them must come back.
pub async fn run<P: Ports>(
    ports: &P,
    worker: &impl Worker,
    records: Vec<Received>,
    invocation: &Invocation,
) -> Value {
    write(&batch::run(ports, &InTime(worker), records, invocation.deadline - TO_ANSWER).await)
}

/// A partial batch response (`ReportBatchItemFailures`).
fn write(failed: &[String]) -> Value {
    let failures: Vec<Value> = failed.iter().map(|id| json!({"itemIdentifier": id})).collect();
    json!({"batchItemFailures": failures})
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TWO_LANES: &[u8] = include_bytes!("../../../../events/normalize/two-lanes.json");

    fn sources() -> Sources {
        let url = |name: &str| format!("https://sqs.us-east-1.amazonaws.com/000000000000/{name}");
        Sources::new(&Settings {
            ledger_table: String::new(),
            resources_table: String::new(),
            config_table: String::new(),
            inbound_queue_url: url("bridge-inbound.fifo"),
            outbound_queue_url: url("bridge-outbound.fifo"),
            commands_queue_url: url("bridge-commands.fifo"),
            polls_queue_url: url("bridge-polls.fifo"),
            exports_queue_url: url("bridge-exports.fifo"),
            drops_queue_url: url("bridge-drops"),
            payload_bucket: String::new(),
            files_bucket: String::new(),
            stack: String::new(),
            key_id: String::new(),
            endpoint: None,
            region: None,
            credentials: None,
        })
    }

    #[test]
    fn records_carry_what_order_and_deadlines_rest_on() {
        let batch = read(TWO_LANES).unwrap();
        assert_eq!((&*batch.queue, batch.records.len()), ("bridge-inbound.fifo", 3));
        let record = &batch.records[2];
        assert_eq!(record.id, "5f3c1c1e-0000-4000-8000-000000000003");
        assert_eq!(record.receipt, "AQEBsyntheticReceiptHandle3==");
        assert_eq!(record.group, format!("lane_{}", "c".repeat(26)));
        assert_eq!(record.sequence, "18800000000000000003");
        assert_eq!((record.receives, record.sent_at.as_millis()), (1, 1_795_338_930_003));
        assert!(record.body.starts_with(r#"{"normalize.v1":"#));
    }

    #[test]
    fn a_batch_is_known_by_its_queue() {
        let of = |queue: &str| sources().of(&Batch { queue: queue.to_owned(), records: Vec::new() });
        assert_eq!(of("bridge-commands.fifo"), Ok(Source::Queue(QueueName::Commands)));
        assert_eq!(of("bridge-inbound-dead-letters.fifo"), Ok(Source::DeadLetters(QueueName::Inbound)));
        assert_eq!(of("bridge-outbound-dead-letters.fifo"), Ok(Source::DeadLetters(QueueName::Outbound)));
        assert_eq!(of("bridge-drops"), Ok(Source::Queue(QueueName::Drops)));
        assert_eq!(of("bridge-drops-dead-letters"), Ok(Source::DeadLetters(QueueName::Drops)));
        assert_eq!(of("other.fifo"), Err(EventError::UnknownQueue("other.fifo".to_owned())));
    }

    #[test]
    fn an_event_of_another_kind_is_refused_without_quoting_it() {
        for event in [&br#"{"rawPath":"Zyxwv"}"#[..], br#"{"Records":[{"body":["Zyxwv"]}]}"#] {
            let error = read(event).unwrap_err().to_string();
            assert!(error.starts_with("not an event of SQS"), "{error}");
            assert!(!error.contains("Zyxwv"), "{error}");
        }
    }

    #[test]
    fn the_answer_names_what_must_come_back_and_nothing_else() {
        assert_eq!(write(&[]), json!({"batchItemFailures": []}));
        let two = write(&["a".to_owned(), "b".to_owned()]);
        assert_eq!(two, json!({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}));
    }
}
