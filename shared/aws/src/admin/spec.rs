//! What can be created, in the template's words.

use std::collections::BTreeMap;

/// A table, billed per request. All key attributes are strings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableSpec {
    /// Its name.
    pub name: String,
    /// Its primary key.
    pub key: KeySpec,
    /// Its global secondary indexes.
    pub indexes: Vec<IndexSpec>,
}

/// The attributes of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpec {
    /// Partition key.
    pub hash: String,
    /// Sort key.
    pub range: Option<String>,
}

/// A global secondary index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSpec {
    /// Its name.
    pub name: String,
    /// Its key.
    pub key: KeySpec,
    /// The attributes it has besides the keys; `None` for all.
    pub include: Option<Vec<String>>,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSpec {
    /// Its name.
    pub name: String,
    /// By the names that SQS and CloudFormation share.
    pub attributes: BTreeMap<String, String>,
}
