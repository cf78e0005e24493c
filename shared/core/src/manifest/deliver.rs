//! How deliveries reach a product.

use serde::{Deserialize, Serialize};

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
}

const fn ten_seconds() -> u64 {
    10
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
}
