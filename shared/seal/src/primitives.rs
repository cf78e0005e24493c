//! Thin names over aws-lc-rs, so that no other crate chooses an algorithm.

use aws_lc_rs::{constant_time, digest, hmac, rand, signature};

/// HMAC-SHA-256 (RFC 2104) over the concatenation of `parts`.
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, key));
    parts.iter().for_each(|part| context.update(part));
    to_array(context.sign().as_ref())
}

/// SHA-256 (FIPS 180-4) over the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    to_array(context.finish().as_ref())
}

/// SHA-256 (FIPS 180-4) of what comes in pieces.
#[derive(Clone)]
pub struct Digest(digest::Context);

impl Default for Digest {
    fn default() -> Self {
        Self(digest::Context::new(&digest::SHA256))
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digest")
    }
}

impl Digest {
    /// The next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// The digest of all of them.
    pub fn finish(self) -> [u8; 32] {
        to_array(self.0.finish().as_ref())
    }
}

/// Equality in a time that depends on the lengths alone.
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Whether `signature` is the Ed25519 (RFC 8032) signature of `message` under `public_key` (32 bytes).
pub fn verify_ed25519(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    signature::UnparsedPublicKey::new(&signature::ED25519, public_key).verify(message, signature).is_ok()
}

/// Bytes from the system's generator; `None` when it has none to give.
pub fn random_bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).ok()?;
    Some(bytes)
}

fn to_array(bytes: &[u8]) -> [u8; 32] {
    let mut array = [0; 32];
    array.copy_from_slice(bytes);
    array
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn hmac_matches_rfc_4231_case_2() {
        let mac = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(HEXLOWER.encode(&mac), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn sha256_matches_fips_180_example() {
        let hash = HEXLOWER.encode(&sha256(&[b"a", b"bc"]));
        let mut pieces = Digest::default();
        [b"ab".as_slice(), b"c"].iter().for_each(|piece| pieces.update(piece));
        assert_eq!(HEXLOWER.encode(&pieces.finish()), hash);
        assert_eq!(hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
