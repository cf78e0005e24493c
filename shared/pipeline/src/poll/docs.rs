//! What the ledger keeps of a connection's polls: states, times, counts and causes in clear; page cursors, and hashes of
//! what was seen, sealed.

use std::time::Duration;

use bridge_core::{Cause, Timestamp, id::ConnectionId};
use bridge_seal::Binding;
use serde::{Deserialize, Serialize};

use crate::ports::{Key, Record, Table};

/// A connection that is polled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollDoc {
    /// Which one.
    pub connection: ConnectionId,
    /// When something of it is due.
    pub due: Timestamp,
    /// Somebody works at it, until then at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<Timestamp>,
    /// Counts the times it was worked.
    #[serde(default)]
    pub turns: u64,
    /// When it was worked the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub polled_at: Option<Timestamp>,
}

/// How far one resource type of a connection is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CursorDoc {
    /// When it is due.
    pub due: Timestamp,
    /// Everything that the product changed before this has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Timestamp>,
    /// When the last finished run for changes began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<Timestamp>,
    /// The last full listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<Listing>,
    /// The last finished run for changes that listed more than the cursor can remember.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) long: Option<LongRun>,
    /// What is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
    /// A read-once queue was asked then, and what it said is not known to be safe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsafe_since: Option<Timestamp>,
    /// Numbers the runs.
    #[serde(default)]
    pub runs: u64,
    /// Failures in a row.
    #[serde(default)]
    pub failures: u32,
    /// Why it last failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Pages that were read.
    #[serde(default)]
    pub pages: u64,
    /// Records on them.
    #[serde(default)]
    pub records: u64,
    /// Of those, the ones that became messages. The others were known.
    #[serde(default)]
    pub sent: u64,
}

/// A full listing that was finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// The number of its run.
    pub run: u64,
    /// Where its hashes stand: one of two places, in turn.
    #[serde(default)]
    pub(super) slot: u8,
    /// When it began.
    pub at: Timestamp,
    /// Records in it.
    pub records: u64,
    /// Records of the listing before it that are not in it any more.
    pub gone: u64,
}

/// Where a run's hashes stand that the cursor could not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LongRun {
    /// Its number.
    pub(super) run: u64,
    /// One of two places, in turn.
    pub(super) slot: u8,
}

/// What a run is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Aim {
    /// What has changed.
    Changes,
    /// What a read-once queue handed out to somebody who may have died.
    Again,
    /// Everything.
    Everything,
}

/// A walk through the pages of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its number.
    pub number: u64,
    /// What it is after.
    pub aim: Aim,
    /// When its first page was asked for.
    pub began: Timestamp,
    /// From where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Where the next run begins, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<Timestamp>,
    /// Pages that are done.
    pub pages: u64,
    /// Records on them.
    pub records: u64,
    /// The pages are at their end.
    #[serde(default)]
    pub listed: bool,
    /// Records of hashes that stand beside the cursor.
    #[serde(default)]
    pub(super) beside: u64,
    /// Finds lists that lead back to themselves.
    pub trail: Trail,
}

impl Run {
    pub(super) fn new(number: u64, aim: Aim, began: Timestamp) -> Self {
        let (from, to, mark) = (None, None, None);
        let trail = Trail::default();
        Self { number, aim, began, from, to, mark, pages: 0, records: 0, listed: false, beside: 0, trail }
    }
}

/// Finds a list of pages that leads back to one that it had, whatever its length, by Brent's method: one page is remembered,
/// for twice as long each time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    page: u64,
    for_pages: u64,
    since: u64,
}

impl Trail {
    /// Goes on to a page. `false` where it was there before.
    pub(super) const fn goes_on(&mut self, page: u64) -> bool {
        if self.for_pages > 0 && page == self.page {
            return false;
        }
        self.since += 1;
        if self.since >= self.for_pages {
            (self.page, self.since) = (page, 0);
            self.for_pages = if self.for_pages == 0 { 1 } else { self.for_pages * 2 };
        }
        true
    }
}

/// Parts of the index of what is due.
const DUE_PARTITIONS: u32 = 8;

