//! Whatever the size of a file, the same memory, as changes and as a snapshot; and how fast rows go.
//!
//! `BRIDGE_FILE_MB=1000 cargo test --profile bench -p bridge-pipeline --test files_memory -- --nocapture` prints both for a
//! gigabyte.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::{
    fs,
    ops::Range,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bridge_core::{
    Timestamp,
    task::{Dropped, FileTask},
};
use bridge_pipeline::{
    Bridge,
    batch::{Received, Worker},
    files::{FileState, Ingest, Pace},
    ports::{Clock as _, Entry, FilePorts, Files, Pinned, PortError, Ports, Queue, QueueName},
};
use bridge_testkit::{
    memory::{Calm, MemoryAdapters, MemoryPorts},
    practice::Practice,
    sim::CONNECTION,
};
use futures::executor::block_on;

const HEADER: &str = "chart,name,born,address\n";
const ROW: u64 = 80;

/// Every row has as many bytes: any range of a file of any size is there without the file.
fn row(number: u64) -> String {
    format!("{number:09},Testperson {number:09},1980-02-03,\"{number:09} Invented Street, Nowhere \"\n")
}

/// Ports over files that are made as they are read; what is sent is counted and forgotten.
struct Lean {
    inner: MemoryPorts<Calm>,
    kept: PathBuf,
    sent: AtomicU64,
    bytes: AtomicU64,
}

impl Files for Lean {
    async fn read(&self, _: &Pinned, range: Range<u64>) -> Result<Option<Vec<u8>>, PortError> {
        let head = HEADER.len() as u64;
        let mut bytes = Vec::new();
        let mut from = range.start;
        if from < head {
            bytes.extend_from_slice(&HEADER.as_bytes()[from as usize..range.end.min(head) as usize]);
            from = head;
        }
        while from < range.end {
            let (number, inside) = ((from - head) / ROW, (from - head) % ROW);
            let row = row(number);
            let to = ROW.min(inside + range.end - from);
            bytes.extend_from_slice(&row.as_bytes()[inside as usize..to as usize]);
            from += to - inside;
        }
        Ok(Some(bytes))
    }
    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), PortError> {
        fs::write(self.kept.join(key.replace('/', "|")), bytes).unwrap();
        Ok(())
    }
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        Ok(fs::read(self.kept.join(key.replace('/', "|"))).ok())
    }
    async fn begin_upload(&self, _: &str) -> Result<String, PortError> {
        unreachable!("a file that is read is not written")
    }
    async fn put_part(&self, _: &str, _: &str, _: u32, _: Vec<u8>) -> Result<String, PortError> {
        unreachable!("a file that is read is not written")
    }
    async fn complete_upload(&self, _: &str, _: &str, _: &[String]) -> Result<bool, PortError> {
        unreachable!("a file that is read is not written")
    }
}

impl Queue for Lean {
    async fn send(&self, _: QueueName, entries: Vec<Entry>) -> Result<(), PortError> {
        self.sent.fetch_add(entries.len() as u64, Ordering::Relaxed);
        let bytes: usize = entries.iter().map(|entry| entry.body.len()).sum();
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        Ok(())
    }
    async fn hide(&self, _: QueueName, _: Vec<(String, Duration)>) -> Result<(), PortError> {
        Ok(())
    }
}

impl Ports for Lean {
    type Store = MemoryPorts<Calm>;
    type Queue = Self;
    type Blobs = MemoryPorts<Calm>;
    type Keys = MemoryPorts<Calm>;
    type Clock = MemoryPorts<Calm>;
    type Adapters = MemoryAdapters;
    fn store(&self) -> &MemoryPorts<Calm> {
        &self.inner
    }
    fn queue(&self) -> &Self {
        self
    }
    fn blobs(&self) -> &MemoryPorts<Calm> {
        &self.inner
    }
    fn keys(&self) -> &MemoryPorts<Calm> {
        &self.inner
    }
    fn clock(&self) -> &MemoryPorts<Calm> {
        &self.inner
    }
    fn adapters(&self) -> &MemoryAdapters {
        self.inner.adapters()
    }
}

impl FilePorts for Lean {
    type Files = Self;
    fn files(&self) -> &Self {
        self
    }
}

/// The most this process has ever had in memory, in bytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Reads a file of so many bytes through this feed; how many rows it had.
fn read(feed: &str, megabytes: u64, kept: &std::path::Path) -> u64 {
    let mut source = Practice::source();
    source.feeds.insert("rows".to_owned(), serde_norway::from_str(feed).unwrap());
    let practice = Practice::with_source(source);
    let adapters = practice.bridge.ports().adapters_known();
    let inner = MemoryPorts::new(Arc::clone(&practice.world), Calm, adapters, 0, 1);
    let (sent, bytes) = Default::default();
    let bridge = Bridge::new(Lean { inner, kept: kept.to_owned(), sent, bytes });
    let rows = megabytes * 1_000_000 / ROW;
    let dropped = Dropped {
        key: format!("drops/{CONNECTION}/rows.csv"),
        version: None,
        etag: "e".to_owned(),
        sequencer: "01".to_owned(),
        size: HEADER.len() as u64 + rows * ROW,
        at: Timestamp::from_millis(1_790_000_000_000),
    };
    let record = Received {
        id: "1".to_owned(),
        receipt: "1".to_owned(),
        body: serde_json::to_string(&FileTask::Dropped(vec![dropped])).unwrap(),
        group: "1".to_owned(),
        sequence: String::new(),
        receives: 1,
        sent_at: bridge.ports().inner.now(),
    };
    let ingest = Ingest { bridge: &bridge, pace: Pace::default() };
    block_on(ingest.work(&record, Duration::from_secs(900)));
    let doc = block_on(bridge.files(&CONNECTION.parse().unwrap(), 1)).unwrap().remove(0);
    assert_eq!((doc.state, doc.progress.sent), (FileState::Done, rows), "{:?}", doc.cause);
    assert_eq!(bridge.ports().sent.load(Ordering::Relaxed), rows);
    rows
}

const CHANGES: &str = "{keys: '*', file: {format: csv}, key-columns: [chart], columns: [{name: chart}, {name: born, type: date}], mapping: note}";
const SNAPSHOT: &str = "{keys: '*', file: {format: csv}, key-columns: [chart], columns: [{name: chart}], mapping: note, delta: {mode: snapshot}}";

#[test]
fn memory_does_not_grow_with_the_file() {
    assert_eq!(row(7).len() as u64, ROW);
    let kept = tempfile::tempdir().unwrap();
    let (small, large) = match megabytes() {
        Some(asked) => (10, asked),
        None => (1, 6),
    };
    for (name, feed) in [("changes", CHANGES), ("snapshot", SNAPSHOT)] {
        read(feed, small, kept.path());
        let before = peak();
        let begun = Instant::now();
        let rows = read(feed, large, kept.path());
        let grown = peak() - before;
        let a_second = rows as f64 / begun.elapsed().as_secs_f64();
        println!(
            "{name}: {large} MB, {rows} rows, {a_second:.0} rows/s, peak {} MB, {} MB more than for {small} MB",
            peak() >> 20,
            grown >> 20
        );
        // Sorted runs of 12 MB are full with the large file only, and a block of each is held.
        assert!(grown < 48 << 20, "{name}: {grown} bytes more for {large} MB than for {small}");
    }
    assert!(peak() < 128 << 20, "{} bytes", peak());
}

#[expect(clippy::disallowed_methods, reason = "a test has no other way to be told its size")]
fn megabytes() -> Option<u64> {
    std::env::var("BRIDGE_FILE_MB").ok()?.parse().ok()
}
