//! Putting a file of any size into the bucket: in parts, from a practice's slow line.

use std::{path::Path, time::Duration};

use aws_sdk_s3::{
    config::{Builder, timeout::TimeoutConfig},
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bridge_pipeline::ports::PortError;
use tokio::{fs::File, io::AsyncReadExt as _};

use super::{PUT, S3Files};
use crate::error::{broken, failed};

/// Bytes of a part. S3 takes 10,000 of them.
const PART: usize = 16 << 20;
/// What a part may take: 140 KB a second are enough.
const PATIENCE: Duration = Duration::from_mins(2);

impl S3Files {
    /// Puts a file under `key`, and gives its entity tag. `sent` is told how many bytes are there.
    ///
    /// # Errors
    /// When the file can't be read, or S3 fails.
    pub async fn upload(
        &self,
        key: &str,
        path: &Path,
        mut sent: impl FnMut(u64),
    ) -> Result<String, PortError> {
        let unreadable = |error: std::io::Error| PortError { operation: "read", reason: error.to_string() };
        let mut file = File::open(path).await.map_err(unreadable)?;
        let first = part(&mut file).await.map_err(unreadable)?;
        if first.len() < PART {
            let length = first.len() as u64;
            let put = self.client().put_object().bucket(&self.bucket).key(key).body(ByteStream::from(first));
            let put = put.customize().config_override(patient()).send().await;
            sent(length);
            let put = put.map_err(|error| failed(PUT, &error))?;
            return Ok(put.e_tag.unwrap_or_default().trim_matches('"').to_owned());
        }
        self.upload_parts(key, first, file, sent).await
    }

    async fn upload_parts(
        &self,
        key: &str,
        first: Vec<u8>,
        mut file: File,
        mut sent: impl FnMut(u64),
    ) -> Result<String, PortError> {
        const BEGIN: &str = "s3.CreateMultipartUpload";
        const END: &str = "s3.CompleteMultipartUpload";
        let begun = self.client().create_multipart_upload().bucket(&self.bucket).key(key).send().await;
        let id = begun.map_err(|error| failed(BEGIN, &error))?.upload_id.unwrap_or_default();
        let (mut parts, mut next, mut total) = (Vec::new(), first, 0);
        while !next.is_empty() {
            let (number, length) = (i32::try_from(parts.len() + 1).unwrap_or(i32::MAX), next.len() as u64);
            let body = ByteStream::from(next);
            let put = self.client().upload_part().bucket(&self.bucket).key(key).upload_id(&id);
            let put = put.part_number(number).body(body).customize().config_override(patient()).send().await;
            let tag = put.map_err(|error| failed("s3.UploadPart", &error))?.e_tag;
            parts.push(CompletedPart::builder().part_number(number).set_e_tag(tag).build());
            total += length;
            sent(total);
            next = part(&mut file).await.map_err(|error| broken("read", &error))?;
        }
        // What is never ended is cleared away by the bucket after a day.
        let all = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let end = self.client().complete_multipart_upload().bucket(&self.bucket).key(key).upload_id(id);
        let end = end.multipart_upload(all).customize().config_override(patient()).send().await;
        let tag = end.map_err(|error| failed(END, &error))?.e_tag.unwrap_or_default();
        Ok(tag.trim_matches('"').to_owned())
    }
}

fn patient() -> Builder {
    let timeouts =
        TimeoutConfig::builder().operation_attempt_timeout(PATIENCE).operation_timeout(PATIENCE * 3);
    Builder::new().timeout_config(timeouts.build())
}

/// The next part; shorter at the end.
async fn part(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(PART as u64).read_to_end(&mut bytes).await?;
    Ok(bytes)
}
