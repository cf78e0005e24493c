//! JSON Web Signatures (RFC 7515, RFC 7518): those of access tokens are verified, and the local issuer makes some.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, EcdsaKeyPair,
        KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RsaPublicKeyComponents,
        UnparsedPublicKey,
    },
};
use zeroize::Zeroizing;

/// The algorithms that are taken. Neither `none` nor anything symmetric is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwsAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
}

impl JwsAlgorithm {
    /// As in the header `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
}

impl PublicKey {
    /// Of RSA, by modulus and exponent (big endian). One of less than 2048 bits verifies nothing.
    pub const fn rsa(n: Vec<u8>, e: Vec<u8>) -> Self {
        Self(Kind::Rsa { n, e })
    }

    /// On P-256, by its coordinates.
    pub fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        point(x, y, 32).map(|point| Self(Kind::P256(point)))
    }

    /// On P-384, by its coordinates.
    pub fn p384(x: &[u8], y: &[u8]) -> Option<Self> {
        point(x, y, 48).map(|point| Self(Kind::P384(point)))
    }

    /// Whether signatures of this algorithm can be of this key.
    pub const fn fits(&self, algorithm: JwsAlgorithm) -> bool {
        matches!(
            (&self.0, algorithm),
            (Kind::Rsa { .. }, JwsAlgorithm::Rs256 | JwsAlgorithm::Rs384)
                | (Kind::P256(_), JwsAlgorithm::Es256)
                | (Kind::P384(_), JwsAlgorithm::Es384)
        )
    }
}

/// An uncompressed point (SEC 1, section 2.3.3).
fn point(x: &[u8], y: &[u8], size: usize) -> Option<Vec<u8>> {
    (x.len() == size && y.len() == size).then(|| [&[4], x, y].concat())
}

/// Whether `signature` is the one of `message` under `key`.
pub fn verify_jws(algorithm: JwsAlgorithm, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let verified = match (&key.0, algorithm) {
        (Kind::Rsa { n, e }, JwsAlgorithm::Rs256) => {
            RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
        }
        (Kind::Rsa { n, e }, JwsAlgorithm::Rs384) => {
            RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA384, message, signature)
        }
        (Kind::P256(point), JwsAlgorithm::Es256) => {
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
        }
        (Kind::P384(point), JwsAlgorithm::Es384) => {
            UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
        }
        _ => return false,
    };
    verified.is_ok()
}

/// A key of the local issuer: ES256.
#[derive(Debug)]
pub struct Es256Key(EcdsaKeyPair);

impl Es256Key {
    /// A new key, as PKCS #8. `None` when the system has no random numbers to give.
    pub fn generate() -> Option<Zeroizing<Vec<u8>>> {
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).ok()?;
        Some(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// The key in a PKCS #8 document; `None` when there is none of this kind.
    pub fn read(pkcs8: &[u8]) -> Option<Self> {
        EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).ok().map(Self)
    }

    /// The coordinates of its public key, `x` and `y`.
    pub fn coordinates(&self) -> Option<(&[u8], &[u8])> {
        let point = self.0.public_key().as_ref();
        Some((point.get(1..33)?, point.get(33..65)?))
    }

    /// Signs; `None` when the system has no random numbers to give.
    pub fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        self.0.sign(&SystemRandom::new(), message).ok().map(|signature| signature.as_ref().to_vec())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use data_encoding::BASE64URL_NOPAD;

    use super::*;

    #[test]
    fn what_a_key_signs_it_verifies_and_nothing_else_does() {
        let key = Es256Key::read(&Es256Key::generate().unwrap()).unwrap();
        let (x, y) = key.coordinates().unwrap();
        let public = PublicKey::p256(x, y).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert!(verify_jws(JwsAlgorithm::Es256, &public, b"message", &signature));
        assert!(!verify_jws(JwsAlgorithm::Es256, &public, b"massage", &signature));
        assert!(!verify_jws(JwsAlgorithm::Es384, &public, b"message", &signature));
        assert!(!verify_jws(JwsAlgorithm::Rs256, &public, b"message", &signature));
        let other = Es256Key::read(&Es256Key::generate().unwrap()).unwrap();
        let (x, y) = other.coordinates().unwrap();
        assert!(!verify_jws(JwsAlgorithm::Es256, &PublicKey::p256(x, y).unwrap(), b"message", &signature));
        assert_eq!(PublicKey::p256(&x[1..], y), None);
    }

    /// RFC 7515, appendix A.3.
    #[test]
    fn the_example_of_rfc_7515_verifies() {
        let bytes = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        let claims =
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let x = bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        let y = bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        let signature =
            bytes("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
        let key = PublicKey::p256(&x, &y).unwrap();
        let signed = format!("eyJhbGciOiJFUzI1NiJ9.{claims}");
        assert!(verify_jws(JwsAlgorithm::Es256, &key, signed.as_bytes(), &signature));
    }
}
