//! What the SDK's errors become: the operation and the service's code, never what was sent.

use std::{error::Error, time::Duration};

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_smithy_runtime_api::client::result::SdkError;
use bridge_pipeline::ports::PortError;

/// Codes whose messages name accounts and resources, and nothing of the request's content.
const HARMLESS: [&str; 12] = [
    "AccessDenied",
    "AccessDeniedException",
    "AWS.SimpleQueueService.NonExistentQueue",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "NoSuchBucket",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFoundException",
    "UnrecognizedClientException",
];

/// An operation that failed, without anything of its request or its answer.
pub(crate) fn failed<E, R>(operation: &'static str, error: &SdkError<E, R>) -> PortError
where
    E: ProvideErrorMetadata,
{
    let reason = match error {
        SdkError::ServiceError(service) => {
            let meta = service.err().meta();
            match (meta.code(), meta.message()) {
                (Some(code), Some(message)) if HARMLESS.contains(&code) => format!("{code}: {message}"),
                (Some(code), _) => code.to_owned(),
                (None, _) => "an error without a code".to_owned(),
            }
        }
        SdkError::TimeoutError(_) => "no answer in time".to_owned(),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(error) => format!("no answer: {}", chain(error)),
            None => "no answer".to_owned(),
        },
        SdkError::ResponseError(_) => "an answer that can't be read".to_owned(),
        _ => "the request could not be made: is the region set, and are there credentials?".to_owned(),
    };
    PortError { operation, reason }
}

/// A request that the SDK refuses to build, or an answer that broke off.
pub(crate) fn broken(operation: &'static str, error: &impl Error) -> PortError {
    PortError { operation, reason: chain(error) }
}

/// The error and what caused it, outermost first.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// How long to wait before the try after `attempt` (0 for the first): full jitter, 50 ms at first, at most 800 ms.
pub(crate) fn pause(attempt: u32) -> Duration {
    Duration::from_millis(50 << attempt.min(4)).mul_f64(fastrand::f64())
}
