//! The ledger: the truth about every message, delivery and lane.
//!
//! Everything is a document with a revision (see [`crate::ports::Store`]); each operation is a compare-and-set on the revisions that
//! it read. Nobody holds a lock: who loses a race reads again and decides again.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | message | `{tenant}#{message}` | `message` |
//! | delivery | `{tenant}#{message}` | `delivery#{delivery}` |
//! | lane | `{tenant}#{stage}#{connection}#{lane}` | `lane` |
//! | parked task | the lane's | `parked#{order}#{id}` |

mod claim;
mod docs;
mod lane;
mod message;
mod park;

pub(crate) use claim::SKEW;
pub use claim::{Claim, Claimed, Going, Settled};
pub use docs::{
    Attempt, DeliveryDoc, DeliveryState, LaneDoc, MessageDoc, MessageState, ParkedDoc, ParkedTask, Refusal,
    Replay, WrittenDoc,
};
pub use lane::{Gate, Lane, LaneKey};
pub use park::{ParkRequest, Parked, Subject};

use bridge_core::{
    Timestamp,
    id::{ConnectionId, DeliveryId, MessageId, TenantId},
};

use crate::batch::Received;
use crate::ports::{
    Blobs, Clock, Expect, Index, Key, PortError, Ports, Query, QueueName, Record, Store, Table, Write,
    WriteError,
};

/// Losing a race this often in a row means that something is wrong, not busy.
const RACES: usize = 16;

/// Why the ledger could not do what was asked. All of them are worth another try later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The store failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Others were faster, again and again.
    #[error("lost {RACES} races for one record")]
    Contended,
    /// A record is not in a form this version knows.
    #[error("a record of kind {0} can't be read by this version")]
    Unreadable(&'static str),
}

/// The operations, over the ports.
#[derive(Debug)]
pub struct Ledger<'a, P> {
    ports: &'a P,
}

impl<P> Clone for Ledger<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<P> Copy for Ledger<'_, P> {}

impl<'a, P: Ports> Ledger<'a, P> {
    /// The ledger behind these ports.
    pub const fn new(ports: &'a P) -> Self {
        Self { ports }
    }

    fn now(&self) -> Timestamp {
        self.ports.clock().now()
    }

    async fn get(&self, key: &Key) -> Result<Option<Record>, LedgerError> {
        Ok(self.ports.store().get(key).await?)
    }

    /// `Ok(Err(current))` when a condition did not hold.
    async fn write(&self, writes: Vec<Write>) -> Result<Result<(), Conflict>, LedgerError> {
        match self.ports.store().write(writes).await {
            Ok(()) => Ok(Ok(())),
            Err(WriteError::Conflict { index, current }) => Ok(Err(Conflict { index, current })),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }

    /// A message, with its payload while that is kept.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn message(
        &self,
        connection: &ConnectionId,
        message: &MessageId,
    ) -> Result<Option<(MessageDoc, Option<Vec<u8>>)>, LedgerError> {
        let Some(record) = self.get(&message_key(connection, message)).await? else { return Ok(None) };
        Ok(Some((MessageDoc::of(&record)?, record.blob)))
    }

    /// Records a message that was normalized, as `replay` says for the first time or again. Doing it twice does no
    /// harm; what was received and who asked for replays is kept.
    ///
    /// # Errors
    /// When the store fails, or others keep being faster.
    pub async fn record_message(
        &self,
        mut doc: MessageDoc,
        sealed: Option<Vec<u8>>,
        replay: u32,
    ) -> Result<(), LedgerError> {
        let mut put = Write::Put(doc.clone().record(sealed.clone()), Expect::Absent);
        for _ in 0..RACES {
            let Err(Conflict { current, .. }) = self.write(vec![put]).await? else { return Ok(()) };
            let mut expect = Expect::Absent;
            let mut blob = sealed.clone();
            if let Some(record) = current {
                let known = MessageDoc::of(&record)?;
                doc.replayed = known.replayed.max(replay);
                doc.replays = known.replays;
                expect = Expect::Rev(record.rev);
                blob = record.blob.or(blob);
            }
            put = Write::Put(doc.clone().record(blob), expect);
        }
        Err(LedgerError::Contended)
    }

    /// Replaces a message's record after it was replayed or released.
    ///
    /// # Errors
    /// When the store fails, or others keep being faster.
    pub async fn update_message(
        &self,
        connection: &ConnectionId,
        message: &MessageId,
        mut change: impl FnMut(&mut MessageDoc) -> bool,
    ) -> Result<(), LedgerError> {
        for _ in 0..RACES {
            let Some(record) = self.get(&message_key(connection, message)).await? else { return Ok(()) };
            let mut doc = MessageDoc::of(&record)?;
            if !change(&mut doc) {
                return Ok(());
            }
            let put = Write::Put(doc.record(record.blob), Expect::Rev(record.rev));
            if self.write(vec![put]).await?.is_ok() {
                return Ok(());
            }
        }
        Err(LedgerError::Contended)
    }

    /// Keeps a dead letter that can't be read as a task, body and all, where an operator finds it.
    ///
    /// # Errors
    /// When a port fails.
    pub(crate) async fn keep_letter(&self, queue: QueueName, letter: &Received) -> Result<(), LedgerError> {
        let place = format!("letters/{queue:?}/{}", letter.id).to_lowercase();
        self.ports.blobs().put(&place, letter.body.clone().into_bytes()).await?;
        let doc = serde_json::json!({"letter": place, "group": letter.group, "sent_at": letter.sent_at});
        let mut record = Record::new(Key::new(Table::Ledger, "#letters", place.clone()), doc.to_string());
        record.by_attention = Some(("#letters".to_owned(), format!("{}#{place}", self.now())));
        // Kept before: the same letter received again.
        let _ = self.write(vec![Write::Put(record, Expect::Absent)]).await?;
        Ok(())
    }

    /// One delivery of a message.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delivery(
        &self,
        connection: &ConnectionId,
        message: &MessageId,
        delivery: &DeliveryId,
    ) -> Result<Option<DeliveryDoc>, LedgerError> {
        let record = self.get(&delivery_key(connection, message, delivery)).await?;
        record.map(|record| docs::read(&record, "delivery")).transpose()
    }

    /// All deliveries of a message.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn deliveries(
        &self,
        connection: &ConnectionId,
        message: &MessageId,
    ) -> Result<Vec<DeliveryDoc>, LedgerError> {
        let pk = message_key(connection, message).pk;
        let query = Query::prefix(Table::Ledger, Index::Main, pk, "delivery#");
        let records = self.ports.store().query(query).await?;
        records.iter().map(|record| docs::read(record, "delivery")).collect()
    }
}

/// Reads any record's document.
pub(crate) fn docs_read<T: serde::de::DeserializeOwned>(record: &Record) -> Result<T, String> {
    serde_json::from_str(&record.doc).map_err(|error| error.to_string())
}

pub(crate) use docs::write as docs_write;

/// What stood in the way of a write.
struct Conflict {
    index: usize,
    current: Option<Box<Record>>,
}

fn message_key(connection: &ConnectionId, message: &MessageId) -> Key {
    message_key_of(&connection.tenant(), message)
}

/// Where a message's record stands.
pub(crate) fn message_key_of(tenant: &TenantId, message: &MessageId) -> Key {
    Key::new(Table::Ledger, format!("{tenant}#{message}"), "message")
}

fn delivery_key(connection: &ConnectionId, message: &MessageId, delivery: &DeliveryId) -> Key {
    Key::new(Table::Ledger, format!("{}#{message}", connection.tenant()), format!("delivery#{delivery}"))
}
