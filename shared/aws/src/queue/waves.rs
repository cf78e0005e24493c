//! Cutting entries into requests that SQS takes and that keep each group's order.

use std::collections::HashMap;

use bridge_pipeline::ports::{Entry, PortError};

use super::SEND;

/// Most entries of a request.
pub(super) const MOST: usize = 10;
/// Largest body of an entry, and of all entries of a request together (1 MiB), with room for what JSON adds.
const LARGEST: usize = 1_000_000;

/// An entry, and which of those whose entries go together sends it.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) by: usize,
    pub(super) entry: Entry,
}

/// Refuses what no request can hold.
pub(super) fn refuse_too_large(entries: &[Entry]) -> Result<(), PortError> {
    match entries.iter().map(|entry| entry.body.len()).find(|bytes| *bytes > LARGEST) {
        Some(bytes) => {
            let reason = format!("a task of {bytes} bytes; {LARGEST} is the limit");
            Err(PortError { operation: SEND, reason })
        }
        None => Ok(()),
    }
}

/// Wave n holds the n-th entry of each group, in order.
pub(super) fn waves(entries: Vec<Sent>) -> Vec<Vec<Sent>> {
    let mut waves: Vec<Vec<Sent>> = Vec::new();
    let mut lengths: HashMap<String, usize> = HashMap::new();
    for sent in entries {
        let length = lengths.entry(sent.entry.group.clone()).or_default();
        match waves.get_mut(*length) {
            Some(wave) => wave.push(sent),
            None => waves.push(vec![sent]),
        }
        *length += 1;
    }
    waves
}

/// A wave's requests. None of its entries is too large.
pub(super) fn batches(wave: Vec<Sent>) -> Vec<Vec<Sent>> {
    let mut batches: Vec<Vec<Sent>> = Vec::new();
    let mut room: usize = 0;
    for sent in wave {
        let bytes = sent.entry.body.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < MOST && bytes <= room => {
                room -= bytes;
                batch.push(sent);
            }
            _ => {
                room = LARGEST.saturating_sub(bytes);
                batches.push(vec![sent]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn sent(group: &str, dedup: u32, bytes: usize) -> Sent {
        let entry = Entry { body: "x".repeat(bytes), group: group.to_owned(), dedup: dedup.to_string() };
        Sent { by: 0, entry }
    }

    fn names(entries: &[Sent]) -> Vec<&str> {
        entries.iter().map(|sent| sent.entry.dedup.as_str()).collect()
    }

    #[test]
    fn a_group_has_one_entry_in_each_wave_and_keeps_its_order() {
        let entries = [("a", 1), ("b", 2), ("a", 3), ("a", 4), ("b", 5), ("c", 6)];
        let waves = waves(entries.map(|(group, dedup)| sent(group, dedup, 1)).to_vec());
        let waves: Vec<_> = waves.iter().map(|wave| names(wave)).collect();
        assert_eq!(waves, [vec!["1", "2", "6"], vec!["3", "5"], vec!["4"]]);
    }

    #[test]
    fn requests_hold_ten_entries_and_less_than_a_mebibyte() {
        let many = (0..21).map(|n| sent("g", n, 1)).collect();
        assert_eq!(batches(many).iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 1]);
        let large = [600_000, 400_000, 1, 999_999, 2].map(|bytes| sent("g", 0, bytes)).to_vec();
        assert_eq!(batches(large).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    }

    #[test]
    fn what_no_request_can_hold_is_refused_by_its_size() {
        let error = refuse_too_large(&[sent("g", 0, LARGEST + 1).entry]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "sqs.SendMessageBatch failed: a task of 1000001 bytes; 1000000 is the limit"
        );
    }
}
