//! The service clients: built once, over one HTTP client and one set of credentials.

use std::{sync::Arc, time::Duration};

use aws_config::{
    AppName, BehaviorVersion, ConfigLoader, Region, environment::EnvironmentVariableCredentialsProvider,
    identity::IdentityCache, retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_sdk_dynamodb::config::Credentials as AwsCredentials;
use aws_smithy_http_client::{Builder, tls};

use crate::{
    Credentials, DynamoStore, KmsKeys, KmsSigning, Meter, MissingSettings, S3Blobs, S3Files, Settings,
    SqsQueue, lambda::sqs::Sources, settings::variable, trust,
};

/// An HTTP connection is kept this long without use: less than the 60 s after which AWS's side closes it.
const IDLE: Duration = Duration::from_secs(50);
const CONNECT: Duration = Duration::from_secs(2);
/// One try. The largest thing sent is a payload of some MiB.
const ATTEMPT: Duration = Duration::from_secs(4);
/// All tries together: less than the shortest function timeout of `infra/template.yaml`.
const OPERATION: Duration = Duration::from_secs(8);
const ATTEMPTS: u32 = 3;

/// Where the process runs. What Lambda makes known need not be looked for, and looking is most of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Lambda,
    Anywhere,
}

/// Everything of AWS that the pipeline uses. Cheap to clone; clones share connections.
#[derive(Debug, Clone)]
pub struct Aws {
    pub(crate) store: DynamoStore,
    pub(crate) queue: SqsQueue,
    pub(crate) blobs: S3Blobs,
    pub(crate) files: S3Files,
    pub(crate) keys: KmsKeys,
    pub(crate) signing: KmsSigning,
    meter: Meter,
    settings: Arc<Settings>,
}

impl Aws {
    /// As the environment says.
    ///
    /// # Errors
    /// Names every variable that is missing.
    pub async fn from_env() -> Result<Self, MissingSettings> {
        Ok(Self::new(Settings::from_env()?).await)
    }

    /// As `settings` say. Calls nobody: that a name leads nowhere shows with its first use.
    pub async fn new(settings: Settings) -> Self {
        Self::at(Place::Anywhere, settings).await
    }

    pub(crate) async fn at(place: Place, settings: Settings) -> Self {
        let (endpoint, region) = (settings.endpoint.as_deref(), settings.region.as_deref());
        let shared = loader(place, endpoint, region, settings.credentials.as_ref()).load().await;
        let meter = Meter::default();
        let dynamo = aws_sdk_dynamodb::config::Builder::from(&shared).interceptor(meter.clone()).build();
        let sqs = aws_sdk_sqs::config::Builder::from(&shared).interceptor(meter.clone()).build();
        let kms = aws_sdk_kms::config::Builder::from(&shared).interceptor(meter.clone()).build();
        // An emulator has no DNS name per bucket.
        let s3 = aws_sdk_s3::config::Builder::from(&shared)
            .interceptor(meter.clone())
            .force_path_style(settings.endpoint.is_some())
            .build();
        let s3 = Arc::new(s3);
        let kms = aws_sdk_kms::Client::from_conf(kms);
        Self {
            store: DynamoStore::new(aws_sdk_dynamodb::Client::from_conf(dynamo), &settings, meter.clone()),
            queue: SqsQueue::new(aws_sdk_sqs::Client::from_conf(sqs), &settings, meter.clone()),
            blobs: S3Blobs::new(s3.clone(), settings.payload_bucket.clone()),
            files: S3Files::new(s3, settings.files_bucket.clone(), settings.endpoint.is_none()),
            keys: KmsKeys::new(kms.clone(), settings.key_id.clone()),
            signing: KmsSigning::new(kms),
            meter,
            settings: Arc::new(settings),
        }
    }

    /// Counts the calls of all clones, while it is on.
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The keys that sign.
    pub const fn signing(&self) -> &KmsSigning {
        &self.signing
    }

    /// The names it works with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Which queue a record of an SQS event came from.
    pub fn sources(&self) -> Sources {
        Sources::new(&self.settings)
    }
}

/// How all clients are made.
pub(crate) fn loader(
    place: Place,
    endpoint: Option<&str>,
    region: Option<&str>,
    credentials: Option<&Credentials>,
) -> ConfigLoader {
    let http = Builder::new()
        .pool_idle_timeout(IDLE)
        .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc))
        .tls_context(trust::context(place, endpoint))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .identity_cache(IdentityCache::lazy().build())
        .timeout_config(timeouts)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(Duration::from_millis(50)),
        );
    if let Ok(name) = AppName::new("pms-bridge") {
        loader = loader.app_name(name);
    }
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(region) = region {
        loader = loader.region(Region::new(region.to_owned()));
    }
    // The default chain would find them too, after it has built clients for all the places where it looks.
    if place == Place::Lambda && variable("AWS_ACCESS_KEY_ID").is_some() {
        loader = loader.credentials_provider(EnvironmentVariableCredentialsProvider::new());
    }
    if let Some(fixed) = credentials {
        loader = loader.credentials_provider(AwsCredentials::new(
            &fixed.id,
            &fixed.secret,
            None,
            None,
            "settings",
        ));
    }
    loader
}
