//! What need not be sent again: in a run for changes the states that the last run listed, which the overlap brings once more;
//! in a full listing what the one before had.

use std::collections::{HashMap, HashSet};

use bridge_core::manifest::Delta;

use super::{
    cursor::Cursor,
    docs::{Aim, Listing, LongRun, Run, Shelf},
    known::kept_until,
    private::numbers,
    walk::{Stop, Subject},
};
use crate::{
    bridge::Bridge,
    ports::{Ports, Record},
    stage::Failure,
};

/// A record in a list: hashes of its id and of its state.
pub(super) type Pair = (u64, u64);

/// What need not be sent again.
pub(super) enum Known {
    /// States, by what lists tell them by.
    States(HashSet<u64>),
    /// The listing before, state by id.
    Listing(HashMap<u64, u64>),
}

impl Known {
    pub(super) fn has(&self, (id, state): Pair) -> bool {
        match self {
            Self::States(states) => states.contains(&state),
            Self::Listing(records) => records.get(&id) == Some(&state),
        }
    }
}

impl<P: Ports> Bridge<P> {
    /// What is known when a run begins or goes on.
    pub(super) async fn known_before(
        &self,
        of: &Subject<'_>,
        cursor: &Cursor,
        run: &Run,
    ) -> Result<Known, Failure> {
        if run.aim == Aim::Everything {
            let before = cursor.doc.listing;
            return Ok(Known::Listing(match before {
                Some(Listing { slot, run, .. }) => self.listed(of, (slot, run)).await?,
                None => HashMap::new(),
            }));
        }
        let mut states = HashSet::new();
        if of.tells_states() {
            states.extend(cursor.private.listed());
            let before = cursor.doc.long.map(|LongRun { run, slot }| (Shelf::Changes(slot), run));
            let now = (run.beside > 0).then(|| (Shelf::Changes(changes_slot(cursor)), run.number));
            for shelf in before.into_iter().chain(now) {
                self.known_pages(of.place(), shelf, |page| states.extend(numbers(page))).await?;
            }
        }
        Ok(Known::States(states))
    }

    /// Writes down what a page listed: in the cursor, or in a record that is written with it.
    pub(super) async fn put_down(
        &self,
        of: &Subject<'_>,
        cursor: &mut Cursor,
        run: &mut Run,
        pairs: &[Pair],
    ) -> Result<Option<Record>, Failure> {
        let expires = kept_until(self.now(), of.poll);
        if run.aim == Aim::Everything {
            let shelf = (Shelf::Listing(listing_slot(cursor)), run.number, run.pages);
            let hashes = pairs.iter().flat_map(|(id, state)| [*id, *state]);
            return self.known_page(of.place(), shelf, hashes, expires).await.map(Some);
        }
        if !of.tells_states() {
            return Ok(None);
        }
        let Some(hashes) = cursor.private.list(pairs.iter().map(|(_, state)| *state)) else {
            return Ok(None);
        };
        let shelf = (Shelf::Changes(changes_slot(cursor)), run.number, run.beside);
        run.beside += 1;
        self.known_page(of.place(), shelf, hashes, expires).await.map(Some)
    }

    /// A full listing is at its end: what of the one before is not in it?
    pub(super) async fn compare(
        &self,
        of: &Subject<'_>,
        cursor: &mut Cursor,
        run: &Run,
        known: Known,
    ) -> Result<Option<Stop>, Failure> {
        let slot = listing_slot(cursor);
        let listed = self.listed(of, (slot, run.number)).await?;
        let gone = match known {
            Known::Listing(before) => before.keys().filter(|id| !listed.contains_key(*id)).count() as u64,
            Known::States(_) => 0,
        };
        cursor.doc.listing =
            Some(Listing { run: run.number, slot, at: run.began, records: listed.len() as u64, gone });
        if of.poll.delta == Delta::Whole {
            cursor.doc.asked_at = Some(of.asked_in(run));
        }
        cursor.doc.run = None;
        if self.put_cursor(of.connection(), of.resource, cursor, None).await?.is_err() {
            return Ok(Some(Stop::Fenced));
        }
        if gone > 0 {
            tracing::info!(
                target: "bridge::event", event = "gone", connection = %of.connection(), resource = of.resource, gone
            );
        }
        Ok(None)
    }

    /// What a listing had, state by id.
    async fn listed(&self, of: &Subject<'_>, (slot, run): (u8, u64)) -> Result<HashMap<u64, u64>, Failure> {
        let mut known = HashMap::new();
        let take = |page: &[u8]| {
            let mut hashes = numbers(page);
            while let (Some(id), Some(state)) = (hashes.next(), hashes.next()) {
                known.insert(id, state);
            }
        };
        self.known_pages(of.place(), (Shelf::Listing(slot), run), take).await?;
        Ok(known)
    }
}

/// A run for changes is over: what it listed is what the next one knows.
pub(super) fn end_changes(cursor: &mut Cursor, run: &Run) {
    let slot = changes_slot(cursor);
    cursor.doc.long = (run.beside > 0).then_some(LongRun { run: run.number, slot });
    cursor.private.end();
}

/// The place of the listing under way: not that of the one before.
fn listing_slot(cursor: &Cursor) -> u8 {
    cursor.doc.listing.map_or(0, |listing| 1 - listing.slot.min(1))
}

/// The same for a run for changes.
fn changes_slot(cursor: &Cursor) -> u8 {
    cursor.doc.long.map_or(0, |long| 1 - long.slot.min(1))
}
