//! Entries sorted by key, in constant memory: sorted runs are set aside, and merged when all have come.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, BufReader, Read, Write},
    mem,
};

use super::{DeltaError, Entry};

/// Where sorted runs wait to be merged.
pub trait Runs {
    /// Sets a run aside. It is no longer than the sorter's memory.
    ///
    /// # Errors
    /// When it can't be stored.
    fn store(&mut self, run: Vec<u8>) -> io::Result<()>;

    /// All runs, in the order they were stored.
    ///
    /// # Errors
    /// When one can't be opened.
    fn open(&mut self) -> io::Result<Vec<Box<dyn Read>>>;
}

/// Takes entries in any order.
pub struct Sorter<S> {
    runs: S,
    memory: usize,
    held: usize,
    entries: Vec<Entry>,
}

impl<S: Runs> Sorter<S> {
    /// A sorter that holds about `memory` bytes.
    pub fn new(runs: S, memory: usize) -> Self {
        Self { runs, memory, held: 0, entries: Vec::new() }
    }

    /// Takes an entry.
    ///
    /// # Errors
    /// When a run can't be stored.
    pub fn push(&mut self, entry: Entry) -> Result<(), DeltaError> {
        // Held once as an entry, and once more while its run is written.
        self.held += 2 * entry.key.len() + size_of::<Entry>() + HEAD;
        self.entries.push(entry);
        if self.held > self.memory { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> Result<(), DeltaError> {
        self.entries.sort_by(|a, b| (&a.key, a.row).cmp(&(&b.key, b.row)));
        let mut run = Vec::new();
        for entry in mem::take(&mut self.entries) {
            write_entry(&entry, &mut run)?;
        }
        self.held = 0;
        Ok(self.runs.store(run)?)
    }

    /// All entries, sorted by key. A row that came twice comes once.
    ///
    /// # Errors
    /// When runs can't be stored or opened.
    pub fn finish(mut self) -> Result<Sorted, DeltaError> {
        if !self.entries.is_empty() {
            self.spill()?;
        }
        let runs = self.runs.open()?.into_iter().map(Entries::new).collect();
        let mut sorted = Sorted { runs, heads: BinaryHeap::new(), last: None };
        for run in 0..sorted.runs.len() {
            sorted.refill(run)?;
        }
        Ok(sorted)
    }
}

/// Entries sorted by key, each key once.
pub struct Sorted {
    runs: Vec<Entries<Box<dyn Read>>>,
    heads: BinaryHeap<Reverse<Head>>,
    last: Option<Entry>,
}

/// The next entry of a run.
#[derive(PartialEq, Eq)]
struct Head {
    entry: Entry,
    run: usize,
}

impl Ord for Head {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.entry.key, self.entry.row).cmp(&(&other.entry.key, other.entry.row))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Sorted {
    fn refill(&mut self, run: usize) -> Result<(), DeltaError> {
        if let Some(entry) = self.runs.get_mut(run).and_then(Iterator::next) {
            self.heads.push(Reverse(Head { entry: entry?, run }));
        }
        Ok(())
    }

    fn take(&mut self) -> Result<Option<Entry>, DeltaError> {
        while let Some(Reverse(Head { entry, run })) = self.heads.pop() {
            self.refill(run)?;
            match &self.last {
                Some(last) if last.key == entry.key && last.digest == entry.digest => {}
                Some(last) if last.key == entry.key => {
                    return Err(DeltaError::RepeatedKey { first: last.row, second: entry.row });
                }
                _ => {
                    self.last = Some(entry.clone());
                    return Ok(Some(entry));
                }
            }
        }
        Ok(None)
    }
}

impl Iterator for Sorted {
    type Item = Result<Entry, DeltaError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take().transpose()
    }
}

/// Bytes in front of a key: its length, the row and the digest.
const HEAD: usize = 4 + 8 + 32;
/// No key is longer; a length beyond it is damage.
const LONGEST_KEY: u32 = 16 << 20;

/// Writes an entry as runs and snapshots hold it.
///
/// # Errors
/// When it can't be written, or the key has more than 16 MiB.
pub fn write_entry(entry: &Entry, out: &mut impl Write) -> io::Result<()> {
    let length = u32::try_from(entry.key.len()).ok().filter(|length| *length <= LONGEST_KEY);
    let length = length.ok_or(io::ErrorKind::InvalidInput)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(&entry.row.to_be_bytes())?;
    out.write_all(&entry.digest)?;
    out.write_all(&entry.key)
}

/// The entries of a run or a snapshot, as they were written.
pub struct Entries<R> {
    source: BufReader<R>,
    offset: u64,
}

impl<R: Read> Entries<R> {
    /// Reads what [`write_entry`] wrote.
    pub fn new(source: R) -> Self {
        Self { source: BufReader::with_capacity(64 << 10, source), offset: 0 }
    }

    fn take(&mut self) -> Result<Option<Entry>, DeltaError> {
        let offset = self.offset;
        let damaged = |e: io::Error| match e.kind() {
            io::ErrorKind::UnexpectedEof => DeltaError::Damaged { offset },
            _ => DeltaError::Storage(e),
        };
        let (mut length, mut row, mut digest) = ([0; 4], [0; 8], [0; 32]);
        // An end is an end only between entries.
        if self.source.read(&mut length[..1]).map_err(damaged)? == 0 {
            return Ok(None);
        }
        self.source.read_exact(&mut length[1..]).map_err(damaged)?;
        self.source.read_exact(&mut row).map_err(damaged)?;
        self.source.read_exact(&mut digest).map_err(damaged)?;
        let length = u32::from_be_bytes(length);
        if length > LONGEST_KEY {
            return Err(DeltaError::Damaged { offset });
        }
        let mut key = vec![0; length as usize];
        self.source.read_exact(&mut key).map_err(damaged)?;
        self.offset += HEAD as u64 + u64::from(length);
        Ok(Some(Entry { key, digest, row: u64::from_be_bytes(row) }))
    }
}

impl<R: Read> Iterator for Entries<R> {
    type Item = Result<Entry, DeltaError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take().transpose()
    }
}
