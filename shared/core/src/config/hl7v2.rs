//! How one site speaks HL7 v2: the `hl7v2` section of a connection, and of the adapter that gives its defaults.

use serde::{Deserialize, Serialize};

use super::Hl7v2Send;

/// What is agreed with one site. What is left out is as the adapter says, then as it says here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Hl7v2Site {
    /// How messages go out to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send: Option<Hl7v2Send>,
}
