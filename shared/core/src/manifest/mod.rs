//! What an adapter declares about one product, in `adapters/<name>/adapter.yaml`: a closed vocabulary.
//!
//! Extending it takes an ADR. `docs/adapter-manifest.md` explains each word with an example.

mod api;
mod deliver;
mod extract;
mod ip_range;
pub mod template;
mod verify;
mod webhook;

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

pub use api::{
    Again, AnswerRule, Api, Asked, Auth, ClientAuth, Clock, Confirm, Delta, Exchange, Export, Find, Grant,
    Job, Mark, Means, Method, Needs, OAuth2, On, Operation, POLLED, Pages, Parameter, Poll, Read, Reconcile,
    Reference, ResourceApi, Search, SearchError, SearchParameter, Soap, Style, Templates, TimeForm,
    VersionCheck, Write,
};
pub use deliver::{Deliver, Limit, Signal, Transport, WaitForm};
pub use extract::{Extract, scalar};
pub use ip_range::IpRange;
pub use verify::{Challenge, Encoding, Verify};
pub use webhook::{Carry, Fetch, Kind, OtherKinds, Webhook};

use crate::config::Hl7v2Site;

/// Where the pipeline finds what adapters declare. The catalog of `bridge-adapters` is the real one.
pub trait Adapters: Send + Sync {
    /// The manifest of an adapter.
    fn manifest(&self, adapter: &str) -> Option<Arc<Manifest>>;
    /// The JSONata source of one of an adapter's mappings.
    fn mapping(&self, adapter: &str, mapping: &str) -> Option<Arc<str>>;
    /// A GraphQL document of an adapter, `queries/{name}.graphql`.
    fn query(&self, adapter: &str, name: &str) -> Option<Arc<str>>;
}

/// A whole adapter manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// The folder's name, for example `opendental`.
    pub adapter: String,
    /// Raised whenever a mapping or a rule changes what comes out; recorded with every message.
    pub version: u32,
    /// For people.
    pub title: String,
    /// Settings a connection may give, by name.
    #[serde(default)]
    pub settings: BTreeMap<String, Setting>,
    /// Secrets a connection must give, by name, with what they are.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Secrets a connection may give, by name, with what they are.
    #[serde(default)]
    pub optional_secrets: BTreeMap<String, String>,
    /// How webhooks of this product are received. Without it the product has none.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// How products of this kind speak HL7 v2, where a connection does not say otherwise. Without it they don't.
    #[serde(default)]
    pub hl7v2: Option<Box<Hl7v2Site>>,
    /// How the product's own interface is called. Without it nothing is asked of it.
    #[serde(default)]
    pub api: Option<Box<Api>>,
    /// A connection may bring its own `webhook` section and mappings (the generic adapter).
    #[serde(default)]
    pub open: bool,
    /// How deliveries reach this product. Without it the product takes none.
    #[serde(default)]
    pub deliver: Option<Deliver>,
}

/// A setting of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setting {
    /// What it is for.
    pub about: String,
    /// Used when the connection leaves it out. Without a default the setting is required.
    #[serde(default)]
    pub default: Option<String>,
    /// The values it may have. Empty: any.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// What its text must be.
    #[serde(default)]
    pub form: Form,
}

/// What the text of a setting must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Any text.
    #[default]
    Text,
    /// `key=zone, key=zone` with IANA zones: for products whose sites lie in several.
    Zones,
    /// A whole number of days from today. In an interface's paths, queries and headers it is that day, `2026-03-05`, in the
    /// connection's zone.
    Days,
}
