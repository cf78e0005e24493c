//! Why a message or delivery could not go on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A cause that an operator reads. It names the place (a path, a segment, a rule), never the value found there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Stable, for filters and counts, for example `mapping.failed`.
    pub code: String,
    /// Where: a JSON path, an HL7 location, a file line.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// What to do about it, in a sentence. Holds no PHI.
    pub text: String,
}

impl Cause {
    /// A cause without a place.
    pub fn new(code: &str, text: impl Into<String>) -> Self {
        Self { code: code.to_owned(), place: String::new(), text: text.into() }
    }

    /// The same cause, at `place`.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = place.into();
        self
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.place.is_empty() {
            write!(f, "{}: {}", self.code, self.text)
        } else {
            write!(f, "{} at {}: {}", self.code, self.place, self.text)
        }
    }
}
