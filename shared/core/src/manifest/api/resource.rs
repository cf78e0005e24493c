//! How a FHIR resource type is read, found, polled and written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Poll, TimeForm};

/// What can be done with a FHIR resource type.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ResourceApi {
    /// What its records are: a name among `kinds`.
    pub kind: String,
    /// Identifier system whose value is the product's own id, for example `{appointment-system}`. The argument `id` of a
    /// read or a write is this identifier's value.
    pub identifier: String,
    /// One by its id.
    #[serde(default)]
    pub read: Option<Read>,
    /// Ways to search; the first that knows all the parameters of a request, and whose required ones are there, is used.
    #[serde(default)]
    pub search: Vec<Search>,
    /// How changes are found.
    #[serde(default)]
    pub poll: Option<Poll>,
    /// Ways to write; the first that fits is used.
    #[serde(default)]
    pub write: Vec<Write>,
    /// Seconds for which what was read may be given out again.
    #[serde(default)]
    pub cache: u64,
}

/// One by its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Read {
    /// The operation, with the argument `id`.
    pub operation: String,
}

/// A way to search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Search {
    /// The operation.
    pub operation: String,
    /// Arguments that are always the same.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// FHIR search parameters, and what becomes of them.
    #[serde(default)]
    pub parameters: BTreeMap<String, SearchParameter>,
    /// Parameters without which it can't be used.
    #[serde(default)]
    pub required: Vec<String>,
}

/// What becomes of a search parameter (FHIR R4, section 3.1.1.4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum SearchParameter {
    /// A text, as it is.
    String {
        /// The argument.
        argument: String,
    },
    /// A code or identifier, `system|value` or `value`.
    Token {
        /// The argument.
        argument: String,
        /// The product's words for the codes. Empty: the value as it is. A code that is not there is refused.
        #[serde(default)]
        values: BTreeMap<String, String>,
        /// The identifier's system, where one is given, must be this one.
        #[serde(default)]
        system: Option<String>,
    },
    /// A reference: the product's id of what it refers to.
    Reference {
        /// The argument.
        argument: String,
        /// The type it refers to, whose `identifier` says which of its ids is meant.
        to: String,
    },
    /// A date or time with prefixes `eq`, `ge`, `gt`, `le`, `lt`; a day is from its beginning to its end in the
    /// connection's zone.
    Date {
        /// The argument for the beginning, included.
        from: String,
        /// The argument for the end.
        to: String,
        /// How they are written.
        #[serde(default)]
        time: TimeForm,
        /// The end is included: the product counts in days, for example.
        #[serde(default)]
        to_included: bool,
    },
    /// A birth date: a whole day.
    Day {
        /// The argument.
        argument: String,
        /// How it is written.
        #[serde(default)]
        time: TimeForm,
    },
}

/// When a way to write fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// The product does not have it yet.
    Create,
    /// It has.
    Update,
}

/// A way to write: search, write, read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Write {
    /// When it fits.
    pub on: On,
    /// And the resource's `status` is one of these (`cancelled`). Empty: any.
    #[serde(default)]
    pub status: Vec<String>,
    /// And one of these elements differs from what the product has (`start`). Empty: whatever does. Needs `read`.
    #[serde(default)]
    pub changed: Vec<String>,
    /// The operation. Its body is made of `{"resource", "known", "arguments"}`, where `known` is the product's record as it
    /// is, where it was read.
    pub operation: String,
    /// The mapping that makes further arguments of the same input: an object of texts. `id` is there anyhow.
    #[serde(default)]
    pub arguments: Option<String>,
    /// How what was perhaps written already is found, before it is written.
    #[serde(default)]
    pub find: Option<Find>,
    /// What must be found before it can be written, where the product books an open time by its id.
    #[serde(default)]
    pub needs: Option<Needs>,
    /// JSON pointer to the record in the answer, or to its id where `read-back` is set. Left out: `""`.
    #[serde(default)]
    pub record: String,
    /// The answer is not the record: it is read again by its id.
    #[serde(default)]
    pub read_back: bool,
    /// Done is what a later reading says.
    #[serde(default)]
    pub confirm: Option<Confirm>,
}

/// How what was perhaps written already is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Find {
    /// The operation that lists candidates.
    pub operation: String,
    /// The mapping that makes its arguments of `{"resource", "known", "arguments"}`.
    pub arguments: String,
    /// The mapping that says of `{"resource", "record"}` whether it is the same: `true` or `false`.
    pub same: String,
}

/// What must be found before something can be written. Nothing found is a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Needs {
    /// The operation that lists candidates.
    pub operation: String,
    /// The mapping that makes its arguments of `{"resource", "known", "arguments"}`.
    pub arguments: String,
    /// The mapping that says of `{"resource", "record"}` whether it is the one: `true` or `false`. The first one is taken.
    pub same: String,
    /// JSON pointer into the record to what is needed.
    pub at: String,
    /// The argument of the write that it becomes.
    pub argument: String,
}

/// When a write counts as done that the product takes later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Confirm {
    /// The operation that reads the record by `id`.
    pub operation: String,
    /// The mapping that says of `{"resource", "record"}`: `true` (it is there), `false` (it was refused) or nothing (not
    /// yet).
    pub done: String,
    /// Seconds between two readings.
    pub every: u64,
    /// Minutes after which it is parked as unconfirmed.
    pub within: u64,
}
