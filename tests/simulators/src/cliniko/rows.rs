//! Cliniko's records.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::parts::people::Person;

/// A record of any kind.
pub(super) trait Row {
    /// As the interface shows it to a caller who finds it at `base`.
    fn json(&self, base: &str) -> Value;
}

/// Somebody who is treated.
#[derive(Debug, Clone)]
pub(super) struct Patient {
    pub(super) id: u64,
    pub(super) person: Person,
    pub(super) updated_at: Timestamp,
}

/// Somebody who treats.
#[derive(Debug, Clone)]
pub(super) struct Practitioner {
    pub(super) id: u64,
    pub(super) person: Person,
    pub(super) updated_at: Timestamp,
}

impl Row for Patient {
    fn json(&self, base: &str) -> Value {
        let Person { family, given, birth_date, .. } = &self.person;
        json!({
            "id": self.id.to_string(), "first_name": given, "last_name": family, "date_of_birth": birth_date,
            "updated_at": self.updated_at, "links": {"self": format!("{base}/v1/patients/{}", self.id)},
        })
    }
}

impl Row for Practitioner {
    fn json(&self, base: &str) -> Value {
        json!({
            "id": self.id.to_string(), "first_name": self.person.given, "last_name": self.person.family,
            "updated_at": self.updated_at, "links": {"self": format!("{base}/v1/practitioners/{}", self.id)},
        })
    }
}
