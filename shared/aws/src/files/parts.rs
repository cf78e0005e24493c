//! An object that comes in parts, and is seen when it is whole.

use aws_sdk_s3::{
    error::ProvideErrorMetadata as _,
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bridge_pipeline::ports::PortError;

use super::S3Files;
use crate::error::failed;

const BEGIN: &str = "s3.CreateMultipartUpload";
const PART: &str = "s3.UploadPart";
const END: &str = "s3.CompleteMultipartUpload";
const HEAD: &str = "s3.HeadObject";

impl S3Files {
    pub(super) async fn begin_parts(&self, key: &str) -> Result<String, PortError> {
        let begun = self.client().create_multipart_upload().bucket(&self.bucket).key(key).send().await;
        let id = begun.map_err(|error| failed(BEGIN, &error))?.upload_id.filter(|id| !id.is_empty());
        id.ok_or_else(|| PortError { operation: BEGIN, reason: "an answer without an id".to_owned() })
    }

    pub(super) async fn one_part(
        &self,
        key: &str,
        upload: &str,
        part: u32,
        bytes: Vec<u8>,
    ) -> Result<String, PortError> {
        let put = self.client().upload_part().bucket(&self.bucket).key(key).upload_id(upload);
        let put = put.part_number(number(part)).body(ByteStream::from(bytes)).send().await;
        let tag = put.map_err(|error| failed(PART, &error))?.e_tag;
        tag.ok_or_else(|| PortError { operation: PART, reason: "an answer without an entity tag".to_owned() })
    }

    pub(super) async fn complete_parts(
        &self,
        key: &str,
        upload: &str,
        parts: &[String],
    ) -> Result<bool, PortError> {
        let part = |(number_of, tag): (u32, &String)| {
            CompletedPart::builder().part_number(number(number_of)).e_tag(tag).build()
        };
        let all =
            CompletedMultipartUpload::builder().set_parts(Some((1..).zip(parts).map(part).collect())).build();
        let end = self.client().complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        match end.multipart_upload(all).send().await {
            Ok(_) => Ok(true),
            // Completed by a call that seemed to fail, or by one that came before a crash; or cleared away after a day.
            Err(error) if error.code() == Some("NoSuchUpload") => self.is_there(key).await,
            Err(error) => Err(failed(END, &error)),
        }
    }

    async fn is_there(&self, key: &str) -> Result<bool, PortError> {
        match self.client().head_object().bucket(&self.bucket).key(key).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => Ok(false),
            Err(error) => Err(failed(HEAD, &error)),
        }
    }
}

/// S3 counts to 10,000.
fn number(part: u32) -> i32 {
    i32::try_from(part).unwrap_or(i32::MAX)
}
