//! How a product's own interface is called: what can be asked of it, and how a FHIR request becomes such calls.
//!
//! `operations` say how to call, `kinds` what a record is, `resources` which operations read, poll and write a FHIR
//! resource type. Everything is data; `bridge-adapters` carries it out. docs/adapter-manifest.md has an example of each
//! word.

mod answer;
mod auth;
mod operation;
mod pages;
mod poll;
mod resource;
mod search;
mod time_form;
mod version;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use answer::{AnswerRule, Means};
pub use auth::{Auth, ClientAuth, Exchange, Grant, OAuth2};
pub use operation::{Export, Job, Method, Operation, Style, Templates};
pub use pages::{Pages, Parameter};
pub use poll::{Again, Delta, Mark, Poll, Reconcile};
pub use resource::{Confirm, Find, Needs, On, Read, ResourceApi, Search, SearchParameter, Write};
pub use search::{Asked, Reference, SearchError};
pub use time_form::{Clock, TimeForm};
pub use version::VersionCheck;

use super::{Kind, Limit, Signal};
use crate::config::Failover;

/// A product's own interface.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Api {
    /// What every path stands behind, for example `https://api.{shard}.example/v1`. `{name}` is a setting.
    pub base: String,
    /// Hosts besides the base's that calls may go to (next links, token endpoints): `auth.example`, `*.example`, with
    /// `{name}` for a setting. No address that an answer names is followed to any other.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// How bodies are written and answers read, where an operation does not say otherwise.
    #[serde(default)]
    pub style: Style,
    /// What SOAP needs, where the style is `soap`.
    #[serde(default)]
    pub soap: Option<Soap>,
    /// Sent with every call. `{name}` is a setting; a header whose setting is empty is left out.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// How calls prove who makes them.
    #[serde(default)]
    pub auth: Auth,
    /// Longest wait for an answer, in seconds.
    #[serde(default = "twenty_seconds")]
    pub timeout: u64,
    /// How often it may be called, as under `deliver`: reads, polls and writes of a connection share them.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// How many calls at the same time.
    #[serde(default)]
    pub concurrency: Option<u32>,
    /// How it says that it was called too often, as under `deliver`.
    #[serde(default)]
    pub signals: Vec<Signal>,
    /// How several endpoints are used, where a connection does not say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
    /// What answers mean, where that is not what HTTP says. An operation's own rules come before these; the first that
    /// fits counts.
    #[serde(default)]
    pub answers: Vec<AnswerRule>,
    /// How its version is found out.
    #[serde(default)]
    pub version: Option<VersionCheck>,
    /// What can be called, by name.
    pub operations: BTreeMap<String, Operation>,
    /// What records are, by name: as a webhook's kinds. A message that was polled has the kind `api.{name}`.
    #[serde(default)]
    pub kinds: BTreeMap<String, Kind>,
    /// What can be done with a FHIR resource type.
    #[serde(default)]
    pub resources: BTreeMap<String, ResourceApi>,
}

/// What SOAP 1.1 needs besides the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Soap {
    /// Namespace of the operations' elements.
    pub namespace: String,
    /// The header `SOAPAction`; `{operation}` is the operation's element.
    pub action: String,
    /// Children are written in alphabetical order (.NET data contracts read them in no other).
    #[serde(default)]
    pub sorted: bool,
    /// But these, which a contract has from the type that it extends, before all others.
    #[serde(default)]
    pub first: Vec<String>,
}

/// In front of the kinds of messages that were polled.
pub const POLLED: &str = "api.";

impl Api {
    /// What is known of the kind of a task, if it is one of these.
    pub fn kind_of(&self, task_kind: &str) -> Option<&Kind> {
        self.kinds.get(task_kind.strip_prefix(POLLED)?)
    }

    /// The names of the mappings it uses.
    pub fn mappings(&self) -> impl Iterator<Item = &str> {
        let kinds = self.kinds.values().map(|kind| &kind.mapping);
        let bodies = self.operations.values().filter_map(|operation| operation.body.as_ref());
        let writes = self.resources.values().flat_map(|resource| &resource.write);
        let of_writes = writes.flat_map(|write| {
            let find = write.find.iter().flat_map(|find| [&find.arguments, &find.same]);
            let needs = write.needs.iter().flat_map(|needs| [&needs.arguments, &needs.same]);
            let confirm = write.confirm.iter().map(|confirm| &confirm.done);
            write.arguments.iter().chain(find).chain(needs).chain(confirm)
        });
        kinds.chain(bodies).chain(of_writes).map(String::as_str)
    }
}

const fn twenty_seconds() -> u64 {
    20
}
