//! Signing JSON Web Tokens (RFC 7518, section 3) with the two algorithms of SMART backend services.

use aws_lc_rs::{
    encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa,
    signature::{self, KeyPair as _},
};
use zeroize::Zeroizing;

/// How a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwtAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// ECDSA with P-384 and SHA-384.
    Es384,
}

impl JwtAlgorithm {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rs384, Self::Es384];

    /// As in the header `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs384 => "RS384",
            Self::Es384 => "ES384",
        }
    }

    /// The one that a header calls so.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

/// A key pair, for a stand-in of a key service: real keys that sign are made where they stay.
#[derive(Debug, Clone)]
pub struct KeyPair {
    /// The private half, PKCS #8 in DER: what [`sign_jwt`] takes.
    pub private: Zeroizing<Vec<u8>>,
    /// The public half, SubjectPublicKeyInfo in DER.
    pub public: Vec<u8>,
}

impl KeyPair {
    /// A new pair; of RSA with 2048 bits. `None` when the system has no random numbers to give.
    pub fn generate(algorithm: JwtAlgorithm) -> Option<Self> {
        match algorithm {
            JwtAlgorithm::Rs384 => {
                let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).ok()?;
                let private: Pkcs8V1Der<'_> = pair.as_der().ok()?;
                let public: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
                Some(Self {
                    private: Zeroizing::new(private.as_ref().to_vec()),
                    public: public.as_ref().to_vec(),
                })
            }
            JwtAlgorithm::Es384 => {
                let pair =
                    signature::EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).ok()?;
                let private = pair.to_pkcs8v1().ok()?;
                let public: PublicKeyX509Der<'_> = pair.public_key().as_der().ok()?;
                Some(Self {
                    private: Zeroizing::new(private.as_ref().to_vec()),
                    public: public.as_ref().to_vec(),
                })
            }
        }
    }
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
    use aws_lc_rs::signature::UnparsedPublicKey;

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
