//! What `bridge up` asks of AWS and no function does: creating what the template declares, and being the event
//! source that Lambda has built in. Creating is idempotent: what is there already is found and left as it is.

mod create;
mod poll;
mod spec;

pub use poll::Polled;
pub use spec::{IndexSpec, KeySpec, QueueSpec, TableSpec};

use crate::{
    Credentials, Meter,
    client::{Place, loader},
};

/// The clients, for one endpoint.
#[derive(Debug, Clone)]
pub struct Admin {
    dynamodb: aws_sdk_dynamodb::Client,
    kms: aws_sdk_kms::Client,
    s3: aws_sdk_s3::Client,
    sqs: aws_sdk_sqs::Client,
}

impl Admin {
    /// For something that speaks AWS's protocols at `endpoint`. Calls nobody. What an event source calls is counted
    /// by `meter`, as it is billed with the rest.
    pub async fn new(endpoint: &str, region: &str, credentials: &Credentials, meter: &Meter) -> Self {
        let shared = loader(Place::Anywhere, Some(endpoint), Some(region), Some(credentials)).load().await;
        let s3 = aws_sdk_s3::config::Builder::from(&shared).force_path_style(true).build();
        let sqs = aws_sdk_sqs::config::Builder::from(&shared).interceptor(meter.clone()).build();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&shared),
            kms: aws_sdk_kms::Client::new(&shared),
            s3: aws_sdk_s3::Client::from_conf(s3),
            sqs: aws_sdk_sqs::Client::from_conf(sqs),
        }
    }
}
