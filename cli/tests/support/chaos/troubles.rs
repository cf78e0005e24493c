//! Troubles of a run: for each party all kinds in turn, one at a time, with calls between them that meet none.

use std::{collections::BTreeMap, time::Duration};

use bridge_simulators::{Fault, Served, Trouble};

use super::super::chance::Chance;

/// Longer than any adapter of the run waits for an answer.
const TOO_LATE: Duration = Duration::from_secs(40);

/// Calls between two troubles: a party that fails more often than not is left alone by its breaker, and rightly so.
const BETWEEN: u64 = 2;

/// The troubles of one party.
pub(crate) struct Troubles {
    chance: Chance,
    /// Those that come next.
    deck: Vec<(&'static str, Trouble)>,
    waiting: Option<(&'static str, Trouble)>,
    /// Calls that there were when the last one was met.
    calls: u64,
    /// How many were met, by kind.
    pub(crate) met: BTreeMap<&'static str, usize>,
}

impl Troubles {
    pub(crate) fn new(seed: u64) -> Self {
        let chance = Chance::of(seed);
        Self { chance, deck: Vec::new(), waiting: None, calls: 0, met: BTreeMap::new() }
    }

    /// Puts the next trouble before the party's next call, once the last one was met and some calls after it were not.
    pub(crate) fn next(&mut self, party: &Served) {
        self.look(party);
        if self.waiting.is_none() && party.calls().total() >= self.calls + BETWEEN {
            let drawn = self.draw();
            party.faults().add(Fault::next(drawn.1.clone()));
            self.waiting = Some(drawn);
        }
    }

    /// From now on calls meet none.
    pub(crate) fn end(&mut self, party: &Served) {
        self.look(party);
        party.faults().clear();
        self.waiting = None;
    }

    /// Whether the one that waited was met.
    fn look(&mut self, party: &Served) {
        let Some((kind, trouble)) = self.waiting.take() else { return };
        if party.faults().clear() == 0 {
            *self.met.entry(kind).or_default() += 1;
            self.calls = party.calls().total();
        } else {
            party.faults().add(Fault::next(trouble.clone()));
            self.waiting = Some((kind, trouble));
        }
    }

    fn draw(&mut self) -> (&'static str, Trouble) {
        if self.deck.is_empty() {
            let mut rest = vec![
                ("answers late", Trouble::Late(TOO_LATE)),
                ("hangs", Trouble::Hang),
                ("resets", Trouble::Reset),
                ("does it and resets", Trouble::Lost),
                ("500", Trouble::Status { status: 500, body: String::new() }),
            ];
            while !rest.is_empty() {
                let at = self.chance.below(rest.len() as u64) as usize;
                self.deck.push(rest.swap_remove(at));
            }
            // The one that each says in its own way comes first.
            self.deck.push(("too often", Trouble::Throttle));
        }
        self.deck.pop().expect("it was filled")
    }
}
