//! What a feed's columns are called, and what may stand in them.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

/// One column of a row, or one member at the top of a record that is a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Column {
    /// Its name in the records that come out, and in the header unless `from` says otherwise.
    pub name: String,
    /// What headers call it, in the order they are tried. Case and blanks around names don't count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// What it holds.
    #[serde(default, rename = "type")]
    pub holds: Holds,
    /// How dates and times are written, in the directives of `strftime`: `%d/%m/%Y`. Without it they are as ISO 8601
    /// writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// A row without it is bad.
    #[serde(default)]
    pub required: bool,
    /// The only values it may have. Empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<String>,
    /// The most characters it may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<NonZeroU32>,
    /// Its width in characters, in a format of fixed width.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<NonZeroU32>,
}

impl Column {
    /// A column of text that may be missing.
    pub fn text(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            from: Vec::new(),
            holds: Holds::Text,
            pattern: None,
            required: false,
            codes: Vec::new(),
            max_length: None,
            width: None,
        }
    }

    /// A header that says `written` means this column.
    pub fn is_called(&self, written: &str) -> bool {
        let same = |name: &str| name.trim().to_lowercase() == written.trim().to_lowercase();
        same(&self.name) || self.from.iter().any(|name| same(name))
    }
}

/// What a column holds, and how it is written in the records that come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// Text, as it came.
    #[default]
    Text,
    /// A whole number; becomes a JSON number.
    Integer,
    /// A decimal number with a point; becomes a JSON number with the digits it was written with.
    Decimal,
    /// A decimal number with a comma (`1.234,50`); becomes a JSON number.
    DecimalComma,
    /// `1/0`, `true/false`, `yes/no`, `y/n`, `t/f`, in any case; becomes a JSON boolean.
    Boolean,
    /// A date; becomes `YYYY-MM-DD`.
    Date,
    /// A date and time in the feed's zone, or with an offset of its own; becomes RFC 3339.
    DateTime,
    /// A time of day; becomes `HH:MM:SS`.
    Time,
}
