//! How a product writes a point in time.

use serde::{Deserialize, Serialize};

/// How a product writes a point in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TimeForm {
    /// In the words of strftime, for example `%Y-%m-%d %H:%M:%S`.
    #[serde(default = "rfc3339")]
    pub form: String,
    /// The clock it is read from.
    #[serde(default)]
    pub clock: Clock,
}

/// A clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// UTC.
    #[default]
    Utc,
    /// The practice's, in the connection's zone.
    Local,
}

impl Default for TimeForm {
    fn default() -> Self {
        Self { form: rfc3339(), clock: Clock::Utc }
    }
}

fn rfc3339() -> String {
    "%Y-%m-%dT%H:%M:%SZ".to_owned()
}
