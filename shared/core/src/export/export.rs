//! One export, whole.

use serde::{Deserialize, Serialize};

use super::Schedule;
use crate::{Zone, feed::Shape};

/// Files that are written for a connection on a schedule: the resources of it that changed since the last one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Export {
    /// When.
    pub schedule: Schedule,
    /// The zone of the schedule, and of the date in the file's name. The connection's, when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// FHIR resource types that are taken.
    pub resources: Vec<String>,
    /// Which of them, as a JSONata expression about the resource. What it is not true of is left out, until it changes.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "where")]
    pub filter: Option<String>,
    /// Elements that are left out before anything else is done, for example `Patient.telecom`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// The JSONata mapping of a resource to a record, or to several, or to none. HL7 v2 has none: it is converted as the
    /// connection's site says. FHIR needs none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mapping: String,
    /// What the file looks like.
    pub file: Shape,
    /// The columns of delimited text, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<OutColumn>,
    /// What the file is called: `{date}`, `{time}`, `{at}`, `{number}`, `{run}` and `{export}` are filled in.
    pub name: String,
    /// Who alone can read the file, where it is to be encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openpgp: Option<EncryptedFor>,
    /// Whether there is a file when there is nothing to say.
    #[serde(default)]
    pub when_empty: WhenEmpty,
    /// How it is known what became of the file's records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ExportResult>,
}

/// A column of a file that is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OutColumn {
    /// The member of the record.
    pub name: String,
    /// What the header calls it; its name, when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
}

impl OutColumn {
    /// What the header calls it.
    pub fn title(&self) -> &str {
        self.header.as_deref().unwrap_or(&self.name)
    }
}

/// Encryption by OpenPGP (RFC 9580).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct EncryptedFor {
    /// Public keys, each armored, as `gpg --armor --export` writes it: every one of them opens the file.
    pub recipients: Vec<String>,
}

/// Whether there is a file when there is nothing to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenEmpty {
    /// There is none.
    #[default]
    Skip,
    /// There is one without records.
    Write,
}

/// The file that the receiver sends back, and how its rows are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExportResult {
    /// The feed of the same connection that reads it.
    pub feed: String,
    /// The member of an exported record that names it. It is text or a number.
    pub key: String,
    /// The member of the answer's row with that name.
    pub row_key: String,
    /// The member of the answer's row that says what became of it.
    pub status: String,
    /// Statuses of records that were taken.
    pub accepted: Vec<String>,
    /// Statuses of records that were not.
    #[serde(default)]
    pub rejected: Vec<String>,
}
