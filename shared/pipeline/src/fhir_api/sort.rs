//! `_sort`: matches in the order of some of their elements (FHIR R4, section 3.1.1.5.1).

use std::cmp::Ordering;

use bridge_core::Timestamp;
use serde_json::Value;

/// The parameters that can be sorted by, each with the elements that it stands for; the first that is there counts.
const ELEMENTS: [(&str, &[&str]); 12] = [
    ("_id", &["/id"]),
    ("_lastUpdated", &["/meta/lastUpdated"]),
    ("birthdate", &["/birthDate"]),
    ("code", &["/code/coding/0/code", "/code/text"]),
    (
        "date",
        &[
            "/start",
            "/effectiveDateTime",
            "/occurrenceDateTime",
            "/occurrencePeriod/start",
            "/performedDateTime",
            "/performedPeriod/start",
            "/period/start",
            "/planningHorizon/start",
            "/created",
            "/date",
        ],
    ),
    ("end", &["/end"]),
    ("family", &["/name/0/family"]),
    ("given", &["/name/0/given/0"]),
    ("identifier", &["/identifier/0/value"]),
    ("name", &["/name/0/family", "/name/0/text", "/name"]),
    ("start", &["/start"]),
    ("status", &["/status"]),
];

/// One key of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SortKey {
    elements: &'static [&'static str],
    descending: bool,
}

/// What is compared.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Sorted {
    Time(Timestamp),
    Text(String),
}

impl SortKey {
    /// The parameters that can be sorted by.
    pub(super) const KNOWN: [&'static str; ELEMENTS.len()] = {
        let mut names = [""; ELEMENTS.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = ELEMENTS[at].0;
            at += 1;
        }
        names
    };

    /// Reads `status,-date`; the first name that is not known is the error.
    pub(super) fn read(text: &str) -> Result<Vec<Self>, String> {
        let key = |name: &str| {
            let (bare, descending) = name.strip_prefix('-').map_or((name, false), |bare| (bare, true));
            let known = ELEMENTS.iter().find(|(known, _)| *known == bare);
            known.map(|(_, elements)| Self { elements, descending }).ok_or_else(|| bare.to_owned())
        };
        text.split(',').map(key).collect()
    }

    fn of(&self, resource: &Value) -> Option<Sorted> {
        let text = self.elements.iter().find_map(|element| resource.pointer(element)?.as_str())?;
        // Times with different offsets are in the order of the moments that they mean.
        Some(match text.parse::<Timestamp>() {
            Ok(time) => Sorted::Time(time),
            Err(_) => Sorted::Text(text.to_lowercase()),
        })
    }

    fn compare(&self, one: &Value, other: &Value) -> Ordering {
        match (self.of(one), self.of(other)) {
            (Some(one), Some(other)) if self.descending => other.cmp(&one),
            (Some(one), Some(other)) => one.cmp(&other),
            // What has no such element comes last, in either direction.
            (one, other) => one.is_none().cmp(&other.is_none()),
        }
    }
}

/// Sorts by the keys; what they don't tell apart stays in the product's order.
pub(super) fn sort(matches: &mut [Value], keys: &[SortKey]) {
    matches.sort_by(|one, other| {
        keys.iter().map(|key| key.compare(one, other)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    });
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_are_compared_and_what_is_missing_comes_last() {
        let rows = |keys: &str| {
            let mut rows = vec![
                json!({"id": "a", "status": "booked", "start": "2026-03-02T10:00:00+01:00"}),
                json!({"id": "b", "status": "arrived", "start": "2026-03-02T09:30:00Z"}),
                json!({"id": "c", "status": "booked"}),
                json!({"id": "d", "status": "booked", "start": "2026-03-02T08:00:00Z"}),
            ];
            sort(&mut rows, &SortKey::read(keys).unwrap());
            rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect::<String>()
        };
        assert_eq!(rows("date"), "dabc");
        assert_eq!(rows("-date"), "badc");
        assert_eq!(rows("status,-date"), "badc");
        assert_eq!(rows("-status,_id"), "acdb");
        assert_eq!(SortKey::read("date,-colour"), Err("colour".to_owned()));
    }
}
