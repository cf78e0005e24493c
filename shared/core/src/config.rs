//! Tenants and connections, as their YAML files say.

mod endpoints;
mod hl7v2;
mod hl7v2_send;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use endpoints::{Alternative, Endpoint, Failover, Fallback, Instead, OldAnswers, Role, Serves, Sticky};
pub use hl7v2::{
    AllergySeverity, EventPattern, Hl7v2Party, Hl7v2Site, Identity, NationalId, NewestBy, NextOfKin, ParkOn,
};
pub use hl7v2_send::{Answers, Hl7v2Send};

use crate::{
    Phi, Zone,
    feed::Feed,
    id::{ConnectionId, TenantId},
    manifest::{IpRange, Webhook},
};

/// A practice organisation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tenant {
    /// Its id.
    pub tenant: TenantId,
    /// For people.
    pub name: String,
    /// How long things are kept.
    #[serde(default)]
    pub retention: Retention,
}

/// How long things are kept, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Retention {
    /// What was received: after this it can no longer be replayed.
    pub payload_days: u32,
    /// The record of what happened. HIPAA's documentation rule asks for six years (45 CFR 164.316(b)(2)(i)).
    pub ledger_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { payload_days: 30, ledger_days: 2192 }
    }
}

/// One configured link of a tenant to one system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Connection {
    /// Its id, `{tenant}.{name}`; part of the webhook's URL.
    pub connection: ConnectionId,
    /// Which adapter.
    pub adapter: String,
    /// The practice's zone: fills a time stamp that has none.
    pub zone: Zone,
    /// Work waits while this is set.
    #[serde(default)]
    pub paused: bool,
    /// The product is asked for what changed, where its adapter knows how.
    #[serde(default)]
    pub poll: bool,
    /// Values for the adapter's settings.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Values for the adapter's secrets. In a file: the value, or `{env: NAME}` to take it from there.
    #[serde(default)]
    pub secrets: BTreeMap<String, Secret>,
    /// Who may call the webhook. Empty: anybody who can sign.
    #[serde(default)]
    pub allow_ips: Vec<IpRange>,
    /// What a lane does when its head cannot go on.
    #[serde(default)]
    pub lanes: LanePolicy,
    /// Where the resources go.
    #[serde(default)]
    pub routes: Vec<Route>,
    /// Where it can be reached, where that is in several places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<Endpoint>,
    /// How they are used, where that is not as the adapter says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
    /// What becomes of its work while none of them answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// This connection's own webhook rules, where the adapter is open.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// What is agreed with this site, where the adapter speaks HL7 v2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hl7v2: Option<Box<Hl7v2Site>>,
    /// The files it sends, by the name of the feed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub feeds: BTreeMap<String, Feed>,
    /// This connection's own JSONata mappings by name, where the adapter is open.
    #[serde(default)]
    pub mappings: BTreeMap<String, String>,
}

/// The values of a secret: the current one first, then the one being rotated out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Secret {
    /// One value.
    One(Phi<String>),
    /// Two during a rotation.
    Rotating(Vec<Phi<String>>),
    /// Taken from the environment when the file is applied; never stored in this form.
    Env {
        /// Variable's name.
        env: String,
    },
}

impl Secret {
    /// The values to try, the current one first.
    pub fn values(&self) -> &[Phi<String>] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Rotating(values) => values,
            Self::Env { .. } => &[],
        }
    }
}

/// What a lane does when its head is parked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LanePolicy {
    /// Later work of the lane is parked behind it, in order.
    #[default]
    Hold,
    /// Later work goes on.
    Skip,
}

/// Which resources go where (data minimisation: what is not listed is not sent).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Route {
    /// A connection of the same tenant.
    pub to: ConnectionId,
    /// FHIR resource types.
    pub resources: Vec<String>,
    /// Elements that are left out, for example `Patient.telecom`.
    #[serde(default)]
    pub drop: Vec<String>,
    /// Who gets it while the destination can't be reached, whatever that itself says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Alternative>,
}
