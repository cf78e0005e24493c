//! What the pipeline needs of the world. AWS implements it in `bridge-aws`; `bridge-testkit` has a second
//! implementation, in memory, that a deterministic simulation drives. Decisions live on this side of the ports:
//! a port stores, sends or tells the time, and nothing else.

mod cache;
mod files;

use std::{future::Future, ops::RangeInclusive, time::Duration};

use bridge_core::{Timestamp, destination::Destination, id::TenantId, manifest::Adapters, remote::Remote};
use zeroize::Zeroizing;

pub use bridge_seal::JwtAlgorithm;
pub use cache::Cache;
pub use files::{FilePorts, Files, Pinned};

/// The world, as one parameter.
pub trait Ports: Send + Sync + 'static {
    /// Tables.
    type Store: Store;
    /// Queues.
    type Queue: Queue;
    /// Payloads too large for a queue or a table.
    type Blobs: Blobs;
    /// Data keys.
    type Keys: Keys;
    /// Time and chance.
    type Clock: Clock;
    /// What adapters declare.
    type Adapters: Adapters;

    /// See [`Store`].
    fn store(&self) -> &Self::Store;
    /// See [`Queue`].
    fn queue(&self) -> &Self::Queue;
    /// See [`Blobs`].
    fn blobs(&self) -> &Self::Blobs;
    /// See [`Keys`].
    fn keys(&self) -> &Self::Keys;
    /// See [`Clock`].
    fn clock(&self) -> &Self::Clock;
    /// See [`Adapters`].
    fn adapters(&self) -> &Self::Adapters;
}

/// Ports that can also call out: what `deliver` needs. It writes to products by their own interfaces, too, and puts into the
/// outbox what a destination does not take.
pub trait DeliverPorts: RemotePorts + FilePorts {
    /// Where deliveries go.
    type Destination: Destination;
    /// See [`Destination`].
    fn destination(&self) -> &Self::Destination;
}

/// Ports that can also ask products: what `poll` and `fhir-api` need.
pub trait RemotePorts: Ports {
    /// How products' interfaces are called.
    type Remote: Remote;
    /// What proves to them who the bridge is.
    type Signing: Signing;
    /// Where answers are kept for all processes.
    type Cache: Cache;
    /// See [`Remote`].
    fn remote(&self) -> &Self::Remote;
    /// See [`Signing`].
    fn signing(&self) -> &Self::Signing;
    /// See [`Cache`]; `None` where the tables are the cache.
    fn cache(&self) -> Option<&Self::Cache>;
}

/// The world did not do what was asked, and may do it the next time. Holds no PHI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {reason}")]
pub struct PortError {
    /// For example `dynamodb.PutItem`.
    pub operation: &'static str,
    /// The service's error code, or what the transport said.
    pub reason: String,
}

/// The tables. Three, so that IAM can tell rooms apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Messages, deliveries, lanes, rejections and wrapped data keys.
    Ledger,
    /// FHIR resources.
    Resources,
    /// Tenants and connections.
    Config,
}

/// Where a record stands. Neither part ever holds PHI.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The table.
    pub table: Table,
    /// Partition key; starts with the tenant.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

impl Key {
    /// Puts the parts together.
    pub fn new(table: Table, pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self { table, pk: pk.into(), sk: sk.into() }
    }
}

/// One record. The revision is what claims are fenced by: it grows with every write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub key: Key,
    /// 1 after the first write. Set by the store.
    pub rev: u64,
    /// A JSON document without PHI.
    pub doc: String,
    /// Sealed bytes.
    pub blob: Option<Vec<u8>>,
    /// Orders writers of the same record where [`Expect::OlderThan`] is used.
    pub version: Option<String>,
    /// Names what the record says, where [`Expect::OlderAndOther`] is used: records of one name say the same. Holds no PHI.
    pub state: Option<String>,
    /// Position in the index by connection and time.
    pub by_connection: Option<(String, String)>,
    /// Position in the sparse index of what needs attention.
    pub by_attention: Option<(String, String)>,
    /// From here on the record does not exist, whether or not it has been removed.
    pub expires: Option<Timestamp>,
}

impl Record {
    /// A record with nothing but its document.
    pub fn new(key: Key, doc: String) -> Self {
        Self {
            key,
            rev: 0,
            doc,
            blob: None,
            version: None,
            state: None,
            by_connection: None,
            by_attention: None,
            expires: None,
        }
    }
}

/// What must be true of the record for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expect {
    /// It does not exist, or has expired.
    Absent,
    /// It has this revision.
    Rev(u64),
    /// It does not exist, or its version sorts before this one.
    OlderThan(String),
    /// It does not exist; or its version sorts before this one, and its state has another name.
    OlderAndOther {
        /// The version.
        version: String,
        /// The name of the state.
        state: String,
    },
}

/// One write of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "deletes are rare, and a handful of writes is the most there is"
)]
pub enum Write {
    /// Put the record, with the next revision.
    Put(Record, Expect),
    /// Remove the record with this revision.
    Delete(Key, u64),
}

