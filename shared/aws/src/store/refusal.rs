//! Why DynamoDB did not write: what is final, what is worth another try, and what nobody knows.

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::{
        delete_item::DeleteItemError, put_item::PutItemError, transact_write_items::TransactWriteItemsError,
    },
    types::CancellationReason,
};
use bridge_pipeline::ports::PortError;

use super::{DELETE, Item, PUT, TRANSACT};
use crate::error::failed;

/// A write that did not happen, or may not have happened.
#[derive(Debug, PartialEq)]
pub(super) enum Refusal {
    /// A condition does not hold: of which write, and the item that stands there.
    Condition { index: usize, item: Option<Item> },
    /// Nothing was written: another transaction is under way, or there is too much to do.
    Busy(PortError),
    /// It may have been written.
    Failed(PortError),
}

impl Refusal {
    pub(super) fn of_put(error: SdkError<PutItemError, HttpResponse>) -> Self {
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(found)) => {
                Self::Condition { index: 0, item: found.item.clone() }
            }
            _ => Self::other(PUT, &error),
        }
    }

    pub(super) fn of_delete(error: SdkError<DeleteItemError, HttpResponse>) -> Self {
        match error.as_service_error() {
            Some(DeleteItemError::ConditionalCheckFailedException(found)) => {
                Self::Condition { index: 0, item: found.item.clone() }
            }
            _ => Self::other(DELETE, &error),
        }
    }

    pub(super) fn of_transaction(error: SdkError<TransactWriteItemsError, HttpResponse>) -> Self {
        match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                Self::of_reasons(cancelled.cancellation_reasons())
            }
            _ => Self::other(TRANSACT, &error),
        }
    }

    /// One reason per write, in order. A condition that does not hold decides, whatever else is the matter.
    fn of_reasons(reasons: &[CancellationReason]) -> Self {
        let failed = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
        if let Some(index) = reasons.iter().position(failed) {
            return Self::Condition { index, item: reasons[index].item.clone() };
        }
        let code = reasons.iter().filter_map(CancellationReason::code).find(|code| *code != "None");
        Self::of_code(PortError {
            operation: TRANSACT,
            reason: code.unwrap_or("cancelled without a reason").to_owned(),
        })
    }

    fn other<E: ProvideErrorMetadata>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> Self {
        Self::of_code(failed(operation, error))
    }

    fn of_code(error: PortError) -> Self {
        match &*error.reason {
            "TransactionConflict"
            | "TransactionConflictException"
            | "TransactionInProgressException"
            | "ThrottlingError"
            | "ThrottlingException"
            | "ProvisionedThroughputExceeded"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded" => Self::Busy(error),
            _ => Self::Failed(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::types::AttributeValue;

    use super::*;

    fn reason(code: &str, item: Option<Item>) -> CancellationReason {
        CancellationReason::builder().code(code).set_item(item).build()
    }

    #[test]
    fn the_first_condition_that_fails_is_named_with_what_stands_there() {
        let item = Item::from([("pk".to_owned(), AttributeValue::S("p".to_owned()))]);
        let reasons = [
            reason("None", None),
            reason("TransactionConflict", None),
            reason("ConditionalCheckFailed", Some(item.clone())),
            reason("ConditionalCheckFailed", None),
        ];
        assert_eq!(Refusal::of_reasons(&reasons), Refusal::Condition { index: 2, item: Some(item) });
    }

    #[test]
    fn a_transaction_in_the_way_is_worth_another_try_and_a_wrong_request_is_not() {
        for code in ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"] {
            let refusal = Refusal::of_reasons(&[reason("None", None), reason(code, None)]);
            assert!(matches!(&refusal, Refusal::Busy(error) if error.reason == code), "{refusal:?}");
        }
        let refusal = Refusal::of_reasons(&[reason("ValidationError", None)]);
        assert!(
            matches!(&refusal, Refusal::Failed(error) if error.reason == "ValidationError"),
            "{refusal:?}"
        );
    }
}
