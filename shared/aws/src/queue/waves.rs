//! Cutting entries into requests that SQS takes and that keep each group's order.

use std::collections::HashMap;

use bridge_pipeline::ports::{Entry, PortError};

use super::SEND;

/// Most entries of a request.
pub(super) const MOST: usize = 10;
/// Largest body of an entry, and of all entries of a request together (1 MiB), with room for what JSON adds.
const LARGEST: usize = 1_000_000;

/// Wave n holds the n-th entry of each group, in order.
pub(super) fn waves(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut waves: Vec<Vec<Entry>> = Vec::new();
    let mut lengths: HashMap<String, usize> = HashMap::new();
    for entry in entries {
        let length = lengths.entry(entry.group.clone()).or_default();
        match waves.get_mut(*length) {
            Some(wave) => wave.push(entry),
            None => waves.push(vec![entry]),
        }
        *length += 1;
    }
    waves
}

/// A wave's requests.
pub(super) fn batches(wave: Vec<Entry>) -> Result<Vec<Vec<Entry>>, PortError> {
    let mut batches: Vec<Vec<Entry>> = Vec::new();
    let mut room = 0;
    for entry in wave {
        let bytes = entry.body.len();
        if bytes > LARGEST {
            let reason = format!("a task of {bytes} bytes; {LARGEST} is the limit");
            return Err(PortError { operation: SEND, reason });
        }
        match batches.last_mut() {
            Some(batch) if batch.len() < MOST && bytes <= room => {
                room -= bytes;
                batch.push(entry);
            }
            _ => {
                room = LARGEST - bytes;
                batches.push(vec![entry]);
            }
        }
    }
    Ok(batches)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn entry(group: &str, dedup: u32, bytes: usize) -> Entry {
        Entry { body: "x".repeat(bytes), group: group.to_owned(), dedup: dedup.to_string() }
    }

    fn names(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.dedup.as_str()).collect()
    }

    #[test]
    fn a_group_has_one_entry_in_each_wave_and_keeps_its_order() {
        let entries = [("a", 1), ("b", 2), ("a", 3), ("a", 4), ("b", 5), ("c", 6)];
        let waves = waves(entries.map(|(group, dedup)| entry(group, dedup, 1)).to_vec());
        let waves: Vec<_> = waves.iter().map(|wave| names(wave)).collect();
        assert_eq!(waves, [vec!["1", "2", "6"], vec!["3", "5"], vec!["4"]]);
    }

    #[test]
    fn requests_hold_ten_entries_and_less_than_a_mebibyte() {
        let many = (0..21).map(|n| entry("g", n, 1)).collect();
        assert_eq!(batches(many).unwrap().iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 1]);
        let large = [600_000, 400_000, 1, 999_999, 2].map(|bytes| entry("g", 0, bytes)).to_vec();
        assert_eq!(batches(large).unwrap().iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    }

    #[test]
    fn what_no_request_can_hold_is_refused_by_its_size() {
        let error = batches(vec![entry("g", 0, LARGEST + 1)]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "sqs.SendMessageBatch failed: a task of 1000001 bytes; 1000000 is the limit"
        );
    }
}
