//! What is sealed beside a cursor: where its list goes on, and hashes of what its runs listed.

use bridge_core::Phi;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

/// How many hashes of what a run listed stand in the cursor itself. What is more stands in records beside it.
const IN_CURSOR: usize = 1024;

/// What is sealed beside a cursor.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Private {
    /// Where the list goes on.
    #[serde(default)]
    pub(super) page: Option<Phi<String>>,
    /// Hashes of the states that the last finished run listed.
    #[serde(default, alias = "recent")]
    before: Hashes,
    /// And of those of the run under way.
    #[serde(default)]
    now: Hashes,
}

/// Hashes, oldest first, in base 64.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Hashes(String);

impl Hashes {
    fn of(hashes: &[u64]) -> Self {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
        Self(BASE64.encode(&bytes))
    }

    fn all(&self) -> Vec<u64> {
        numbers(&BASE64.decode(self.0.as_bytes()).unwrap_or_default()).collect()
    }
}

impl Private {
    /// A run begins. What one that was given up had listed is worth remembering, as far as there is room.
    pub(super) fn begin(&mut self) {
        self.page = None;
        let given_up = std::mem::take(&mut self.now).all();
        if !given_up.is_empty() {
            let all = [self.before.all(), given_up].concat();
            let from = all.len().saturating_sub(IN_CURSOR);
            self.before = Hashes::of(all.get(from..).unwrap_or_default());
        }
    }

    /// The run under way has listed these. What the cursor can't hold any more comes back, to be put beside it.
    pub(super) fn list(&mut self, states: impl Iterator<Item = u64>) -> Option<Vec<u64>> {
        let mut now = self.now.all();
        now.extend(states);
        let is_too_much = now.len() > IN_CURSOR;
        self.now = if is_too_much { Hashes::default() } else { Hashes::of(&now) };
        is_too_much.then_some(now)
    }

    /// The run under way is over.
    pub(super) fn end(&mut self) {
        self.before = std::mem::take(&mut self.now);
    }

    /// All that stand here.
    pub(super) fn listed(&self) -> impl Iterator<Item = u64> {
        self.before.all().into_iter().chain(self.now.all())
    }
}

/// The numbers that these bytes were.
pub(super) fn numbers(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks_exact(8).map(|eight| u64::from_le_bytes(eight.try_into().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_run_remembers_all_it_listed_and_one_that_was_given_up_what_there_is_room_for() {
        let mut private = Private::default();
        private.begin();
        assert_eq!(private.list(0..1_000), None);
        assert_eq!(private.list(1_000..1_500), Some((0..1_500).collect()), "to be put beside the cursor");
        assert_eq!(private.list(1_500..1_600), None);
        private.end();
        assert_eq!(private.listed().collect::<Vec<_>>(), (1_500..1_600).collect::<Vec<_>>());
        private.begin();
        private.list(2_000..3_000);
        private.begin();
        assert_eq!(
            private.listed().collect::<Vec<_>>(),
            [(1_576..1_600).collect::<Vec<_>>(), (2_000..3_000).collect()].concat()
        );
    }

    #[test]
    fn a_cursor_of_before_is_read() {
        let private: Private =
            serde_json::from_str(r#"{"page": null, "recent": "AQAAAAAAAAACAAAAAAAAAA=="}"#).unwrap();
        assert_eq!(private.listed().collect::<Vec<_>>(), [1, 2]);
    }
}
