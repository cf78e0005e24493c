//! Signing JSON Web Tokens (RFC 7518, section 3) with the two algorithms of SMART backend services.

use aws_lc_rs::{rand::SystemRandom, rsa, signature};

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// ECDSA with P-384 and SHA-384.
    Es384,
}

/// The signature of `message`, as a token carries it. `key` is DER of PKCS #8, or of RFC 8017 or RFC 5915. `None` when it
/// is no such key, or not one for this algorithm.
pub fn sign_jwt(algorithm: JwtAlgorithm, key: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let random = SystemRandom::new();
    match algorithm {
        JwtAlgorithm::Rs384 => {
            let key = rsa::KeyPair::from_pkcs8(key).or_else(|_| rsa::KeyPair::from_der(key)).ok()?;
            let mut signed = vec![0; key.public_modulus_len()];
            key.sign(&signature::RSA_PKCS1_SHA384, &random, message, &mut signed).ok()?;
            Some(signed)
        }
        JwtAlgorithm::Es384 => {
            let curve = &signature::ECDSA_P384_SHA384_FIXED_SIGNING;
            let key = signature::EcdsaKeyPair::from_private_key_der(curve, key).ok()?;
            Some(key.sign(&random, message).ok()?.as_ref().to_vec())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use aws_lc_rs::{
        encoding::AsDer as _,
        signature::{KeyPair as _, UnparsedPublicKey},
    };

    use super::*;

    #[test]
    fn signatures_are_good_under_the_public_key() {
        let key = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let public = key.public_key().as_ref().to_vec();
        let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = key.as_der().unwrap();
        let signed = sign_jwt(JwtAlgorithm::Rs384, der.as_ref(), b"header.payload").unwrap();
        let verify = UnparsedPublicKey::new(&signature::RSA_PKCS1_2048_8192_SHA384, public);
        assert!(verify.verify(b"header.payload", &signed).is_ok());
        assert!(verify.verify(b"header.Payload", &signed).is_err());
        assert!(sign_jwt(JwtAlgorithm::Es384, der.as_ref(), b"m").is_none(), "a key for the other algorithm");

        let curve = &signature::ECDSA_P384_SHA384_FIXED_SIGNING;
        let der = signature::EcdsaKeyPair::generate_pkcs8(curve, &SystemRandom::new()).unwrap();
        let key = signature::EcdsaKeyPair::from_pkcs8(curve, der.as_ref()).unwrap();
        let signed = sign_jwt(JwtAlgorithm::Es384, der.as_ref(), b"header.payload").unwrap();
        assert_eq!(signed.len(), 96, "r and s, not DER");
        let verify = UnparsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, key.public_key());
        assert!(verify.verify(b"header.payload", &signed).is_ok());
        assert!(sign_jwt(JwtAlgorithm::Rs384, der.as_ref(), b"m").is_none());
        assert!(sign_jwt(JwtAlgorithm::Rs384, b"not a key", b"m").is_none());
    }
}
