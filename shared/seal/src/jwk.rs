//! Public keys as JSON Web Keys (RFC 7517), of the DER in which key services give them.

use data_encoding::BASE64URL_NOPAD;

use crate::{JwtAlgorithm, PublicKey, sha256};

/// 1.2.840.113549.1.1.1: `rsaEncryption` (RFC 8017, appendix C).
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// 1.2.840.10045.2.1: `id-ecPublicKey` (RFC 5480, section 2.1.1).
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.3.132.0.34: `secp384r1`, which is P-384 (RFC 5480, section 2.1.1.1).
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OBJECT: u8 = 0x06;

/// A public key of one of the two algorithms that sign tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicJwk(Numbers);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Numbers {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P384 { x: Vec<u8>, y: Vec<u8> },
}

impl PublicJwk {
    /// The key in a SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7); `None` when it is none of this algorithm.
    pub fn of_spki(algorithm: JwtAlgorithm, der: &[u8]) -> Option<Self> {
        let (info, _) = element(der, SEQUENCE)?;
        let (kind, rest) = element(info, SEQUENCE)?;
        let (key, _) = element(rest, BITS)?;
        // How many bits of the last byte don't count: none, ever.
        let key = key.strip_prefix(&[0])?;
        let (object, parameters) = element(kind, OBJECT)?;
        match algorithm {
            JwtAlgorithm::Rs384 if object == RSA => {
                let (numbers, _) = element(key, SEQUENCE)?;
                let (n, rest) = element(numbers, INTEGER)?;
                let (e, _) = element(rest, INTEGER)?;
                Some(Self(Numbers::Rsa { n: unsigned(n), e: unsigned(e) }))
            }
            JwtAlgorithm::Es384 if object == EC && element(parameters, OBJECT)?.0 == P384 => {
                // Uncompressed: 4, then both coordinates (SEC 1, section 2.3.3).
                let (x, y) = key.strip_prefix(&[4])?.split_at_checked(48)?;
                (y.len() == 48).then(|| Self(Numbers::P384 { x: x.to_vec(), y: y.to_vec() }))
            }
            _ => None,
        }
    }

    /// The members that make the key what it is, by their names' order (RFC 7638, section 3.2).
    pub fn members(&self) -> Vec<(&'static str, String)> {
        let encoded = |bytes: &[u8]| BASE64URL_NOPAD.encode(bytes);
        match &self.0 {
            Numbers::Rsa { n, e } => vec![("e", encoded(e)), ("kty", "RSA".to_owned()), ("n", encoded(n))],
            Numbers::P384 { x, y } => vec![
                ("crv", "P-384".to_owned()),
                ("kty", "EC".to_owned()),
                ("x", encoded(x)),
                ("y", encoded(y)),
            ],
        }
    }

    /// What the key is called everywhere: the SHA-256 of its members (RFC 7638, section 3).
    pub fn thumbprint(&self) -> String {
        let members: Vec<String> =
            self.members().iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        BASE64URL_NOPAD.encode(&sha256(&[format!("{{{}}}", members.join(",")).as_bytes()]))
    }

    /// The key, to verify signatures with.
    pub fn key(&self) -> Option<PublicKey> {
        match &self.0 {
            Numbers::Rsa { n, e } => Some(PublicKey::rsa(n.clone(), e.clone())),
            Numbers::P384 { x, y } => PublicKey::p384(x, y),
        }
    }
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
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    let length = bytes.iter().fold(0_usize, |length, byte| (length << 8) | usize::from(*byte));
    rest.split_at_checked(length)
}

/// A number without the zero in front that keeps it positive.
fn unsigned(number: &[u8]) -> Vec<u8> {
    number.strip_prefix(&[0]).unwrap_or(number).to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::{JwsAlgorithm, KeyPair, sign_jwt, verify_jws};

    #[test]
    fn what_a_pair_signs_its_public_half_verifies() {
        for (algorithm, jws) in
            [(JwtAlgorithm::Rs384, JwsAlgorithm::Rs384), (JwtAlgorithm::Es384, JwsAlgorithm::Es384)]
        {
            let pair = KeyPair::generate(algorithm).unwrap();
            let jwk = PublicJwk::of_spki(algorithm, &pair.public).unwrap();
            let signature = sign_jwt(algorithm, &pair.private, b"header.claims").unwrap();
            assert!(verify_jws(jws, &jwk.key().unwrap(), b"header.claims", &signature));
            assert!(!verify_jws(jws, &jwk.key().unwrap(), b"header.claim", &signature));
            let other = JwtAlgorithm::ALL.into_iter().find(|other| *other != algorithm).unwrap();
            assert_eq!(PublicJwk::of_spki(other, &pair.public), None, "a key for the other algorithm");
            for cut in [0, 1, 20, pair.public.len() - 1] {
                assert_eq!(PublicJwk::of_spki(algorithm, &pair.public[..cut]), None);
            }
        }
    }

    /// The example of RFC 7638, section 3.1.
    #[test]
    fn a_thumbprint_is_the_one_of_rfc_7638() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let key = PublicJwk(Numbers::Rsa {
            n: BASE64URL_NOPAD.decode(n.as_bytes()).unwrap(),
            e: BASE64URL_NOPAD.decode(b"AQAB").unwrap(),
        });
        assert_eq!(key.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