/// Why nothing was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A condition did not hold: of which write (the first, where several did not), and what stands there now.
    #[error("a condition of write {index} does not hold")]
    Conflict {
        /// Index of the write.
        index: usize,
        /// The record as it is, if there is one.
        current: Option<Box<Record>>,
    },
    /// The store failed. The write may have happened.
    #[error(transparent)]
    Failed(#[from] PortError),
}

/// Which order of a table to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// `pk`, `sk`: consistent.
    Main,
    /// [`Record::by_connection`]: seconds behind.
    ByConnection,
    /// [`Record::by_attention`]: seconds behind.
    ByAttention,
}

/// A range of one partition, in order.
#[derive(Debug, Clone)]
pub struct Query {
    /// The table.
    pub table: Table,
    /// The order.
    pub index: Index,
    /// Partition key of that order.
    pub pk: String,
    /// Sort keys, both ends included.
    pub range: RangeInclusive<String>,
    /// Newest first.
    pub descending: bool,
    /// At most so many records.
    pub limit: usize,
}

impl Query {
    /// All records whose sort key starts with `prefix`, in order.
    pub fn prefix(table: Table, index: Index, pk: impl Into<String>, prefix: &str) -> Self {
        let range = prefix.to_owned()..=format!("{prefix}\u{10FFFF}");
        Self { table, index, pk: pk.into(), range, descending: false, limit: usize::MAX }
    }

    /// The same, at most `limit` of them.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

/// A document store with compare-and-set: DynamoDB's part that the protocol rests on.
pub trait Store: Send + Sync {
    /// Reads consistently. An expired record does not exist.
    fn get(&self, key: &Key) -> impl Future<Output = Result<Option<Record>, PortError>> + Send;

    /// Writes all or nothing. One write is a `PutItem` or `DeleteItem`, several are a transaction.
    fn write(&self, writes: Vec<Write>) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Reads a range. Expired records are left out.
    fn query(&self, query: Query) -> impl Future<Output = Result<Vec<Record>, PortError>> + Send;
}

/// The queues: all FIFO but the one that S3 writes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueName {
    /// Messages to normalize.
    Inbound,
    /// Deliveries to make.
    Outbound,
    /// Commands to `retry`.
    Commands,
    /// Connections to poll.
    Polls,
    /// Exports that are due.
    Exports,
    /// Files that were dropped. Not FIFO: neither group nor deduplication id counts.
    Drops,
}

/// A message to put on a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// JSON of a task.
    pub body: String,
    /// What it is kept in order with (`MessageGroupId`).
    pub group: String,
    /// A repeat within five minutes is dropped by the queue (`MessageDeduplicationId`).
    pub dedup: String,
}

/// Sending. Receiving is the function's event source, see [`crate::batch`].
pub trait Queue: Send + Sync {
    /// Sends all, in order. An error means that some may not have been sent: sending all again is safe.
    fn send(
        &self,
        queue: QueueName,
        entries: Vec<Entry>,
    ) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Hides a received message for `after` from now (`ChangeMessageVisibility`), with its whole group.
    fn hide(
        &self,
        queue: QueueName,
        receipts: Vec<(String, Duration)>,
    ) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Sealed payloads that are too large to travel.
pub trait Blobs: Send + Sync {
    /// Puts an object. The same key always holds the same payload.
    fn put(&self, key: &str, sealed: Vec<u8>) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Reads an object; `None` when it is gone (its retention is over).
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, PortError>> + Send;
}

/// A data key, plain and wrapped by the key service.
#[derive(Debug, Clone)]
pub struct DataKey {
    /// 32 bytes.
    pub plain: Zeroizing<Vec<u8>>,
    /// As the key service gave it; of no use without it.
    pub wrapped: Vec<u8>,
}

/// The key service: KMS `GenerateDataKey` and `Decrypt`, with the tenant in the encryption context.
pub trait Keys: Send + Sync {
    /// A new data key of the tenant.
    fn generate(&self, tenant: &TenantId) -> impl Future<Output = Result<DataKey, PortError>> + Send;
    /// Unwraps a data key of the tenant.
    fn unwrap(
        &self,
        tenant: &TenantId,
        wrapped: &[u8],
    ) -> impl Future<Output = Result<Zeroizing<Vec<u8>>, PortError>> + Send;
}

/// Keys of the key service that sign: KMS `Sign`. Nobody is ever given one.
pub trait Signing: Send + Sync {
    /// The signature of a message (of 4,096 bytes at most) under the key that the service calls `key`, as a JWT carries it
    /// (RFC 7518, section 3): of ECDSA both numbers, 48 bytes each, and not the service's DER.
    fn sign(
        &self,
        key: &str,
        algorithm: JwtAlgorithm,
        message: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, PortError>> + Send;
}

/// Time and chance, which a simulation decides.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// Uniform in `0.0..1.0`; for jitter alone.
    fn chance(&self) -> f64;
    /// Waits. For moments: what waits longer gives its work back.
    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send;
}
