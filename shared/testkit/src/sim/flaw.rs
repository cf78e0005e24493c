//! Bugs that are planted, to show that the simulation would find them.

use bridge_pipeline::ports::{Expect, Record, Write};

/// A bug that is planted, to show that the simulation would find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Conditions on revisions are not enforced: claims do not fence.
    ClaimsDoNotFence,
    /// A lane is never held.
    LanesAreNotHeld,
    /// What is parked is not written down.
    ParkedIsForgotten,
    /// An older state overwrites a newer one.
    StaleOverwrites,
    /// A queue acknowledges what it does not keep.
    SendsAreLost,
    /// A batch is deleted before it is worked.
    DeletedTooEarly,
    /// Records behind a failed one of their group are deleted with the rest of the batch.
    GroupDoesNotStop,
    /// Whoever finds a probe due makes it.
    ProbesAreNotElected,
    /// What was leased of a limit is not written down.
    LeasesAreForgotten,
    /// Nor who holds a seat.
    SeatsAreForgotten,
    /// What is due stands in no index.
    DueIsForgotten,
    /// That an attempt was not answered is written down as if it had failed.
    DoubtsAreForgotten,
    /// That somebody else has a delivery is not written down.
    InsteadIsForgotten,
    /// Every endpoint counts as the one that may have a delivery.
    EndpointsAreMixedUp,
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ClaimsDoNotFence,
        Self::LanesAreNotHeld,
        Self::ParkedIsForgotten,
        Self::StaleOverwrites,
        Self::SendsAreLost,
        Self::DeletedTooEarly,
        Self::GroupDoesNotStop,
        Self::ProbesAreNotElected,
        Self::LeasesAreForgotten,
        Self::SeatsAreForgotten,
        Self::DueIsForgotten,
        Self::DoubtsAreForgotten,
        Self::InsteadIsForgotten,
        Self::EndpointsAreMixedUp,
    ];

    pub(super) fn corrupt(self, writes: Vec<Write>) -> Vec<Write> {
        let always = || Expect::OlderThan("\u{10FFFF}".to_owned());
        let corrupt = |write: Write| match (self, write) {
            (Self::ClaimsDoNotFence, Write::Put(record, Expect::Rev(_) | Expect::Absent))
                if record.key.sk.starts_with("delivery#") =>
            {
                Some(Write::Put(record, always()))
            }
            (Self::LanesAreNotHeld, Write::Put(record, expect)) if record.key.sk == "lane" => {
                let doc = record.doc.replace("\"held\":true", "\"held\":false");
                Some(Write::Put(Record { doc, ..record }, expect))
            }
            (Self::ParkedIsForgotten, Write::Put(record, _)) if record.key.sk.starts_with("parked#") => None,
            (
                Self::StaleOverwrites,
                Write::Put(record, Expect::OlderThan(_) | Expect::OlderAndOther { .. }),
            ) => Some(Write::Put(record, always())),
            (Self::ProbesAreNotElected, Write::Put(record, _)) if record.key.sk == "endpoint" => {
                Some(Write::Put(record, always()))
            }
            (Self::LeasesAreForgotten, Write::Put(record, _)) if record.key.sk == "slices" => None,
            (Self::SeatsAreForgotten, Write::Put(record, _)) if record.key.sk == "seats" => None,
            (Self::DueIsForgotten, Write::Put(record, expect)) if record.key.sk == "lane" => {
                Some(Write::Put(Record { by_attention: None, ..record }, expect))
            }
            (
                Self::DoubtsAreForgotten | Self::InsteadIsForgotten | Self::EndpointsAreMixedUp,
                Write::Put(record, expect),
            ) if record.key.sk.starts_with("delivery#") => {
                let doc = self.corrupt_delivery(&record.doc);
                Some(Write::Put(Record { doc, ..record }, expect))
            }
            (_, write) => Some(write),
        };
        writes.into_iter().filter_map(corrupt).collect()
    }

    fn corrupt_delivery(self, doc: &str) -> String {
        let mut doc: serde_json::Value = serde_json::from_str(doc).expect("a delivery");
        match self {
            Self::DoubtsAreForgotten => {
                doc["doubt"] = serde_json::Value::Null;
                for attempt in doc["history"].as_array_mut().expect("attempts") {
                    if attempt["outcome"] == "unknown" || attempt["outcome"] == "started" {
                        attempt["outcome"] = "retry".into();
                    }
                }
            }
            Self::InsteadIsForgotten if !doc["instead"].is_null() => {
                doc["state"] = serde_json::json!({"waiting": {"until": "2023-11-14T22:13:20.000Z"}});
            }
            Self::EndpointsAreMixedUp => {
                for attempt in doc["history"].as_array_mut().expect("attempts") {
                    attempt["by"] = "west".into();
                }
                if !doc["doubt"].is_null() {
                    doc["doubt"] = "west".into();
                }
            }
            _ => {}
        }
        doc.to_string()
    }
}
