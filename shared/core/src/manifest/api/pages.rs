//! How a list goes on.

use serde::{Deserialize, Serialize};

use super::super::Extract;

/// Where a paging value is put in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Parameter {
    /// A query parameter.
    Query(String),
    /// A place in the body.
    Body {
        /// JSON pointer; in GraphQL into the variables.
        body: String,
    },
}

/// How a list goes on. What follows is always asked for with the first call's arguments; a list that leads back to a page it
/// had, or past `most` pages, is an error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Pages {
    /// So many records are skipped.
    Offset {
        /// Where the number goes.
        offset: Parameter,
        /// Where the page's size goes, if anywhere.
        #[serde(default)]
        limit: Option<Parameter>,
        /// Records on a full page; a page with fewer is the last.
        size: u32,
    },
    /// Pages have numbers.
    Number {
        /// Where the number goes.
        page: Parameter,
        /// The first page's number.
        #[serde(default = "one")]
        first: u32,
        /// Where the page's size goes, if anywhere.
        #[serde(default)]
        limit: Option<Parameter>,
        /// Records on a full page; a page with fewer is the last.
        size: u32,
    },
    /// The answer has the next page's address: absolute (to an allowed host), or a path.
    Next {
        /// Where; the header `link` is read by RFC 8288, `rel=next`.
        next: Extract,
        /// Where the page's size goes, if anywhere.
        #[serde(default)]
        limit: Option<Parameter>,
        /// Records on a page, where it can be chosen.
        #[serde(default)]
        size: u32,
    },
    /// The answer has a cursor (Relay's `endCursor`, a start key, a page token), which goes into the next request.
    Cursor {
        /// Where the cursor goes.
        cursor: Parameter,
        /// Where it is found.
        next: Extract,
        /// Where it says `true` that there is more. Left out: a cursor means more.
        #[serde(default)]
        more: Option<Extract>,
        /// Where the page's size goes, if anywhere.
        #[serde(default)]
        limit: Option<Parameter>,
        /// Records on a page, where it can be chosen.
        #[serde(default)]
        size: u32,
    },
    /// The last record has the cursor; a page with fewer records than `size` is the last.
    LastRecord {
        /// Where the cursor goes.
        cursor: Parameter,
        /// JSON pointer into the record.
        at: String,
        /// Where the page's size goes, if anywhere.
        #[serde(default)]
        limit: Option<Parameter>,
        /// Records on a full page.
        size: u32,
    },
    /// FHIR: the Bundle's link `next`.
    Bundle {
        /// `_count`.
        size: u32,
    },
}

const fn one() -> u32 {
    1
}
