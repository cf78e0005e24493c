//! Keys that sign, in KMS: made there, and never to be had from there.
//!
//! Which of them the bridge may use is said by a tag that holds the stack's name: the functions' policy asks for it.

use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec, Tag},
};
use bridge_pipeline::ports::{JwtAlgorithm, PortError, Signing};

use crate::error::{broken, failed};

/// The tag of a stack's keys.
const TAG: &str = "pms-bridge";
/// Days until a key that is to be deleted is gone: the longest time that KMS knows, as it is for ever.
const PENDING_DAYS: i32 = 30;

const SIGN: &str = "kms.Sign";
const CREATE: &str = "kms.CreateKey";

/// [`Signing`] over KMS.
#[derive(Debug, Clone)]
pub struct KmsSigning(Client);

/// A key that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeKey {
    /// Its ARN.
    pub arn: String,
    /// Its public half: SubjectPublicKeyInfo in DER.
    pub public: Vec<u8>,
}

impl KmsSigning {
    pub(crate) const fn new(client: Client) -> Self {
        Self(client)
    }

    /// Makes a key that the functions of `stack` may sign with: RSA of 3072 bits, or P-384.
    ///
    /// # Errors
    /// When KMS refuses, or answers without a key.
    pub async fn make(&self, stack: &str, algorithm: JwtAlgorithm) -> Result<MadeKey, PortError> {
        let spec = match algorithm {
            JwtAlgorithm::Rs384 => KeySpec::Rsa3072,
            JwtAlgorithm::Es384 => KeySpec::EccNistP384,
        };
        let tag = Tag::builder().tag_key(TAG).tag_value(stack).build();
        let made = self
            .0
            .create_key()
            .key_spec(spec)
            .key_usage(KeyUsageType::SignVerify)
            .description(format!("{stack} - proves to products who the bridge is ({})", algorithm.as_str()))
            .tags(tag.map_err(|error| broken(CREATE, &error))?)
            .send()
            .await
            .map_err(|error| failed(CREATE, &error))?;
        let arn = made.key_metadata.and_then(|key| key.arn).ok_or_else(|| without(CREATE))?;
        const PUBLIC: &str = "kms.GetPublicKey";
        let public = self.0.get_public_key().key_id(&arn).send().await;
        let public = public.map_err(|error| failed(PUBLIC, &error))?.public_key;
        Ok(MadeKey { arn, public: public.ok_or_else(|| without(PUBLIC))?.into_inner() })
    }

    /// Has a key deleted in a month; until then that can be taken back, and nothing is signed with it.
    ///
    /// # Errors
    /// When KMS refuses.
    pub async fn delete(&self, key: &str) -> Result<(), PortError> {
        let request = self.0.schedule_key_deletion().key_id(key).pending_window_in_days(PENDING_DAYS);
        request.send().await.map(drop).map_err(|error| failed("kms.ScheduleKeyDeletion", &error))
    }
}

impl Signing for KmsSigning {
    async fn sign(&self, key: &str, algorithm: JwtAlgorithm, message: &[u8]) -> Result<Vec<u8>, PortError> {
        let spec = match algorithm {
            JwtAlgorithm::Rs384 => SigningAlgorithmSpec::RsassaPkcs1V15Sha384,
            JwtAlgorithm::Es384 => SigningAlgorithmSpec::EcdsaSha384,
        };
        let request = self.0.sign().key_id(key).signing_algorithm(spec).message_type(MessageType::Raw);
        let signed = request.message(Blob::new(message)).send().await;
        let signed = signed.map_err(|error| failed(SIGN, &error))?.signature.ok_or_else(|| without(SIGN))?;
        match algorithm {
            JwtAlgorithm::Rs384 => Ok(signed.into_inner()),
            JwtAlgorithm::Es384 => numbers(signed.as_ref(), 48).ok_or_else(|| without(SIGN)),
        }
    }
}

fn without(operation: &'static str) -> PortError {
    PortError { operation, reason: "an answer that can't be used".to_owned() }
}

/// The two numbers of an `Ecdsa-Sig-Value` in DER (RFC 3279, section 2.2.3), `size` bytes each, as a JWT carries them.
fn numbers(der: &[u8], size: usize) -> Option<Vec<u8>> {
    let (&[0x30, length], rest) = der.split_first_chunk()? else { return None };
    if usize::from(length) != rest.len() {
        return None;
    }
    let (r, rest) = number(rest)?;
    let (s, rest) = number(rest)?;
    let padded = |number: &[u8]| Some([vec![0; size.checked_sub(number.len())?], number.to_vec()].concat());
    rest.is_empty().then_some(())?;
    Some([padded(r)?, padded(s)?].concat())
}

/// An INTEGER without the zero that keeps it positive, and what follows it.
fn number(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&[0x02, length], rest) = der.split_first_chunk()? else { return None };
    let (number, rest) = rest.split_at_checked(usize::from(length))?;
    Some((number.strip_prefix(&[0]).unwrap_or(number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_become_two_numbers_of_one_length() {
        let der = [0x30, 0x08, 0x02, 0x02, 0x00, 0x81, 0x02, 0x02, 0x12, 0x34];
        assert_eq!(numbers(&der, 3), Some(vec![0, 0, 0x81, 0, 0x12, 0x34]));
        assert_eq!(numbers(&der, 1), None, "a number that is too long");
        for cut in 0..der.len() {
            assert_eq!(numbers(&der[..cut], 3), None);
        }
    }
}
