//! Receiving from a queue and deleting what is done: what Lambda's event source mapping does.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, MessageSystemAttributeName};
use bridge_pipeline::ports::PortError;

use super::Admin;
use crate::error::{broken, failed};

/// SQS receives and deletes at most this many at a time.
const AT_A_TIME: usize = 10;

/// A received record, as an event shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// `MessageId`.
    pub id: String,
    /// `ReceiptHandle`.
    pub receipt: String,
    /// The body.
    pub body: String,
    /// Its MD5, in hex.
    pub md5: String,
    /// All system attributes, by their names.
    pub attributes: BTreeMap<String, String>,
}

impl Admin {
    /// Receives up to `limit` records; waits up to `wait` seconds for the first.
    ///
    /// # Errors
    /// When SQS fails.
    pub async fn receive(&self, queue_url: &str, limit: usize, wait: u8) -> Result<Vec<Polled>, PortError> {
        let received = self
            .sqs
            .receive_message()
            .queue_url(queue_url)
            .max_number_of_messages(i32::try_from(limit.clamp(1, AT_A_TIME)).unwrap_or(1))
            .wait_time_seconds(i32::from(wait))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await
            .map_err(|error| failed("sqs.ReceiveMessage", &error))?;
        let record = |message: aws_sdk_sqs::types::Message| {
            let attributes = message.attributes.unwrap_or_default();
            Polled {
                id: message.message_id.unwrap_or_default(),
                receipt: message.receipt_handle.unwrap_or_default(),
                body: message.body.unwrap_or_default(),
                md5: message.md5_of_body.unwrap_or_default(),
                attributes: attributes.into_iter().map(|(name, value)| (name.to_string(), value)).collect(),
            }
        };
        Ok(received.messages.unwrap_or_default().into_iter().map(record).collect())
    }

    /// Deletes records by their receipts. One that is gone already is no error.
    ///
    /// # Errors
    /// When SQS fails: what was not deleted comes back.
    pub async fn delete(&self, queue_url: &str, receipts: &[String]) -> Result<(), PortError> {
        const OPERATION: &str = "sqs.DeleteMessageBatch";
        for chunk in receipts.chunks(AT_A_TIME) {
            let mut request = self.sqs.delete_message_batch().queue_url(queue_url);
            for (index, receipt) in chunk.iter().enumerate() {
                let entry =
                    DeleteMessageBatchRequestEntry::builder().id(index.to_string()).receipt_handle(receipt);
                request = request.entries(entry.build().map_err(|error| broken(OPERATION, &error))?);
            }
            request.send().await.map_err(|error| failed(OPERATION, &error))?;
        }
        Ok(())
    }
}
