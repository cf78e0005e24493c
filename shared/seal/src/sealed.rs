//! Payload sealing.
//!
//! Layout of sealed bytes: version `2` · key id (u32, big endian) · nonce (12) · ciphertext and tag (16).
//! The plaintext is one zstd frame, made with the [dictionary](crate::dictionary) of that version. Nonces are random:
//! NIST SP 800-38D allows 2^32 of them under a key, and a tenant has a new key every day.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use bridge_core::{Phi, id::ConnectionId};

use crate::{dictionary, random_bytes};

/// Of the layout and of the dictionary.
const VERSION: u8 = 2;
const HEADER: usize = 1 + 4 + NONCE_LEN;

/// What a payload may become when opened; a sealed kilobyte of zeros must not fill the memory.
const OPEN_LIMIT: u64 = 64 * 1024 * 1024;

/// Why bytes could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Key material that is not 32 bytes.
    #[error("a sealing key must be 32 bytes")]
    BadKey,
    /// The system has no random numbers, or compression failed.
    #[error("the payload could not be sealed")]
    Seal,
    /// Not our layout.
    #[error("not sealed by this version of the bridge")]
    Format,
    /// Another key, tenant, connection or id, or changed bytes.
    #[error("sealed bytes do not belong here, or were changed")]
    Rejected,
    /// Larger than 64 MiB once opened.
    #[error("the opened payload is larger than 64 MiB")]
    TooLarge,
}

/// Where sealed bytes belong. They open nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Binding<'a> {
    /// Names the tenant, too.
    pub connection: &'a ConnectionId,
    /// What they are for, for example `message`.
    pub purpose: &'a str,
    /// The id of what they belong to.
    pub id: &'a str,
}

impl Binding<'_> {
    /// Neither a connection id nor a purpose holds `|`.
    fn associated_data(&self) -> String {
        format!("v{VERSION}|{}|{}|{}", self.connection, self.purpose, self.id)
    }
}

/// One data key of a tenant.
pub struct SealKey {
    id: u32,
    key: LessSafeKey,
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SealKey({})", self.id)
    }
}

/// The id of the key that sealed `bytes`.
///
/// # Errors
/// [`SealError::Format`] when the bytes are not in the layout.
pub fn key_id_of(bytes: &[u8]) -> Result<u32, SealError> {
    match bytes {
        [VERSION, a, b, c, d, rest @ ..] if rest.len() >= NONCE_LEN => {
            Ok(u32::from_be_bytes([*a, *b, *c, *d]))
        }
        _ => Err(SealError::Format),
    }
}

impl SealKey {
    /// From 32 bytes of key material.
    ///
    /// # Errors
    /// [`SealError::BadKey`] when there are not 32.
    pub fn new(id: u32, material: &[u8]) -> Result<Self, SealError> {
        let key = UnboundKey::new(&AES_256_GCM, material).map_err(|_| SealError::BadKey)?;
        Ok(Self { id, key: LessSafeKey::new(key) })
    }

    /// Compresses and seals.
    ///
    /// # Errors
    /// [`SealError::Seal`] when the system has no random numbers.
    pub fn seal(&self, binding: Binding<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce: [u8; NONCE_LEN] = random_bytes().ok_or(SealError::Seal)?;
        let mut body = dictionary::compress(plain).map_err(|_| SealError::Seal)?;
        let aad = Aad::from(binding.associated_data());
        let tag = self
            .key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, &mut body)
            .map_err(|_| SealError::Seal)?;
        let mut sealed = Vec::with_capacity(HEADER + body.len() + tag.as_ref().len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.id.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens and decompresses.
    ///
    /// # Errors
    /// [`SealError::Rejected`] when the bytes belong elsewhere or were changed.
    pub fn open(&self, binding: Binding<'_>, sealed: &[u8]) -> Result<Phi<Vec<u8>>, SealError> {
        if key_id_of(sealed)? != self.id {
            return Err(SealError::Rejected);
        }
        let nonce = Nonce::try_assume_unique_for_key(&sealed[5..HEADER]).map_err(|_| SealError::Format)?;
        let mut body = sealed[HEADER..].to_vec();
        let frame = self
            .key
            .open_in_place(nonce, Aad::from(binding.associated_data()), &mut body)
            .map_err(|_| SealError::Rejected)?;
        let plain = dictionary::decompress(frame, OPEN_LIMIT + 1).map_err(|_| SealError::Format)?;
        if plain.len() as u64 > OPEN_LIMIT { Err(SealError::TooLarge) } else { Ok(Phi::new(plain)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn connection(s: &str) -> ConnectionId {
        s.parse().unwrap_or_else(|e| panic!("{e}"))
    }

    proptest! {
        #[test]
        fn opens_to_what_was_sealed(plain: Vec<u8>) {
            let (key, home) = (SealKey::new(7, &[9; 32]).unwrap_or_else(|e| panic!("{e}")), connection("t.a"));
            let binding = Binding { connection: &home, purpose: "message", id: "msg_1" };
            let sealed = key.seal(binding, &plain).unwrap_or_else(|e| panic!("{e}"));
            prop_assert_eq!(key_id_of(&sealed), Ok(7));
            let opened = key.open(binding, &sealed).unwrap_or_else(|e| panic!("{e}"));
            prop_assert_eq!(opened.expose(), &plain);
        }

        #[test]
        fn no_changed_byte_opens(at: prop::sample::Index, flip in 1u8..) {
            let (key, home) = (SealKey::new(7, &[9; 32]).unwrap_or_else(|e| panic!("{e}")), connection("t.a"));
            let binding = Binding { connection: &home, purpose: "message", id: "msg_1" };
            let mut sealed = key.seal(binding, b"{\"a\":1}").unwrap_or_else(|e| panic!("{e}"));
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            prop_assert!(key.open(binding, &sealed).is_err());
        }
    }

    #[test]
    fn a_ciphertext_can_not_be_moved() {
        let key = SealKey::new(1, &[9; 32]).unwrap_or_else(|e| panic!("{e}"));
        let (home, other) = (connection("t.a"), connection("u.a"));
        let sealed = key
            .seal(Binding { connection: &home, purpose: "message", id: "1" }, b"x")
            .unwrap_or_else(|e| panic!("{e}"));
        for binding in [
            Binding { connection: &other, purpose: "message", id: "1" },
            Binding { connection: &home, purpose: "delivery", id: "1" },
            Binding { connection: &home, purpose: "message", id: "2" },
        ] {
            assert_eq!(key.open(binding, &sealed).err(), Some(SealError::Rejected));
        }
    }
}
