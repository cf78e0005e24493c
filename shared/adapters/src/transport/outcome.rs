//! What came of an HTTP call.
//!
//! | answer | outcome |
//! |---|---|
//! | 2xx | delivered |
//! | what the manifest's signals declare | throttled, as they say how to read |
//! | 429 | throttled, no earlier than `Retry-After` says |
//! | 408, 425, 5xx | retry, no earlier than `Retry-After` says |
//! | other 4xx, 3xx | rejected: the same request would fare the same |
//! | no connection | retry: nothing was sent |
//! | a time-out or a broken connection afterwards | unknown: it may have been taken |

use std::{error::Error, io};

use bridge_core::{Cause, Timestamp, destination::Outcome, manifest::Signal};
use reqwest::{Response, StatusCode, header::RETRY_AFTER};

use super::{retry_after, signals};

/// The reply's body is only read where a signal may be in it: a short one has arrived with the head, and the connection
/// serves again; a long one costs its connection.
pub(super) async fn of(
    answer: Result<Response, reqwest::Error>,
    signals: &[Signal],
    now: Timestamp,
) -> Outcome {
    match answer {
        Ok(mut response) => match signals::throttle(&mut response, signals, now).await {
            Some(after) => Outcome::Throttled { after, cause: status_cause(response.status()) },
            None => answered(&response, now),
        },
        Err(error) => unanswered(&error),
    }
}

pub(super) fn answered(response: &Response, now: Timestamp) -> Outcome {
    let status = response.status();
    let cause = status_cause(status);
    match status {
        _ if status.is_success() => Outcome::Delivered,
        StatusCode::TOO_MANY_REQUESTS => Outcome::Throttled { after: wait(response, now), cause },
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY => {
            Outcome::Retry { after: wait(response, now), cause }
        }
        _ if status.is_server_error() => Outcome::Retry { after: wait(response, now), cause },
        _ => Outcome::Rejected(cause),
    }
}

/// The status alone: reason phrases and bodies are the receiver's words, and may repeat what was sent.
fn status_cause(status: StatusCode) -> Cause {
    Cause::new("destination.status", format!("answered {}", status.as_u16()))
}

fn wait(response: &Response, now: Timestamp) -> Option<std::time::Duration> {
    let value = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    retry_after::parse(value, now)
}

fn unanswered(error: &reqwest::Error) -> Outcome {
    if error.is_connect() {
        let text = io_reason(error)
            .map_or_else(|| "no connection".to_owned(), |why| format!("no connection: {why}"));
        return Outcome::Retry { after: None, cause: Cause::new("destination.connect", text) };
    }
    if error.is_builder() {
        return Outcome::Rejected(Cause::new("destination.configuration", "the request cannot be built"));
    }
    Outcome::Unknown(if error.is_timeout() {
        Cause::new("destination.timeout", "no answer in time")
    } else {
        Cause::new("destination.broken", "the connection broke before the answer")
    })
}

/// The operating system's word for it (`connection refused`), which names neither the address nor the data.
fn io_reason(error: &reqwest::Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return Some(error.kind());
        }
        source = error.source();
    }
    None
}
