//! Cryptography of the bridge, in one place and pure: the caller brings keys and stores what comes out.
//!
//! * [`SealKey`] seals payloads: zstd, then AES-256-GCM (NIST SP 800-38D) bound to where they belong.
//! * [`IndexKey`] derives identifiers and blind tokens: HMAC-SHA-256 (RFC 2104) under a key of the tenant.
//! * [`verify_jws`] verifies the signatures of access tokens (RFC 7515).
//! * [`hmac_sha256`], [`sha256`], [`verify_ed25519`] and [`equal`] serve webhook signatures.
//! * [`sign_jwt`] signs what a client proves itself with at a token endpoint, [`PublicJwk`] is what such a signature is
//!   verified with.
//!
//! All primitives are aws-lc's, by way of aws-lc-rs.

mod dictionary;
mod index;
mod jwk;
mod jws;
mod jwt;
mod primitives;
mod sealed;

pub use index::IndexKey;
pub use jwk::PublicJwk;
pub use jws::{Es256Key, JwsAlgorithm, PublicKey, verify_jws};
pub use jwt::{JwtAlgorithm, KeyPair, sign_jwt};
pub use primitives::{Digest, equal, hmac_sha256, random_bytes, sha256, verify_ed25519};
pub use sealed::{Binding, SealError, SealKey, key_id_of};
