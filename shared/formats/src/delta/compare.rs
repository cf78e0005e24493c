//! Two snapshots, side by side.

use std::cmp::Ordering;

use bridge_core::feed::Delta;

use super::{DeltaError, Entry};

/// What became of a key from one snapshot to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It was not there before.
    New(Entry),
    /// Its row is another.
    Changed(Entry),
    /// Its row is as it was.
    Same(Entry),
    /// It is no longer there. The entry is the last snapshot's.
    Missing(Entry),
}

/// How many keys went which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Not there before.
    pub new: u64,
    /// Other than before.
    pub changed: u64,
    /// As before.
    pub same: u64,
    /// No longer there.
    pub missing: u64,
}

impl Summary {
    /// Counts a change.
    pub fn count(&mut self, change: &Change) {
        match change {
            Change::New(_) => self.new += 1,
            Change::Changed(_) => self.changed += 1,
            Change::Same(_) => self.same += 1,
            Change::Missing(_) => self.missing += 1,
        }
    }

    /// Whether the comparison may be acted on. Ask before the first row goes on: a file that was cut short looks like a
    /// practice that lost its patients.
    ///
    /// # Errors
    /// When more is missing than the feed allows.
    pub fn allow(&self, delta: &Delta) -> Result<(), DeltaError> {
        let before = self.changed + self.same + self.missing;
        let at_most_percent = delta.at_most_missing_percent;
        if u128::from(self.missing) * 100 > u128::from(before) * u128::from(at_most_percent) {
            return Err(DeltaError::TooManyMissing { missing: self.missing, before, at_most_percent });
        }
        Ok(())
    }
}

/// Compares two lists of entries, each sorted by key.
pub fn compare<B, N>(before: B, now: N) -> Comparison<B, N>
where
    B: Iterator<Item = Result<Entry, DeltaError>>,
    N: Iterator<Item = Result<Entry, DeltaError>>,
{
    Comparison { before: Peeked { rest: before, head: None }, now: Peeked { rest: now, head: None } }
}

/// The changes, in the order of their keys. Made by [`compare`].
pub struct Comparison<B, N> {
    before: Peeked<B>,
    now: Peeked<N>,
}

struct Peeked<I> {
    rest: I,
    head: Option<Entry>,
}

impl<I: Iterator<Item = Result<Entry, DeltaError>>> Peeked<I> {
    fn take(&mut self) -> Result<Option<Entry>, DeltaError> {
        match self.head.take() {
            Some(head) => Ok(Some(head)),
            None => self.rest.next().transpose(),
        }
    }
}

impl<B, N> Comparison<B, N>
where
    B: Iterator<Item = Result<Entry, DeltaError>>,
    N: Iterator<Item = Result<Entry, DeltaError>>,
{
    fn step(&mut self) -> Result<Option<Change>, DeltaError> {
        let (before, now) = match (self.before.take()?, self.now.take()?) {
            (None, None) => return Ok(None),
            (Some(before), None) => return Ok(Some(Change::Missing(before))),
            (None, Some(now)) => return Ok(Some(Change::New(now))),
            (Some(before), Some(now)) => (before, now),
        };
        Ok(Some(match before.key.cmp(&now.key) {
            Ordering::Less => {
                self.now.head = Some(now);
                Change::Missing(before)
            }
            Ordering::Greater => {
                self.before.head = Some(before);
                Change::New(now)
            }
            Ordering::Equal if before.digest == now.digest => Change::Same(now),
            Ordering::Equal => Change::Changed(now),
        }))
    }
}

impl<B, N> Iterator for Comparison<B, N>
where
    B: Iterator<Item = Result<Entry, DeltaError>>,
    N: Iterator<Item = Result<Entry, DeltaError>>,
{
    type Item = Result<Change, DeltaError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().transpose()
    }
}
