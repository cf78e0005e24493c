//! Which versions of a product are known, and how one is told.

use serde::{Deserialize, Serialize};

use super::super::Extract;

/// How a product's version is found out. Versions are compared number by number: `24.3.61` is later than `24.3.9`, and
/// dates in ISO form compare as one would think.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VersionCheck {
    /// The operation that is asked.
    pub operation: String,
    /// Where its answer says it.
    pub at: Extract,
    /// The earliest version that this adapter works with.
    #[serde(default)]
    pub from: Option<String>,
    /// The latest version that it was certified with; a later one is noted.
    #[serde(default)]
    pub known: Option<String>,
}
