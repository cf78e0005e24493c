//! What became of a file: counts, and the rows that were set aside. Places and reasons, no values.

use serde::{Deserialize, Serialize};

use crate::{intake::Reasons, place::Place};

/// A row that was set aside, or one of the things wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantined {
    /// Where the row begins.
    pub place: Place,
    /// The column; empty when it is the whole row.
    pub column: String,
    /// What is wrong, in words.
    pub reason: String,
}

impl Quarantined {
    /// As a line of a quarantine object.
    pub fn to_json(&self) -> String {
        let Self { place, column, reason } = self;
        serde_json::json!({
            "line": place.line, "offset": place.offset, "row": place.row, "column": column, "reason": reason,
        })
        .to_string()
    }

    pub(crate) fn rule(&self) -> String {
        match self.column.as_str() {
            "" => self.reason.clone(),
            column => format!("{column}: {}", self.reason),
        }
    }
}

/// How many records of a file went which way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// All records.
    pub received: u64,
    /// Those that keep what the feed asks for.
    pub valid: u64,
    /// Those that don't.
    pub bad: u64,
    /// Of the valid: new, or other than in the last snapshot.
    pub changed: u64,
    /// Of the valid: as in the last snapshot.
    pub unchanged: u64,
    /// Of the last snapshot: missing, and sent on as deleted.
    pub deleted: u64,
    /// What is wrong with the bad ones, and how often.
    pub reasons: Reasons,
}

impl Report {
    /// As one JSON object.
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// As CSV: `count,what`, the reasons after the counts.
    pub fn to_csv(&self) -> String {
        let counts = [
            ("received", self.received),
            ("valid", self.valid),
            ("changed", self.changed),
            ("unchanged", self.unchanged),
            ("deleted", self.deleted),
            ("bad", self.bad),
        ];
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut csv = String::from("count,what\r\n");
        for (what, count) in counts {
            csv.push_str(&format!("{count},{what}\r\n"));
        }
        for (reason, count) in &self.reasons {
            csv.push_str(&format!("{count},{}\r\n", quoted(reason)));
        }
        csv
    }
}
