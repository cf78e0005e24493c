//! How deliveries reach a product.

use serde::{Deserialize, Serialize};

use crate::config::Failover;

/// How deliveries reach a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Deliver {
    /// The way.
    pub transport: Transport,
    /// Longest wait for a reply, in seconds.
    #[serde(default = "ten_seconds")]
    pub timeout: u64,
    /// After this many attempts a delivery is parked.
    #[serde(default = "twelve")]
    pub max_attempts: u32,
    /// A delivery that fails this many hours after its first attempt is parked, however many it had.
    #[serde(default = "three_days")]
    pub max_age: u64,
    /// How often it may be called; all of them hold at once, for all processes together.
    #[serde(default)]
    pub limits: Vec<Limit>,
    /// How many calls at the same time. Without it as many as there is work for.
    #[serde(default)]
    pub concurrency: Option<u32>,
    /// How it says that it was called too often, where that is not 429 with `Retry-After`. The first that fits counts.
    #[serde(default)]
    pub signals: Vec<Signal>,
    /// How several endpoints are used, where a connection does not say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failover: Option<Failover>,
}

/// So many calls in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limit {
    /// How many.
    pub calls: u32,
    /// The period, in seconds.
    pub seconds: u32,
    /// The count begins anew with each full period of UTC (each hour, each day), not a period after each call.
    #[serde(default)]
    pub on_the_clock: bool,
}

/// An answer that says: too often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signal {
    /// With this status; 200 is possible.
    pub status: u16,
    /// With this text in the body. `{seconds}` in it stands for a number: the wait.
    #[serde(default)]
    pub text: Option<String>,
    /// The header that says how long to wait.
    #[serde(default)]
    pub header: Option<String>,
    /// What stands in the header.
    #[serde(default)]
    pub form: WaitForm,
    /// The wait in seconds where the answer names none.
    #[serde(default)]
    pub seconds: Option<u64>,
}

/// How a header says how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaitForm {
    /// Seconds, or a date: `Retry-After`, RFC 9110, section 10.2.3.
    #[default]
    RetryAfter,
    /// The end of the wait in seconds since 1970.
    Epoch,
}

const fn ten_seconds() -> u64 {
    10
}

const fn three_days() -> u64 {
    72
}

const fn twelve() -> u32 {
    12
}

/// The transports. `{name}` in a text stands for the connection's setting of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Transport {
    /// A signed POST by Standard Webhooks 1.0. The receiver keeps `Idempotency-Key`, so a repeat has no second effect.
    StandardWebhook {
        /// For example `{url}`.
        url: String,
        /// The secret's name, `whsec_…`.
        secret: String,
    },
    /// HL7 v2 messages, each answered before the next is sent. MSH-10 is the same on every attempt, so a receiver can
    /// tell a repeat. The address says how: MLLP, MLLP over TLS, or HTTP.
    Hl7v2 {
        /// `mllp://host:port`, `mllps://host:port` or `https://host/path`; for example `{send-to}`.
        url: String,
        /// PEM of the authorities one of which has signed the receiver's certificate, for example `{send-ca}`. Empty:
        /// those that the machine trusts.
        #[serde(default)]
        ca: String,
        /// Name of the optional secret that is the header `Authorization` over HTTP.
        #[serde(default)]
        authorization: Option<String>,
        /// Name of the optional secret that this side proves itself with over TLS: PEM of a certificate and its key.
        #[serde(default)]
        identity: Option<String>,
    },
    /// The product's own interface, as its manifest's `api` says: each resource is looked for, written and read back. The
    /// limits, signals and the time-out are those of `api`.
    Api,
}

impl Transport {
    /// Whether deliveries are HL7 v2 messages, not FHIR.
    pub const fn speaks_hl7v2(&self) -> bool {
        matches!(self, Self::Hl7v2 { .. })
    }

    /// The names of the secrets it uses.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let names = match self {
            Self::StandardWebhook { secret, .. } => [Some(secret), None],
            Self::Hl7v2 { authorization, identity, .. } => [authorization.as_ref(), identity.as_ref()],
            Self::Api => [None, None],
        };
        names.into_iter().flatten().map(String::as_str)
    }
}
