//! A message's record. Its payload stands in it, and DynamoDB bills each begun kilobyte of it: so the document has
//! short names, and leaves out what the record's keys say already.

use bridge_core::{
    Cause, Timestamp,
    id::{BlindToken, ConnectionId, LaneId},
    task::Format,
};
use serde::{Deserialize, Serialize};

use super::{
    LedgerError,
    docs::{self, MessageDoc, MessageState, Replay},
    message_key,
};
use crate::ports::Record;

/// A message's document as it is stored. The message's id is in the partition key; its connection and when it was
/// received are its position in the index.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "k")]
    kind: String,
    #[serde(rename = "v", default, skip_serializing_if = "is_default")]
    format: Format,
    #[serde(rename = "l")]
    lane: LaneId,
    #[serde(rename = "o")]
    order: String,
    #[serde(rename = "p", default, skip_serializing_if = "is_default")]
    parked: bool,
    #[serde(rename = "n")]
    normalized_at_millis: i64,
    #[serde(rename = "m", default, skip_serializing_if = "is_default")]
    mapped_by: String,
    #[serde(rename = "r", default, skip_serializing_if = "is_default")]
    resources: Vec<String>,
    #[serde(rename = "s", default, skip_serializing_if = "is_default")]
    superseded: Vec<String>,
    #[serde(rename = "u", default, skip_serializing_if = "is_default")]
    unchanged: Vec<String>,
    #[serde(rename = "t", default, skip_serializing_if = "is_default")]
    notes: Vec<String>,
    #[serde(rename = "d", default, skip_serializing_if = "is_default")]
    destinations: Vec<ConnectionId>,
    #[serde(rename = "f", default, skip_serializing_if = "is_default")]
    find: Vec<BlindToken>,
    #[serde(rename = "c", default, skip_serializing_if = "is_default")]
    cause: Option<Cause>,
    #[serde(rename = "b", default, skip_serializing_if = "is_default")]
    stored: Option<String>,
    #[serde(rename = "y", default, skip_serializing_if = "is_default")]
    replays: Vec<Replay>,
    #[serde(rename = "z", default, skip_serializing_if = "is_default")]
    replayed: u32,
    #[serde(rename = "e")]
    expires_millis: i64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl MessageDoc {
    /// Reads a message's record, or what an index has of it.
    ///
    /// # Errors
    /// When it is not in the form that this version writes.
    pub fn of(record: &Record) -> Result<Self, LedgerError> {
        let unreadable = || LedgerError::Unreadable("message");
        let doc: Stored = docs::read(record, "message")?;
        let (_, message) = record.key.pk.split_once('#').ok_or_else(unreadable)?;
        let (connection, place) = record.by_connection.as_ref().ok_or_else(unreadable)?;
        let (received_at, _) = place.split_once('#').ok_or_else(unreadable)?;
        Ok(Self {
            message: message.parse().map_err(|_| unreadable())?,
            connection: connection.parse().map_err(|_| unreadable())?,
            kind: doc.kind,
            format: doc.format,
            lane: doc.lane,
            received_at: received_at.parse().map_err(|_| unreadable())?,
            order: doc.order,
            state: if doc.parked { MessageState::Parked } else { MessageState::Normalized },
            normalized_at: Timestamp::from_millis(doc.normalized_at_millis),
            mapped_by: doc.mapped_by,
            resources: doc.resources,
            superseded: doc.superseded,
            unchanged: doc.unchanged,
            notes: doc.notes,
            destinations: doc.destinations,
            find: doc.find,
            cause: doc.cause,
            stored: doc.stored,
            replays: doc.replays,
            replayed: doc.replayed,
            expires: Timestamp::from_millis(doc.expires_millis),
        })
    }

    /// Its record, with what was received.
    pub(super) fn record(self, sealed: Option<Vec<u8>>) -> Record {
        let key = message_key(&self.connection, &self.message);
        let by_connection = (self.connection.to_string(), format!("{}#{}", self.received_at, self.message));
        let expires = self.expires;
        let doc = Stored {
            kind: self.kind,
            format: self.format,
            lane: self.lane,
            order: self.order,
            parked: self.state == MessageState::Parked,
            normalized_at_millis: self.normalized_at.as_millis(),
            mapped_by: self.mapped_by,
            resources: self.resources,
            superseded: self.superseded,
            unchanged: self.unchanged,
            notes: self.notes,
            destinations: self.destinations,
            find: self.find,
            cause: self.cause,
            stored: self.stored,
            replays: self.replays,
            replayed: self.replayed,
            expires_millis: expires.as_millis(),
        };
        let mut record = Record::new(key, docs::write(&doc));
        record.blob = sealed;
        record.by_connection = Some(by_connection);
        record.expires = Some(expires);
        record
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message() -> MessageDoc {
        serde_json::from_str(
            r#"{"message":"msg_aaaaaaaaaaaaaaaaaaaaaaaaaa","connection":"sunrise.drchrono","kind":"PATIENT_MODIFY",
            "lane":"lane_aaaaaaaaaaaaaaaaaaaaaaaaaa","received_at":"2026-01-05T15:00:00.100Z",
            "order":"2018849496460467696128","state":"normalized","normalized_at":"2026-01-05T15:00:00.145Z",
            "mapped_by":"drchrono@1/patient","resources":["Patient/6f8a4f99-2883-5854-abc9-cb2026eaa925"],
            "destinations":["sunrise.practice-studio"],"find":["ix_aaaaaaaaaaaaaaaaaaaaaaaaaa"],
            "expires":"2032-01-05T00:00:00.000Z"}"#,
        )
        .unwrap()
    }

    #[test]
    fn a_record_tells_all_that_is_known_of_a_message() {
        let parked = MessageDoc {
            state: MessageState::Parked,
            cause: Some(Cause::new("map.invalid", "is no date").at("/birthDate")),
            stored: Some("payloads/x".to_owned()),
            superseded: vec!["Patient/1".to_owned()],
            unchanged: vec!["Patient/2".to_owned()],
            format: Format::Hl7v2,
            notes: vec!["PID-10: not mapped".to_owned()],
            replayed: 2,
            ..message()
        };
        for doc in [message(), parked] {
            assert_eq!(MessageDoc::of(&doc.clone().record(None)).unwrap(), doc);
        }
    }

    #[test]
    fn half_a_kilobyte_is_left_for_the_payload() {
        let doc = message().record(None).doc;
        assert!(doc.len() < 320, "{} bytes: {doc}", doc.len());
    }
}
