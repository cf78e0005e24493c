//! What can be wrong with a mapping or with what it met.

use std::fmt;

/// Where in a mapping's source, counted as editors do: from 1, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl Place {
    /// The place of a character offset in `source`.
    pub(crate) fn at(source: &str, offset: usize) -> Self {
        source.chars().take(offset).fold(Self { line: 1, column: 1 }, |at, c| match c {
            '\n' => Self { line: at.line + 1, column: 1 },
            _ => Self { column: at.column + 1, ..at },
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A mapping that cannot be used, or could not be applied. Prints as `name:line:column: text` and holds nothing
/// of the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MappingError {
    /// The source is not a mapping: found when it is compiled, so when a connection is configured.
    #[error("{mapping}:{place}: {text}")]
    Source {
        /// The mapping's name.
        mapping: String,
        /// Where.
        place: Place,
        /// What to change.
        text: String,
    },
    /// The record is not what the mapping expects.
    #[error("{mapping}{}: {text}", colon(.place))]
    Record {
        /// The mapping's name.
        mapping: String,
        /// The part of the mapping that was being evaluated, when it is known.
        place: Option<Place>,
        /// What was expected. Holds no value of the record.
        text: String,
    },
    /// The evaluation would have used more than [`crate::limits`] allow.
    #[error("{mapping}{}: {text}", colon(.place))]
    Limit {
        /// The mapping's name.
        mapping: String,
        /// The part of the mapping that was being evaluated, when it is known.
        place: Option<Place>,
        /// Which limit.
        text: String,
    },
}

fn colon(place: &Option<Place>) -> String {
    place.map_or_else(String::new, |place| format!(":{place}"))
}

impl MappingError {
    /// The mapping's name.
    pub fn mapping(&self) -> &str {
        match self {
            Self::Source { mapping, .. } | Self::Record { mapping, .. } | Self::Limit { mapping, .. } => {
                mapping
            }
        }
    }

    /// Where in the mapping's source, when it is known.
    pub fn place(&self) -> Option<Place> {
        match self {
            Self::Source { place, .. } => Some(*place),
            Self::Record { place, .. } | Self::Limit { place, .. } => *place,
        }
    }

    /// What is wrong, without name and place.
    pub fn text(&self) -> &str {
        match self {
            Self::Source { text, .. } | Self::Record { text, .. } | Self::Limit { text, .. } => text,
        }
    }
}
