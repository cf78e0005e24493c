//! An [SQS event](https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html) and its
//! [partial batch response](https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).

use std::collections::HashSet;

use bridge_aws::admin::Polled;
use serde_json::{Value, json};

/// The event for a batch of one queue.
pub(crate) fn event(queue_arn: &str, batch: &[Polled]) -> Value {
    let region = queue_arn.split(':').nth(3).unwrap_or_default();
    let record = |record: &Polled| {
        json!({
            "messageId": record.id,
            "receiptHandle": record.receipt,
            "body": record.body,
            "attributes": record.attributes,
            "messageAttributes": {},
            "md5OfBody": record.md5,
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": region,
        })
    };
    json!({"Records": batch.iter().map(record).collect::<Vec<_>>()})
}

/// The records that a function is done with, by index: what Lambda deletes from the queue.
///
/// A response that can't be read, or that names a record which was not in the batch, fails the whole batch, as on
/// Lambda.
pub(crate) fn done(batch: &[Polled], response: &Value, partial: bool) -> Vec<usize> {
    let all = || (0..batch.len()).collect();
    if !partial {
        return all();
    }
    let failures = match &response["batchItemFailures"] {
        Value::Null => return all(),
        Value::Array(failures) => failures,
        _ => return Vec::new(),
    };
    let failed: Option<HashSet<&str>> =
        failures.iter().map(|failure| failure["itemIdentifier"].as_str()).collect();
    match failed {
        Some(failed) if failed.iter().all(|id| batch.iter().any(|record| record.id == *id)) => {
            (0..batch.len()).filter(|&at| !failed.contains(batch[at].id.as_str())).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn record(id: &str) -> Polled {
        let attributes = [
            ("ApproximateFirstReceiveTimestamp", "1767225600001"),
            ("ApproximateReceiveCount", "1"),
            ("MessageDeduplicationId", "msg_a"),
            ("MessageGroupId", "lane_a"),
            ("SenderId", "AIDA"),
            ("SentTimestamp", "1767225600000"),
            ("SequenceNumber", "18849496460467696128"),
        ];
        Polled {
            id: id.to_owned(),
            receipt: format!("handle-of-{id}"),
            body: r#"{"normalize.v1":{}}"#.to_owned(),
            md5: "098f6bcd4621d373cade4e832627b4f6".to_owned(),
            attributes: BTreeMap::from(attributes.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        }
    }

    #[test]
    fn an_event_has_lambdas_shape() {
        insta::assert_json_snapshot!(event(
            "arn:aws:sqs:us-east-1:000000000000:bridge-inbound.fifo",
            &[record("1")]
        ));
    }

    #[test]
    fn only_what_did_not_fail_is_done() {
        let batch = [record("1"), record("2"), record("3")];
        let done = |response: Value| super::done(&batch, &response, true);
        assert_eq!(done(json!({"batchItemFailures": [{"itemIdentifier": "2"}]})), [0, 2]);
        assert_eq!(done(json!({"batchItemFailures": []})), [0, 1, 2]);
        assert_eq!(done(Value::Null), [0, 1, 2], "no answer is success");
        assert!(
            done(json!({"batchItemFailures": [{"itemIdentifier": "9"}]})).is_empty(),
            "not of this batch"
        );
        assert!(done(json!({"batchItemFailures": [{"itemIdentifier": ""}]})).is_empty());
        assert!(done(json!({"batchItemFailures": [{}]})).is_empty());
        assert!(done(json!({"batchItemFailures": "2"})).is_empty());
    }
}
