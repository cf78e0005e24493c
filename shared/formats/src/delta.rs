//! A snapshot compared with the one before: which rows are new, changed, as they were, or missing.
//!
//! Both are lists of keys, each with a digest of its row, sorted by key. Sorting spills to [`Runs`] and comparing reads two
//! streams side by side, so memory does not grow with the file. Keys are PHI: whoever keeps runs and snapshots seals
//! them.

mod compare;
mod sort;

use std::io;

pub use compare::{Change, Comparison, Summary, compare};
pub use sort::{Entries, Runs, Sorted, Sorter, write_entry};

/// A row by its key.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// What [`crate::Step::Good`] gives as key. PHI.
    pub key: Vec<u8>,
    /// A keyed digest of the row: two rows of one key are the same if it is.
    pub digest: [u8; 32],
    /// The number of the row in its file.
    pub row: u64,
}

/// Keys are PHI.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "entry of row {}", self.row)
    }
}

/// Why snapshots can't be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaError {
    /// Runs or a snapshot can't be written or read.
    #[error("a snapshot can't be stored or read: {0}")]
    Storage(#[from] io::Error),
    /// What was stored is no list of entries.
    #[error("a stored snapshot is damaged at byte {offset}")]
    Damaged {
        /// Bytes before it.
        offset: u64,
    },
    /// Two rows of a file have one key, and differ.
    #[error("rows {first} and {second} have the same key and differ: which one counts is not said anywhere")]
    RepeatedKey {
        /// Number of the row, counted from 1.
        first: u64,
        /// Number of the row, counted from 1.
        second: u64,
    },
    /// More is missing than the feed allows.
    #[error(
        "{missing} of the {before} rows of the last snapshot are missing, and the feed allows {at_most_percent} %: \
         is the file whole?"
    )]
    TooManyMissing {
        /// Rows that are missing.
        missing: u64,
        /// Rows of the last snapshot.
        before: u64,
        /// What the feed allows.
        at_most_percent: u8,
    },
}
