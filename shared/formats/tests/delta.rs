//! Snapshots compared with the one before, however small the memory.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{
    collections::BTreeMap,
    io::{self, Cursor, Read},
};

use bridge_core::feed::Delta;
use bridge_formats::delta::{
    Change, DeltaError, Entries, Entry, Runs, Sorter, Summary, compare, write_entry,
};
use proptest::prelude::*;

#[derive(Default)]
struct InFolder(Vec<tempfile::NamedTempFile>);

impl Runs for InFolder {
    fn store(&mut self, run: Vec<u8>) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new()?;
        io::copy(&mut Cursor::new(run), &mut file)?;
        self.0.push(file);
        Ok(())
    }

    fn open(&mut self) -> io::Result<Vec<Box<dyn Read>>> {
        self.0.iter().map(|file| Ok(Box::new(file.reopen()?) as Box<dyn Read>)).collect()
    }
}

fn entry(key: &str, content: u8, row: u64) -> Entry {
    Entry { key: key.as_bytes().to_vec(), digest: [content; 32], row }
}

/// A snapshot of rows `(key, content)`, sorted with `memory` bytes.
fn snapshot(rows: &[(String, u8)], memory: usize) -> Result<Vec<u8>, DeltaError> {
    let mut sorter = Sorter::new(InFolder::default(), memory);
    for ((key, content), row) in rows.iter().zip(1..) {
        sorter.push(entry(key, *content, row))?;
    }
    let mut stored = Vec::new();
    for entry in sorter.finish()? {
        write_entry(&entry?, &mut stored)?;
    }
    Ok(stored)
}

fn rows(size: usize) -> impl Strategy<Value = Vec<(String, u8)>> {
    let by_key = prop::collection::btree_map("[a-e]{0,3}", 0_u8..3, 0..size);
    by_key.prop_map(|rows| rows.into_iter().collect::<Vec<_>>()).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changes_are_those_of_two_maps(before in rows(40), now in rows(40), memory in 0_usize..4000) {
        let (old, new) = (snapshot(&before, memory).unwrap(), snapshot(&now, memory).unwrap());
        let maps: [BTreeMap<_, _>; 2] = [before.into_iter().collect(), now.iter().cloned().collect()];
        let mut summary = Summary::default();
        let mut seen = Vec::new();
        for change in compare(Entries::new(old.as_slice()), Entries::new(new.as_slice())) {
            let change = change.unwrap();
            summary.count(&change);
            let (Change::New(e) | Change::Changed(e) | Change::Same(e) | Change::Missing(e)) = &change;
            let key = String::from_utf8(e.key.clone()).unwrap();
            let expected = match (maps[0].get(&key), maps[1].get(&key)) {
                (None, Some(_)) => Change::New(e.clone()),
                (Some(_), None) => Change::Missing(e.clone()),
                (a, b) if a == b => Change::Same(e.clone()),
                _ => Change::Changed(e.clone()),
            };
            prop_assert_eq!(&change, &expected);
            if !matches!(change, Change::Missing(_)) {
                // The row by which the file is read a second time.
                prop_assert_eq!(&now[usize::try_from(e.row).unwrap() - 1].0, &key);
            }
            seen.push(key);
        }
        let mut all: Vec<_> = maps[0].keys().chain(maps[1].keys()).cloned().collect();
        all.sort();
        all.dedup();
        prop_assert_eq!(seen, all);
    }
}

#[test]
fn a_row_twice_is_one_and_two_rows_of_one_key_are_an_error() {
    for memory in [0, 1 << 20] {
        let twice = snapshot(&[("a".into(), 1), ("b".into(), 1), ("a".into(), 1)], memory).unwrap();
        assert_eq!(Entries::new(twice.as_slice()).count(), 2);
        let error = snapshot(&[("a".into(), 1), ("b".into(), 1), ("a".into(), 2)], memory).unwrap_err();
        assert!(matches!(error, DeltaError::RepeatedKey { first: 1, second: 3 }), "{error}");
    }
}

#[test]
fn a_snapshot_that_lost_too_much_is_not_acted_on() {
    let delta = Delta { at_most_missing_percent: 10, ..Delta::default() };
    let summary = |same, missing| Summary { same, missing, new: 1000, changed: 0 };
    assert!(summary(90, 10).allow(&delta).is_ok());
    assert!(matches!(
        summary(89, 11).allow(&delta),
        Err(DeltaError::TooManyMissing { missing: 11, before: 100, .. })
    ));
    assert!(summary(0, 0).allow(&delta).is_ok(), "the first snapshot");
    assert!(summary(0, 1).allow(&Delta { at_most_missing_percent: 100, ..delta }).is_ok());
}

#[test]
fn a_damaged_snapshot_is_noticed() {
    let stored = snapshot(&[("alpha".into(), 1), ("beta".into(), 2)], 1 << 20).unwrap();
    for cut in 1..stored.len() {
        let read: Result<Vec<_>, _> = Entries::new(&stored[..cut]).collect();
        // Between two entries nothing shows; the seal around a stored snapshot does.
        let between = cut == 4 + 8 + 32 + "alpha".len();
        assert_eq!(read.is_ok(), between, "cut at {cut}");
    }
    let mut endless = stored;
    endless[0] = 0xff;
    assert!(matches!(Entries::new(endless.as_slice()).next(), Some(Err(DeltaError::Damaged { offset: 0 }))));
}
