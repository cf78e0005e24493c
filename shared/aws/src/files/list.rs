//! What lies in the bucket, for whoever shows it.

use bridge_pipeline::ports::PortError;

use super::S3Files;
use crate::error::failed;

impl S3Files {
    /// The keys that begin with `prefix`, each with its entity tag.
    ///
    /// # Errors
    /// When S3 fails.
    pub async fn list(&self, prefix: &str) -> Result<Vec<(String, String)>, PortError> {
        let mut found = Vec::new();
        let mut next = None;
        loop {
            let page = self.client().list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let page = page.set_continuation_token(next).send().await;
            let page = page.map_err(|error| failed("s3.ListObjectsV2", &error))?;
            let object = |object: &aws_sdk_s3::types::Object| {
                Some((object.key()?.to_owned(), object.e_tag().unwrap_or_default().to_owned()))
            };
            found.extend(page.contents().iter().filter_map(object));
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}
