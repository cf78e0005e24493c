//! Where something stands in a file, and where reading can go on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a record begins, or where something is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Bytes of the file before it, as the file is stored: in its own character set, byte order mark included.
    pub offset: u64,
    /// The line, counted from 1.
    pub line: u64,
    /// The record it belongs to, counted from 1; 0 before the first.
    pub row: u64,
}

impl Place {
    /// Where every file begins.
    pub const START: Self = Self { offset: 0, line: 1, row: 0 };
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if self.row > 0 { write!(f, " (record {})", self.row) } else { Ok(()) }
    }
}

/// Where reading can go on in another process: after the last record that was given.
///
/// Bytes from `place.offset` on, a new reader with the same settings, and this: what comes is what would have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The end of the last record; `row` is how many records there were.
    pub place: Place,
    /// What a reader must know of the bytes before.
    pub memory: Memory,
}

/// What a reader must know of the bytes it does not see again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Memory {
    /// Nothing but the character set that was found.
    Nothing(bridge_core::feed::Charset),
    /// The names in the header of delimited text.
    Header(bridge_core::feed::Charset, Vec<String>),
    /// How many records an envelope has had so far, for the count in its trailer, and the ids that must come again:
    /// HL7 batches, X12 interchanges.
    Envelope(bridge_core::feed::Charset, Vec<String>),
}

impl Memory {
    pub(crate) fn charset(&self) -> bridge_core::feed::Charset {
        match self {
            Self::Nothing(charset) | Self::Header(charset, _) | Self::Envelope(charset, _) => *charset,
        }
    }
}
