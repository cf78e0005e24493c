//! Keys of SMART clients: their public half as a JWK (RFC 7517), and signatures of JWTs (RFC 7518) checked with it.

use aws_lc_rs::{
    encoding::AsDer,
    error::Unspecified,
    rsa::{self, KeySize},
    signature::{
        ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        RSA_PKCS1_2048_8192_SHA384, RsaPublicKeyComponents, UnparsedPublicKey,
    },
};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};

/// What a JWT is signed with. SMART App Launch knows these two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// ECDSA on P-384 with SHA-384; a signature is the two numbers, 48 bytes each.
    Es384,
}

impl Algorithm {
    /// `alg` of a JWT's header. Anything else, `none` above all, is no algorithm.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name {
            "RS384" => Some(Self::Rs384),
            "ES384" => Some(Self::Es384),
            _ => None,
        }
    }

    /// `alg` of a JWT's header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs384 => "RS384",
            Self::Es384 => "ES384",
        }
    }
}

/// A key pair that was made for a simulated registration.
#[derive(Debug, Clone)]
pub struct ClientKey {
    /// The private half: PKCS #8 in PEM.
    pub pem: String,
    /// The public half.
    pub jwk: Value,
}

impl ClientKey {
    /// A new pair. The public half carries `kid`.
    ///
    /// # Errors
    /// When the machine has no randomness to give.
    pub fn generate(algorithm: Algorithm, kid: &str) -> Result<Self, Unspecified> {
        match algorithm {
            Algorithm::Es384 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING)?;
                // 4, then both coordinates (SEC 1, section 2.3.3).
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at_checked(48).ok_or(Unspecified)?;
                let jwk = json!({"kty": "EC", "crv": "P-384", "kid": kid, "alg": "ES384", "use": "sig",
                    "x": BASE64URL_NOPAD.encode(x), "y": BASE64URL_NOPAD.encode(y)});
                Ok(Self { pem: pem(pair.to_pkcs8v1()?.as_ref()), jwk })
            }
            Algorithm::Rs384 => {
                let pair = rsa::KeyPair::generate(KeySize::Rsa2048)?;
                let (n, e) = rsa_numbers(pair.public_key().as_ref()).ok_or(Unspecified)?;
                let jwk = json!({"kty": "RSA", "kid": kid, "alg": "RS384", "use": "sig",
                    "n": BASE64URL_NOPAD.encode(n), "e": BASE64URL_NOPAD.encode(e)});
                Ok(Self { pem: pem(pair.as_der()?.as_ref()), jwk })
            }
        }
    }
}

/// Whether `signature` is one of `message` by the key, which must be of the algorithm's type.
#[must_use]
pub fn verify(algorithm: Algorithm, jwk: &Value, message: &[u8], signature: &[u8]) -> bool {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| BASE64URL_NOPAD.decode(text(name).as_bytes()).unwrap_or_default();
    match (algorithm, text("kty")) {
        (Algorithm::Rs384, "RSA") => RsaPublicKeyComponents { n: number("n"), e: number("e") }
            .verify(&RSA_PKCS1_2048_8192_SHA384, message, signature)
            .is_ok(),
        (Algorithm::Es384, "EC") if text("crv") == "P-384" => {
            let point = [vec![4], number("x"), number("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature).is_ok()
        }
        _ => false,
    }
}

/// Modulus and exponent of an `RSAPublicKey` in DER (RFC 8017, appendix A.1.1).
fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = element(der, 0x30)?;
    let (n, rest) = element(sequence, 0x02)?;
    let (e, _) = element(rest, 0x02)?;
    // A positive number whose first bit is set has a zero in front.
    Some((n.strip_prefix(&[0]).unwrap_or(n), e.strip_prefix(&[0]).unwrap_or(e)))
}

/// The content of a DER element with this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = der.split_first()?;
    let (length, rest) = rest.split_first()?;
    if *first != tag {
        return None;
    }
    if *length < 0x80 {
        return rest.split_at_checked(usize::from(*length));
    }
    let (bytes, rest) = rest.split_at_checked(usize::from(*length & 0x7f))?;
    let length = bytes.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
    rest.split_at_checked(length)
}

fn pem(der: &[u8]) -> String {
    let text = BASE64.encode(der);
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
    let mut rest = text.as_str();
    while let Some((line, after)) = rest.split_at_checked(64) {
        pem.push_str(line);
        pem.push('\n');
        rest = after;
    }
    if !rest.is_empty() {
        pem.push_str(rest);
        pem.push('\n');
    }
    pem + "-----END PRIVATE KEY-----\n"
}
