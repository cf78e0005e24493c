//! Calling a product's own interface: the port between those who know what to ask and those who know how.

use std::{collections::BTreeMap, future::Future, pin::Pin, time::Duration};

use serde_json::Value;

use crate::{
    Cause, Phi, Timestamp,
    config::Connection,
    manifest::{Adapters, Api, Manifest},
};

/// Whose interface is called, and with what time left.
#[derive(Clone, Copy)]
pub struct Party<'a> {
    /// The connection, with its settings and opened secrets.
    pub connection: &'a Connection,
    /// Its adapter.
    pub manifest: &'a Manifest,
    /// The adapter's interface.
    pub api: &'a Api,
    /// Where mappings and documents are found.
    pub adapters: &'a dyn Adapters,
    /// When the call begins.
    pub now: Timestamp,
    /// It must be over within this.
    pub time_left: Duration,
}

/// One call of an operation: one request, and never a second one.
#[derive(Clone, Copy)]
pub struct ApiCall<'a> {
    /// Whose interface.
    pub party: Party<'a>,
    /// The operation's name.
    pub operation: &'a str,
    /// Its arguments.
    pub arguments: &'a Phi<BTreeMap<String, String>>,
    /// What its body is made of besides the arguments: `resource`, `known`.
    pub input: Option<&'a Phi<Value>>,
    /// Where the list goes on: what the last answer gave as `next`.
    pub page: Option<&'a Phi<String>>,
    /// The token, where the interface needs one.
    pub token: Option<&'a Phi<String>>,
}

/// What was answered.
#[derive(Debug, Default)]
pub struct Answer {
    /// The records of this page, as JSON.
    pub records: Phi<Vec<Value>>,
    /// Where the list goes on. `None`: it is at its end.
    pub next: Option<Phi<String>>,
    /// The result is not ready: ask with `next` after this time.
    pub wait: Option<Duration>,
    /// The whole answer, for rules that read it outside of its records; of those it has the first alone.
    pub body: Phi<Value>,
    /// Its headers by lower-case name.
    pub headers: BTreeMap<String, String>,
}

/// Why there is no answer that can be used. Holds no PHI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There is no such record.
    #[error("{0}")]
    NotFound(Cause),
    /// Something is in its way: an overlap, a duplicate, a stale version.
    #[error("{0}")]
    Conflict(Cause),
    /// The request is wrong, or the connection is configured wrongly.
    #[error("{0}")]
    Invalid(Cause),
    /// The credentials or the token are not good.
    #[error("{0}")]
    Unauthenticated(Cause),
    /// The credentials are not good for this.
    #[error("{0}")]
    Forbidden(Cause),
    /// Called too often: not before so long.
    #[error("{1}")]
    Throttled(Option<Duration>, Cause),
    /// Not now: nothing was done.
    #[error("{1}")]
    Retry(Option<Duration>, Cause),
    /// It may or may not have been done.
    #[error("{0}")]
    Unknown(Cause),
}

impl CallError {
    /// Why.
    pub const fn cause(&self) -> &Cause {
        match self {
            Self::NotFound(cause)
            | Self::Conflict(cause)
            | Self::Invalid(cause)
            | Self::Unauthenticated(cause)
            | Self::Forbidden(cause)
            | Self::Throttled(_, cause)
            | Self::Retry(_, cause)
            | Self::Unknown(cause) => cause,
        }
    }
}

/// A token that calls carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// The token itself.
    pub access: Phi<String>,
    /// From here on it is not used any more; some time before it ends.
    pub until: Timestamp,
    /// The next refresh token, where the answer brought one: keep it before the access token is used.
    pub refresh: Option<Phi<String>>,
}

/// Asks for a token.
#[derive(Clone, Copy)]
pub struct Authenticate<'a> {
    /// Whose interface.
    pub party: Party<'a>,
    /// The latest refresh token, where one was kept; else the connection's secret is used.
    pub refresh: Option<&'a Phi<String>>,
    /// Unique for each request: `jti`.
    pub nonce: &'a str,
    /// What signs for the connection, where it was given no private key of its own.
    pub signer: Option<&'a dyn Signer>,
}

/// A signature that is on its way.
pub type Signed<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, CallError>> + Send + 'a>>;

/// A key that proves who the bridge is, and never leaves the place where it is kept.
pub trait Signer: Send + Sync {
    /// `kid`: what its public half is called in the bridge's JSON Web Key Set.
    fn key_id(&self) -> &str;

    /// `alg`: `RS384` or `ES384`.
    fn algorithm(&self) -> &'static str;

    /// The signature of a message, as a JWT carries it (RFC 7518, section 3).
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signed<'a>;
}

/// A write of one resource.
#[derive(Clone, Copy)]
pub struct WriteCall<'a> {
    /// Whose interface.
    pub party: Party<'a>,
    /// The FHIR resource. Each of its references has the `identifier` that the product knows it by.
    pub resource: &'a Phi<Value>,
    /// The product's own id, where it has the record.
    pub id: Option<&'a Phi<String>>,
    /// The token, where the interface needs one.
    pub token: Option<&'a Phi<String>>,
    /// An attempt before this one may have done it: what it did is looked for first.
    pub again: bool,
}

/// What came of a write.
#[derive(Debug)]
pub struct Written {
    /// The record as the product has it now.
    pub record: Phi<Value>,
    /// The product's own id of it.
    pub id: Phi<String>,
    /// It is not done before a later reading says so.
    pub unconfirmed: bool,
}

/// Calls products' interfaces. The real one is in `bridge-adapters`; it keeps connections open, and nothing else. Tokens,
/// limits, cursors and repeats are the pipeline's.
pub trait Remote: Send + Sync {
    /// Asks for a token.
    fn authenticate(&self, ask: &Authenticate<'_>) -> impl Future<Output = Result<Token, CallError>> + Send;

    /// Makes one call.
    fn call(&self, call: &ApiCall<'_>) -> impl Future<Output = Result<Answer, CallError>> + Send;

    /// Writes a resource: looks for it, writes it, reads it back, as the adapter says. Several calls.
    fn write(&self, call: &WriteCall<'_>) -> impl Future<Output = Result<Written, CallError>> + Send;

    /// What a later reading says of a write that was unconfirmed: `None` is not yet.
    fn confirm(
        &self,
        call: &WriteCall<'_>,
    ) -> impl Future<Output = Result<Option<Written>, CallError>> + Send;
}
