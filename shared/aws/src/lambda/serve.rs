//! `main` of every function.

use std::{error::Error, process::ExitCode, time::Duration};

use bridge_core::Timestamp;
use bridge_pipeline::ports::Clock as _;
use lambda_runtime::{Diagnostic, LambdaEvent, Runtime, service_fn};
use serde_json::value::RawValue;
use tokio::runtime;

use super::{EventError, Function, Invocation, Warm, install_log, invoke};
use crate::{Aws, Settings, SystemClock, client::Place, settings::variable};

type BoxError = Box<dyn Error + Send + Sync>;

/// Builds the function, warms what it will use, and serves Lambda until Lambda ends the process.
pub fn main<F: Function>(warm: &[Warm], build: impl FnOnce(Aws) -> Result<F, BoxError>) -> ExitCode {
    install_log();
    // One thread: a function has a fraction of a processor until 1,769 MB.
    let served = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BoxError::from)
        .and_then(|runtime| runtime.block_on(serve(warm, build)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function can't start");
            ExitCode::FAILURE
        }
    }
}

async fn serve<F: Function>(
    warm: &[Warm],
    build: impl FnOnce(Aws) -> Result<F, BoxError>,
) -> Result<(), BoxError> {
    if variable("AWS_LAMBDA_RUNTIME_API").is_none() {
        return Err("this is a Lambda function: start it with `cargo lambda watch`, or the whole bridge with `cargo run`"
            .into());
    }
    let aws = Aws::at(Place::Lambda, Settings::from_env()?).await;
    let function = build(aws.clone())?;
    aws.warm_up(warm).await;
    let handler = service_fn(async |event: LambdaEvent<Box<RawValue>>| {
        let invocation = Invocation {
            request_id: event.context.request_id,
            deadline: deadline(event.context.deadline, SystemClock.now()),
        };
        let answer = invoke(&function, event.payload.get().as_bytes(), &invocation).await;
        answer.map_err(|error| diagnostic(&error))
    });
    Runtime::new(handler).run().await
}

/// The longest that Lambda lets a function run, in milliseconds.
const LONGEST: u64 = 900_000;

/// When the invocation ends, from `Lambda-Runtime-Deadline-Ms`: a time on Lambda, and a duration from `cargo lambda watch`.
fn deadline(millis: u64, now: Timestamp) -> Timestamp {
    if millis <= LONGEST {
        return now + Duration::from_millis(millis);
    }
    Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
}

fn diagnostic(error: &EventError) -> Diagnostic {
    Diagnostic { error_type: error.kind().to_owned(), error_message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_is_a_time_or_a_duration() {
        let now = Timestamp::from_millis(1_790_000_000_000);
        assert_eq!(deadline(1_790_000_030_000, now), now + Duration::from_secs(30));
        assert_eq!(deadline(600_000, now), now + Duration::from_mins(10), "cargo lambda watch");
    }
}
