//! What AWS charges for what the bridge does: list prices of us-east-1, without any free tier.

/// When the prices were looked up.
pub(super) const AS_OF: &str = "2026-11-22";

/// How a kind of call is billed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Price {
    /// What is counted.
    pub(super) unit: &'static str,
    /// USD per million of them.
    pub(super) per_million: f64,
    /// Whether [`bridge_aws::Tally::units`] are what is billed; else the calls are.
    pub(super) by_units: bool,
}

const fn calls(unit: &'static str, per_million: f64) -> Price {
    Price { unit, per_million, by_units: false }
}

const fn units(unit: &'static str, per_million: f64) -> Price {
    Price { unit, per_million, by_units: true }
}

/// An HTTP API's request of up to 512 KB.
pub(super) const HTTP_API: Price = calls("request", 1.00);
/// A function's invocation.
pub(super) const INVOCATION: Price = calls("invocation", 0.20);
/// A function's duration on arm64, per GB and second.
pub(super) const GB_SECOND: Price = calls("GB-second", 13.3334);
/// What a function logs.
pub(super) const LOG_GB: f64 = 0.50;

/// The price of a call by its name in the meter, `service.Operation`.
pub(super) fn price(call: &str) -> Option<Price> {
    let (service, operation) = call.split_once('.')?;
    Some(match (service, operation) {
        ("dynamodb", "GetItem" | "BatchGetItem" | "Query") => units("read unit", 0.125),
        ("dynamodb", _) => units("write unit", 0.625),
        // FIFO, per 64 KiB.
        ("sqs", _) => units("request", 0.50),
        ("kms", _) => calls("request", 3.00),
        ("s3", "GetObject" | "HeadObject") => calls("request", 0.40),
        ("s3", _) => calls("request", 5.00),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_cost_what_they_are() {
        let of = |call| price(call).map(|price| (price.unit, price.per_million));
        assert_eq!(of("dynamodb.GetItem"), Some(("read unit", 0.125)));
        assert_eq!(of("dynamodb.TransactWriteItems"), Some(("write unit", 0.625)));
        assert_eq!(of("sqs.DeleteMessageBatch"), Some(("request", 0.50)));
        assert_eq!(of("s3.PutObject"), Some(("request", 5.00)));
        assert_eq!(of("iam.CreateRole"), None);
    }
}
