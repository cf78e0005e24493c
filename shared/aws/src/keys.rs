//! Data keys from KMS. The tenant stands in the encryption context, which CloudTrail shows and IAM can bind.

use aws_sdk_kms::{Client, primitives::Blob, types::DataKeySpec};
use bridge_core::id::TenantId;
use bridge_pipeline::ports::{DataKey, Keys, PortError};
use zeroize::Zeroizing;

use crate::error::failed;

/// [`Keys`] over KMS.
#[derive(Debug, Clone)]
pub struct KmsKeys {
    client: Client,
    key_id: String,
}

impl KmsKeys {
    pub(crate) const fn new(client: Client, key_id: String) -> Self {
        Self { client, key_id }
    }

    /// Opens the connection before it is needed: by a key that nobody wrapped, which KMS refuses.
    pub(crate) async fn warm_up(&self) {
        let request = self.client.decrypt().key_id(&self.key_id).ciphertext_blob(Blob::new([0; 16]));
        let _refused = request.encryption_context("tenant", "warm-up").send().await;
    }
}

const GENERATE: &str = "kms.GenerateDataKey";
const DECRYPT: &str = "kms.Decrypt";

fn incomplete(operation: &'static str) -> PortError {
    PortError { operation, reason: "an answer without a key".to_owned() }
}

impl Keys for KmsKeys {
    async fn generate(&self, tenant: &TenantId) -> Result<DataKey, PortError> {
        let answer = self
            .client
            .generate_data_key()
            .key_id(&self.key_id)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context("tenant", tenant.as_str())
            .send()
            .await
            .map_err(|error| failed(GENERATE, &error))?;
        match (answer.plaintext, answer.ciphertext_blob) {
            (Some(plain), Some(wrapped)) => {
                Ok(DataKey { plain: Zeroizing::new(plain.into_inner()), wrapped: wrapped.into_inner() })
            }
            _ => Err(incomplete(GENERATE)),
        }
    }

    async fn unwrap(&self, tenant: &TenantId, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, PortError> {
        let answer = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(wrapped))
            .encryption_context("tenant", tenant.as_str())
            .send()
            .await
            .map_err(|error| failed(DECRYPT, &error))?;
        answer.plaintext.map(|plain| Zeroizing::new(plain.into_inner())).ok_or_else(|| incomplete(DECRYPT))
    }
}
