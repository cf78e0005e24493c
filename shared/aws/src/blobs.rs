//! Large sealed payloads in S3. The bucket's default encrypts them once more, under the project's key.

use std::sync::{Arc, OnceLock};

use aws_sdk_s3::{Client, Config, operation::get_object::GetObjectError, primitives::ByteStream};
use bridge_pipeline::ports::{Blobs, PortError};

use crate::error::{broken, failed};

/// [`Blobs`] over S3.
#[derive(Debug, Clone)]
pub struct S3Blobs {
    config: Arc<Config>,
    /// Built with the first large payload: most processes never see one.
    client: Arc<OnceLock<Client>>,
    bucket: String,
}

impl S3Blobs {
    pub(crate) fn new(config: Arc<Config>, bucket: String) -> Self {
        Self { config, client: Arc::default(), bucket }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::from_conf((*self.config).clone()))
    }
}

const PUT: &str = "s3.PutObject";
const GET: &str = "s3.GetObject";

impl Blobs for S3Blobs {
    async fn put(&self, key: &str, sealed: Vec<u8>) -> Result<(), PortError> {
        let request = self.client().put_object().bucket(&self.bucket).key(key).body(ByteStream::from(sealed));
        request.send().await.map(|_| ()).map_err(|error| failed(PUT, &error))
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        match self.client().get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => {
                let body = object.body.collect().await.map_err(|error| broken(GET, &error))?;
                Ok(Some(body.to_vec()))
            }
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => Ok(None),
            Err(error) => Err(failed(GET, &error)),
        }
    }
}
