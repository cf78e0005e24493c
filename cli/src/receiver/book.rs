//! What has arrived, by idempotency key.

use std::collections::{HashMap, VecDeque};

use bridge_core::Timestamp;
use serde_json::{Value, json};

/// The contents that are kept to be shown. Keys are kept for as long as the receiver runs.
const CONTENTS: usize = 5_000;

/// The receiver's book.
#[derive(Debug, Default)]
pub(super) struct Book {
    calls: HashMap<String, u32>,
    pub(super) effects: VecDeque<Effect>,
    /// Calls that were failed on purpose.
    pub(super) failed: u64,
    /// Calls that were not signed as they should be.
    pub(super) refused: u64,
}

/// A delivery that had an effect: the first call with its key.
#[derive(Debug)]
pub(super) struct Effect {
    pub(super) key: String,
    pub(super) at: Timestamp,
    pub(super) bundle: Value,
}

impl Book {
    /// Enters a call; whether it is the first with its key.
    pub(super) fn enter(&mut self, key: &str, bundle: Value, at: Timestamp) -> bool {
        let calls = self.calls.entry(key.to_owned()).or_default();
        *calls += 1;
        if *calls > 1 {
            return false;
        }
        if self.effects.len() == CONTENTS {
            self.effects.pop_front();
        }
        self.effects.push_back(Effect { key: key.to_owned(), at, bundle });
        true
    }

    /// How many deliveries had an effect.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// How often a key was sent.
    pub(super) fn calls(&self, key: &str) -> u32 {
        self.calls.get(key).copied().unwrap_or_default()
    }

    /// How many deliveries had an effect, and how many calls came to nothing.
    pub(super) fn counts(&self) -> Value {
        json!({"count": self.len(), "failed": self.failed, "refused": self.refused})
    }

    /// Everything, oldest first.
    pub(super) fn to_json(&self) -> Value {
        let effect = |effect: &Effect| {
            json!({
                "key": effect.key, "at": effect.at, "calls": self.calls(&effect.key), "bundle": effect.bundle,
            })
        };
        let mut all = self.counts();
        all["deliveries"] = self.effects.iter().map(effect).collect();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_has_no_second_effect() {
        let mut book = Book::default();
        assert!(book.enter("a", json!(1), Timestamp::from_millis(0)));
        assert!(!book.enter("a", json!(2), Timestamp::from_millis(1)));
        assert!(book.enter("b", json!(3), Timestamp::from_millis(2)));
        assert_eq!((book.len(), book.calls("a")), (2, 2));
        let shown = book.to_json();
        assert_eq!((&shown["count"], &book.counts()["count"]), (&json!(2), &json!(2)));
        assert_eq!(shown["deliveries"][0]["bundle"], 1);
        assert_eq!(shown["deliveries"][1]["key"], "b");
    }
}
