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
}

impl Flaw {
    /// All of them.
    pub const ALL: [Self; 11] = [
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
            (Self::StaleOverwrites, Write::Put(record, Expect::OlderThan(_))) => {
                Some(Write::Put(record, always()))
            }
            (Self::ProbesAreNotElected, Write::Put(record, _)) if record.key.sk == "endpoint" => {
                Some(Write::Put(record, always()))
            }
            (Self::LeasesAreForgotten, Write::Put(record, _)) if record.key.sk == "slices" => None,
            (Self::SeatsAreForgotten, Write::Put(record, _)) if record.key.sk == "seats" => None,
            (Self::DueIsForgotten, Write::Put(record, expect)) if record.key.sk == "lane" => {
                Some(Write::Put(Record { by_attention: None, ..record }, expect))
            }
            (_, write) => Some(write),
        };
        writes.into_iter().filter_map(corrupt).collect()
    }
}
