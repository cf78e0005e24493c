//! Identifiers and blind tokens as keyed hashes: deterministic, and of no use without the tenant's key.

use bridge_core::{
    Timestamp,
    id::{BlindToken, ConnectionId, DeliveryId, FileId, LaneId, MessageId, RunId},
};
use data_encoding::BASE32_NOPAD;
use zeroize::Zeroizing;

use crate::hmac_sha256;

/// A tenant's hashing key. It never changes: another key would give the same input another id.
pub struct IndexKey(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IndexKey([secret])")
    }
}

impl IndexKey {
    /// From 32 bytes of key material.
    pub fn new(material: Zeroizing<Vec<u8>>) -> Self {
        Self(material)
    }

    /// The id of what `source_id` names at `connection`.
    pub fn message(&self, connection: &ConnectionId, source_id: &[&[u8]]) -> MessageId {
        self.id("msg_", "message", connection, source_id)
    }

    /// The id of a message's result for a destination. Every replay is a delivery of its own.
    pub fn delivery(&self, message: &MessageId, destination: &ConnectionId, replay: u32) -> DeliveryId {
        self.id("dlv_", "delivery", destination, &[message.as_str().as_bytes(), &replay.to_be_bytes()])
    }

    /// The id of the acknowledgment with this code that a message gets through `destination`.
    pub fn acknowledgment(&self, message: &MessageId, destination: &ConnectionId, code: &str) -> DeliveryId {
        self.id("dlv_", "acknowledgment", destination, &[message.as_str().as_bytes(), code.as_bytes()])
    }

    /// The lane of what `key` names at `connection`.
    pub fn lane(&self, connection: &ConnectionId, key: &[&[u8]]) -> LaneId {
        self.id("lane_", "lane", connection, key)
    }

    /// The lane of a destination that follows a lane of a source.
    pub fn outbound_lane(&self, destination: &ConnectionId, lane: &LaneId) -> LaneId {
        self.id("lane_", "outbound", destination, &[lane.as_str().as_bytes()])
    }

    /// A token by which `value`, an identifier of kind `name`, can be found at `connection`.
    pub fn token(&self, connection: &ConnectionId, name: &str, value: &str) -> BlindToken {
        self.id("ix_", "token", connection, &[name.as_bytes(), value.as_bytes()])
    }

    /// The id of a version of the object `key` that was dropped for `connection`.
    pub fn file(&self, connection: &ConnectionId, key: &str, version: &str) -> FileId {
        self.id("file_", "file", connection, &[key.as_bytes(), version.as_bytes()])
    }

    /// The id of the run of an export whose period ends at `to`.
    pub fn run(&self, connection: &ConnectionId, export: &str, to: Timestamp) -> RunId {
        self.id("run_", "run", connection, &[export.as_bytes(), &to.as_millis().to_be_bytes()])
    }

    /// By which a row is known again in the next snapshot, without its content being kept.
    pub fn row(&self, connection: &ConnectionId, feed: &str, row: &[u8]) -> [u8; 32] {
        let length = |part: &[u8]| (part.len() as u64).to_be_bytes();
        let (connection, feed) = (connection.as_str().as_bytes(), feed.as_bytes());
        hmac_sha256(&self.0, &[b"row", &length(connection), connection, &length(feed), feed, row])
    }

    /// Which of `shares` equal parts what is named so belongs to, from 0. Everybody with this key says the same.
    pub fn share(&self, parts: &[&[u8]], shares: usize) -> usize {
        let [a, b, c, d, ..] = hmac_sha256(&self.0, &[b"share", &framed(parts.iter().copied())]);
        usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or_default() % shares.max(1)
    }

    /// 16 bytes for the namespace of this tenant's FHIR ids (UUIDv5): equal identifiers of two tenants never meet,
    /// and an id can't be turned back into its identifier by trying them all.
    pub fn fhir_namespace(&self) -> [u8; 16] {
        let mac = hmac_sha256(&self.0, &[b"fhir-namespace"]);
        let mut namespace = [0; 16];
        namespace.copy_from_slice(&mac[..16]);
        namespace
    }

    fn id<T: std::str::FromStr<Err: std::fmt::Display>>(
        &self,
        prefix: &str,
        domain: &str,
        connection: &ConnectionId,
        parts: &[&[u8]],
    ) -> T {
        let named = [domain.as_bytes(), connection.as_str().as_bytes()];
        let mac = hmac_sha256(&self.0, &[&framed(named.iter().chain(parts).copied())]);
        let text = format!("{prefix}{}", BASE32_NOPAD.encode(&mac[..16]).to_ascii_lowercase());
        text.parse().unwrap_or_else(|e| unreachable!("base 32 of 16 bytes is an id: {e}"))
    }
}

/// Each part is preceded by its length, so that no two lists of parts give the same bytes.
fn framed<'p>(parts: impl Iterator<Item = &'p [u8]>) -> Vec<u8> {
    let mut framed = Vec::with_capacity(96);
    for part in parts {
        framed.extend_from_slice(&(part.len() as u64).to_be_bytes());
        framed.extend_from_slice(part);
    }
    framed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> IndexKey {
        IndexKey::new(Zeroizing::new(vec![byte; 32]))
    }

    fn connection(s: &str) -> ConnectionId {
        s.parse().unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn the_same_input_has_the_same_id_and_every_difference_shows() {
        let (a, b) = (connection("t.a"), connection("t.b"));
        let id = key(1).message(&a, &[b"x", b"y"]);
        assert_eq!(id, key(1).message(&a, &[b"x", b"y"]));
        assert_ne!(id, key(2).message(&a, &[b"x", b"y"]));
        assert_ne!(id, key(1).message(&b, &[b"x", b"y"]));
        assert_ne!(id, key(1).message(&a, &[b"xy"]), "parts must not run together");
    }

    #[test]
    fn a_replay_is_a_delivery_of_its_own() {
        let message = key(1).message(&connection("t.a"), &[b"x"]);
        let destination = connection("t.studio");
        assert_ne!(key(1).delivery(&message, &destination, 0), key(1).delivery(&message, &destination, 1));
    }
}
