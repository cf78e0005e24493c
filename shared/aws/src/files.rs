//! Files in S3: read in ranges, pinned to a version and to its entity tag.

mod list;
mod parts;
mod upload;

use std::{
    ops::Range,
    sync::{Arc, OnceLock},
};

use aws_sdk_s3::{
    Client, Config,
    error::ProvideErrorMetadata as _,
    operation::get_object::{GetObjectError, GetObjectOutput, builders::GetObjectFluentBuilder},
    primitives::ByteStream,
};
use bridge_pipeline::ports::{Files, Pinned, PortError};

use crate::error::{broken, failed};

/// [`Files`] over S3.
#[derive(Debug, Clone)]
pub struct S3Files {
    config: Arc<Config>,
    /// Built with the first file: most processes never see one.
    client: Arc<OnceLock<Client>>,
    bucket: String,
    /// An emulator gives ranges of the newest version only. There the entity tag alone has to do: a version that has been
    /// replaced is gone.
    by_version: bool,
}

const PUT: &str = "s3.PutObject";
const GET: &str = "s3.GetObject";

impl S3Files {
    pub(crate) fn new(config: Arc<Config>, bucket: String, by_version: bool) -> Self {
        Self { config, client: Arc::default(), bucket, by_version }
    }

    pub(crate) fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::from_conf((*self.config).clone()))
    }

    async fn bytes(&self, request: GetObjectFluentBuilder) -> Result<Option<Vec<u8>>, PortError> {
        match request.send().await {
            Ok(GetObjectOutput { body, .. }) => {
                let body = body.collect().await.map_err(|error| broken(GET, &error))?;
                Ok(Some(body.to_vec()))
            }
            Err(error) if error.as_service_error().is_some_and(is_another) => Ok(None),
            Err(error) => Err(failed(GET, &error)),
        }
    }
}

/// The object is not there, or is no longer what it was.
fn is_another(error: &GetObjectError) -> bool {
    error.is_no_such_key()
        || matches!(error.code(), Some("PreconditionFailed" | "NoSuchVersion" | "NotFound"))
}

impl Files for S3Files {
    async fn read(&self, file: &Pinned, range: Range<u64>) -> Result<Option<Vec<u8>>, PortError> {
        let Range { start, end } = range;
        let request = self
            .client()
            .get_object()
            .bucket(&self.bucket)
            .key(&file.key)
            .set_version_id(file.version.clone().filter(|_| self.by_version))
            .if_match(format!("\"{}\"", file.etag))
            .range(format!("bytes={start}-{}", end.saturating_sub(1)));
        self.bytes(request).await
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), PortError> {
        let request = self.client().put_object().bucket(&self.bucket).key(key).body(ByteStream::from(bytes));
        request.send().await.map(|_| ()).map_err(|error| failed(PUT, &error))
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.bytes(self.client().get_object().bucket(&self.bucket).key(key)).await
    }

    async fn begin_upload(&self, key: &str) -> Result<String, PortError> {
        self.begin_parts(key).await
    }

    async fn put_part(
        &self,
        key: &str,
        upload: &str,
        part: u32,
        bytes: Vec<u8>,
    ) -> Result<String, PortError> {
        self.one_part(key, upload, part, bytes).await
    }

    async fn complete_upload(&self, key: &str, upload: &str, parts: &[String]) -> Result<bool, PortError> {
        self.complete_parts(key, upload, parts).await
    }
}
