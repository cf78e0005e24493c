//! How many calls a destination takes at the same time, as a value: seats that are held until a time.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::Timestamp;
use serde::{Deserialize, Serialize};

/// What a call takes, more or less: what lies between two turns, for one seat.
const A_CALL: Duration = Duration::from_secs(1);

/// The seats of one destination.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Seats {
    /// Who holds one (a delivery's id, or a call's), and until when at the latest.
    #[serde(default)]
    held: BTreeMap<String, Timestamp>,
    /// The last turn that was given.
    #[serde(default)]
    turn: Timestamp,
}

impl Seats {
    /// Takes one of `seats`, until `lease`; or gives a turn.
    ///
    /// # Errors
    /// With the time to come back at.
    pub fn take(
        &mut self,
        seats: u32,
        holder: &str,
        now: Timestamp,
        lease: Timestamp,
    ) -> Result<(), Timestamp> {
        self.held.retain(|_, until| *until > now);
        // Another attempt of this very delivery is under way, or ended without giving its seat back.
        if !self.held.contains_key(holder) && self.held.len() < seats as usize {
            self.held.insert(holder.to_owned(), lease);
            return Ok(());
        }
        self.turn = self.turn.max(now) + A_CALL / seats.max(1);
        Err(self.turn)
    }

    /// Gives one back that was taken until `lease`. Whoever comes back after its time leaves the next one's alone.
    pub fn leave(&mut self, holder: &str, lease: Timestamp) {
        if self.held.get(holder) == Some(&lease) {
            self.held.remove(holder);
        }
    }

    /// How many are taken at `now`.
    pub fn taken(&self, now: Timestamp) -> usize {
        self.held.values().filter(|until| **until > now).count()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn there_are_never_more_than_there_are() {
        let delivery = |n: usize| ["a", "b", "c", "d"][n];
        let at = |seconds: i64| Timestamp::from_millis(1_700_000_000_000 + seconds * 1000);
        let mut seats = Seats::default();
        seats.take(2, delivery(0), at(0), at(30)).unwrap();
        seats.take(2, delivery(1), at(0), at(30)).unwrap();
        let turn = seats.take(2, delivery(2), at(1), at(31)).unwrap_err();
        let behind = seats.take(2, delivery(3), at(1), at(31)).unwrap_err();
        assert!(turn > at(1) && behind > turn, "one after the other");
        seats.leave(delivery(1), at(30));
        assert!(
            seats.take(2, delivery(0), at(2), at(32)).is_err(),
            "received again in the middle of its attempt"
        );
        seats.take(2, delivery(2), at(3), at(33)).unwrap();
        assert!(seats.take(2, delivery(3), at(29), at(60)).is_err());
        seats.take(2, delivery(0), at(30), at(62)).unwrap();
        assert_eq!(seats.taken(at(32)), 2, "one that was not given back has expired");
        seats.leave(delivery(0), at(30));
        assert_eq!(seats.taken(at(32)), 2, "who is late gives nothing back that is another's");
    }
}