/// The parts of the index of connections that are due.
pub(super) fn due_partitions() -> impl Iterator<Item = String> {
    (0..DUE_PARTITIONS).map(|part| format!("#polls#{part}"))
}

/// A number that is the connection's own.
pub(super) fn spread(text: &str) -> u64 {
    eight_of(text.as_bytes())
}

/// The first eight bytes of a hash.
pub(super) fn eight_of(bytes: &[u8]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = bridge_seal::sha256(&[bytes]);
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn partition(connection: &ConnectionId) -> String {
    format!("{}#polls", connection.tenant())
}

pub(super) fn poll_key(connection: &ConnectionId) -> Key {
    Key::new(Table::Ledger, partition(connection), format!("connection#{connection}"))
}

pub(super) fn cursor_key(connection: &ConnectionId, resource: &str) -> Key {
    Key::new(Table::Ledger, partition(connection), format!("cursor#{connection}#{resource}"))
}

/// Where hashes stand: each is one of two, in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shelf {
    /// Ids and states of a full listing.
    Listing(u8),
    /// States of a run for changes.
    Changes(u8),
}

/// Where the hashes of a page stand.
pub(super) fn known_key(connection: &ConnectionId, resource: &str, shelf: Shelf, page: u64) -> Key {
    let (pk, sk) = known_range(connection, resource, shelf);
    Key::new(Table::Ledger, pk, format!("{sk}{page:08}"))
}

/// The partition and the beginning of the sort keys of a shelf.
pub(super) fn known_range(connection: &ConnectionId, resource: &str, shelf: Shelf) -> (String, String) {
    let place = match shelf {
        Shelf::Listing(slot) => format!("known#{slot}#"),
        Shelf::Changes(slot) => format!("changes#{slot}#"),
    };
    (format!("{}#known#{connection}#{resource}", connection.tenant()), place)
}

pub(super) fn cursor_binding<'a>(connection: &'a ConnectionId, resource: &'a str) -> Binding<'a> {
    Binding { connection, purpose: "poll", id: resource }
}

/// The record of a connection that is polled, with its place in the index of what is due.
pub(super) fn poll_record(doc: &PollDoc) -> Record {
    let mut record = Record::new(poll_key(&doc.connection), crate::ledger::docs_write(doc));
    let part = spread(doc.connection.as_str()) % u64::from(DUE_PARTITIONS);
    record.by_attention = Some((format!("#polls#{part}"), format!("{}#{}", doc.due, doc.connection)));
    record
}

/// The next of the times that lie `every` apart, at a place of the connection's own: so they don't all come at once.
pub(super) fn next_time(now: Timestamp, every: Duration, of: &str) -> Timestamp {
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX).max(1_000);
    let place = i64::try_from(spread(of) % every.unsigned_abs()).unwrap_or(0);
    let before = (now.as_millis() - place).div_euclid(every);
    Timestamp::from_millis((before + 1) * every + place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_next_time_is_later_at_most_by_the_period_and_spread() {
        let (now, every) = (Timestamp::from_millis(1_790_000_000_123), Duration::from_secs(300));
        let places: std::collections::BTreeSet<i64> = (0..100)
            .map(|n| {
                let next = next_time(now, every, &format!("sunrise.c{n}"));
                assert!(next > now && next.since(now) <= every);
                assert_eq!(next_time(next, every, &format!("sunrise.c{n}")).since(next), every);
                next.as_secs() / 30
            })
            .collect();
        assert!(places.len() >= 9, "{places:?}");
    }

    #[test]
    fn a_list_that_leads_back_is_found_and_a_long_one_is_not() {
        let mut long = Trail::default();
        assert!((0..100_000).all(|page| long.goes_on(page)));
        for (before, round) in [(0, 1), (0, 7), (5, 1), (17, 40), (1_000, 3)] {
            let mut trail = Trail::default();
            let pages = (0..before + round).chain((0..).map(|n| before + n % round));
            let found = pages.take(10_000).position(|page| !trail.goes_on(page)).unwrap();
            assert!(found as u64 <= 4 * (before + round) + 4, "{before} {round}: {found}");
        }
    }
}
