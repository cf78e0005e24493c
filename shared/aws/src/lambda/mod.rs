//! What a function is, and how Lambda's runtime is served by one.
//!
//! A [`Function`] takes an event as the bytes that Lambda sends and answers as Lambda wants it, so that the binaries
//! on AWS and `bridge up` on a laptop run the same code on the same JSON. Events are never logged.

pub mod http;
mod in_time;
mod log;
mod panics;
pub mod s3;
mod serve;
pub mod sqs;
mod warm;

use std::panic::AssertUnwindSafe;

use bridge_core::Timestamp;
use futures::{FutureExt as _, future::BoxFuture};
use serde::Deserialize;
use serde_json::Value;
use tracing::Instrument as _;

pub use serve::main;
pub use warm::Warm;

/// For a process that is no function: the log lines of one, and of a panic its place only.
pub fn install_log() {
    log::install();
    panics::install();
}

/// One call of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Lambda's id of the call; on every log line.
    pub request_id: String,
    /// When Lambda stops it.
    pub deadline: Timestamp,
}

/// A Lambda function.
pub trait Function: Send + Sync {
    /// Answers an event. What went wrong with a record or a request is part of the answer; an error means that the
    /// event as a whole could not be worked.
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        invocation: &'a Invocation,
    ) -> BoxFuture<'a, Result<Value, EventError>>;
}

/// An event that was not worked. Holds nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// It is not JSON, or not of the kind that this function works.
    #[error("not an event of {kind}: line {line}, column {column}")]
    Unreadable {
        /// The kind that was expected.
        kind: &'static str,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// Its records are from a queue that the function does not work.
    #[error("{0} is not a queue that this function works")]
    UnknownQueue(String),
    /// Something that the function needs failed. What calls it tries again.
    #[error("{0}")]
    Failed(String),
    /// The function has a defect. The log has its place.
    #[error("the function panicked")]
    Panicked,
}

impl EventError {
    /// The error's kind, as Lambda's metrics and logs show it.
    const fn kind(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "Event.Unreadable",
            Self::UnknownQueue(_) => "Event.UnknownQueue",
            Self::Failed(_) => "Failed",
            Self::Panicked => "Function.Panicked",
        }
    }
}

/// Calls a function as the runtime does: with the request's id on its log lines, and a panic made an error.
///
/// # Errors
/// See [`EventError`]; it has been logged.
pub async fn invoke(
    function: &dyn Function,
    event: &[u8],
    invocation: &Invocation,
) -> Result<Value, EventError> {
    // At the level of errors, so that the id is there whatever is filtered out.
    let span = tracing::error_span!("invocation", request_id = invocation.request_id);
    async {
        let called = AssertUnwindSafe(function.call(event, invocation)).catch_unwind().await;
        let answer = called.unwrap_or(Err(EventError::Panicked));
        if let Err(error) = &answer {
            tracing::error!(kind = error.kind(), %error, "the event was not worked");
        }
        answer
    }
    .instrument(span)
    .await
}

/// Reads an event. serde's own message may quote what it found, so only its position is kept.
fn read<'a, T: Deserialize<'a>>(kind: &'static str, event: &'a [u8]) -> Result<T, EventError> {
    serde_json::from_slice(event).map_err(|error| EventError::Unreadable {
        kind,
        line: error.line(),
        column: error.column(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Defective;

    impl Function for Defective {
        fn call<'a>(
            &'a self,
            event: &'a [u8],
            _: &'a Invocation,
        ) -> BoxFuture<'a, Result<Value, EventError>> {
            Box::pin(async move { panic!("at {}", String::from_utf8_lossy(event)) })
        }
    }

    #[tokio::test]
    async fn a_panic_is_an_error_that_says_nothing_of_the_event() {
        let invocation = Invocation { request_id: "r".to_owned(), deadline: Timestamp::from_millis(0) };
        let answer = invoke(&Defective, b"Zyxwv", &invocation).await;
        assert_eq!(answer, Err(EventError::Panicked));
    }
}
