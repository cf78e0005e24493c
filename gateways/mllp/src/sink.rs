//! What the sockets hand frames to. The pipeline is one sink ([`crate::pipeline`]); tests have another, in memory.

use std::{future::Future, net::IpAddr, sync::Arc};

use bridge_core::{
    Timestamp,
    id::{ConnectionId, TenantId},
};
use bridge_pipeline::ports::{Entry, PortError};

/// Whose frames they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// This connection's, whatever their headers say: the port or the client's certificate told.
    Connection(ConnectionId),
    /// Of whichever connection of these tenants MSH-3 to MSH-6 name.
    Header(Arc<[TenantId]>),
}

/// Where a frame came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Whose it is.
    pub route: Route,
    /// The sender's address.
    pub peer: IpAddr,
}

/// What came in, in place of nothing or of a whole message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The frame has no end: the next one began, or the connection closed.
    Unterminated,
    /// The frame is larger than the gateway takes, in bytes.
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

/// What is to become of a frame. Answers are HL7 v2 without framing; an empty one means that none is wanted.
#[derive(Debug, PartialEq, Eq)]
pub enum Prepared {
    /// It is turned away, or there is nothing to keep of it: answer at once.
    Answered(Vec<u8>),
    /// Keep it, then answer.
    ToStore {
        /// The task that makes it durable.
        entry: Entry,
        /// The answer once it is durable.
        stored: Vec<u8>,
        /// The answer when it could not be made durable: send it again.
        unavailable: Vec<u8>,
    },
    /// It can't be worked now, and nothing was kept of it.
    Unavailable(Vec<u8>),
}

/// Where frames end.
pub trait Sink: Send + Sync + 'static {
    /// Reads a whole message and decides. Keeps nothing that an answer could promise.
    fn prepare(&self, origin: &Origin, message: &[u8]) -> impl Future<Output = Prepared> + Send;

    /// Makes entries durable, all or an error: then some may be durable, and sending all again is safe.
    fn store(&self, entries: Vec<Entry>) -> impl Future<Output = Result<(), PortError>> + Send;

    /// Now, for the answers that the gateway gives by itself.
    fn now(&self) -> Timestamp;
}
