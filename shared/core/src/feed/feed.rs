//! One feed, whole.

use std::{
    collections::BTreeMap,
    num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64},
};

use serde::{Deserialize, Serialize};

use super::{Column, Shape};
use crate::{Zone, manifest::Extract};

/// Files a connection takes, what they look like, and what becomes of their records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Feed {
    /// Which files of the connection's drop folder: their names, where `*` stands for anything but `/`.
    pub keys: String,
    /// How the files are decrypted. Without it they come in clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openpgp: Option<OpenPgp>,
    /// What the files look like.
    pub file: Shape,
    /// The zone of times without one. The connection's, when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    /// What the columns are called, and what may stand in them. Columns of a file that are not here go on as text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// The columns that together name a record: what a snapshot is compared by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_columns: Vec<String>,
    /// The JSONata mapping that turns a record into FHIR R4. HL7 v2 has none: it is converted as the site says.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub mapping: String,
    /// The mapping of a row that is missing from a snapshot: what it gets are the key columns, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<String>,
    /// What records are kept in order by; usually the patient. Empty: the key columns, or each record by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lane: Vec<Extract>,
    /// When the source last changed the record. A record with an older value never overwrites a newer one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Extract>,
    /// Identifiers an operator may search by, kept as keyed hashes: name to place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub find_by: BTreeMap<String, Extract>,
    /// Records that travel together. Without it each is a message by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// Whether a file is everything, or what has changed.
    #[serde(default)]
    pub delta: Delta,
    /// What is done about rows that are bad.
    #[serde(default)]
    pub bad_rows: BadRows,
    /// How large things may be.
    #[serde(default)]
    pub limits: FeedLimits,
}

/// How many records make one message. They share its lane, its deliveries, and its fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Batch {
    /// About so many records.
    pub rows: NonZeroU16,
    /// Over how many lanes the feed's records are spread, by what would name a lane of their own.
    #[serde(default = "Batch::usual_lanes")]
    pub lanes: NonZeroU8,
}

impl Batch {
    /// More records than this make messages too large for those who receive them.
    pub const MOST_ROWS: u16 = 200;
    /// More lanes than this hardly share anything.
    pub const MOST_LANES: u8 = 64;

    const fn usual_lanes() -> NonZeroU8 {
        const EIGHT: NonZeroU8 = NonZeroU8::new(8).unwrap();
        EIGHT
    }
}

/// Files that are encrypted with OpenPGP (RFC 9580) for a key of the practice's connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OpenPgp {
    /// The connection's secret that holds the secret key, armored.
    pub secret_key: String,
    /// The connection's secret that holds what opens the key, where something must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub passphrase: Option<String>,
}

impl OpenPgp {
    /// The names of the secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.secret_key).chain(&self.passphrase)
    }
}

/// Whether a file is everything, or what has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Delta {
    /// What a file holds.
    pub mode: DeltaMode,
    /// What is done about rows of the last snapshot that are missing.
    pub missing: Missing,
    /// A snapshot in which more of the last one's rows are missing, in percent, is refused: the file is more likely cut
    /// short than the practice half empty.
    pub at_most_missing_percent: u8,
}

impl Default for Delta {
    fn default() -> Self {
        Self { mode: DeltaMode::Changes, missing: Missing::Ignored, at_most_missing_percent: 10 }
    }
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeltaMode {
    /// What has changed; every row goes on.
    #[default]
    Changes,
    /// Everything there is; rows that are as they were in the last file don't go on.
    Snapshot,
}

/// What is done about rows of the last snapshot that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// Nothing: they may only have left the report.
    #[default]
    Ignored,
    /// They go on as deleted.
    Deleted,
}

/// What is done about rows that are bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct BadRows {
    /// With the first of them.
    pub policy: BadRowPolicy,
    /// With more than so many the file is refused, whatever the policy.
    pub at_most: u32,
}

impl Default for BadRows {
    fn default() -> Self {
        Self { policy: BadRowPolicy::Quarantine, at_most: 1000 }
    }
}

/// What one bad row means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BadRowPolicy {
    /// It is set aside with its line, column and reason; good rows go on.
    #[default]
    Quarantine,
    /// The file is refused.
    RefuseFile,
}

/// How large things may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct FeedLimits {
    /// The largest file, in bytes, after it is unpacked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<NonZeroU64>,
    /// The longest record, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_bytes: Option<NonZeroU32>,
    /// How deep JSON and XML may be nested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<NonZeroU32>,
}

impl Feed {
    /// What messages of a feed of this name are called.
    pub fn kind(name: &str) -> String {
        format!("feed/{name}")
    }

    /// What messages about missing rows are called.
    pub fn removal_kind(name: &str) -> String {
        format!("feed/{name}/removed")
    }

    /// The feed that messages of this kind come from, and whether they are about missing rows.
    pub fn of_kind(kind: &str) -> Option<(&str, bool)> {
        let name = kind.strip_prefix("feed/")?;
        Some(name.strip_suffix("/removed").map_or((name, false), |name| (name, true)))
    }

    /// A file of this name belongs to the feed.
    pub fn takes(&self, name: &str) -> bool {
        matches(&self.keys, name)
    }
}

/// `*` stands for anything but `/`.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((before, after)) = pattern.split_once('*') else { return pattern == name };
    let Some(rest) = name.strip_prefix(before) else { return false };
    let reach = rest.find('/').unwrap_or(rest.len());
    let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]).filter(|at| *at <= reach);
    ends.into_iter().any(|at| rest.get(at..).is_some_and(|rest| matches(after, rest)))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_stands_for_anything_but_a_slash() {
        for (pattern, name, expected) in [
            ("patients-*.csv", "patients-2026-03-02.csv", true),
            ("patients-*.csv", "patients-.csv", true),
            ("patients-*.csv", "patients-1.csv.part", false),
            ("*.csv", "old/patients.csv", false),
            ("*/p-*.csv", "old/p-1.csv", true),
            ("a.csv", "a.csv", true),
            ("a.csv", "b.csv", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
