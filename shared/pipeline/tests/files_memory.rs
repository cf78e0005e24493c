//! Whatever the size of a file, the same memory, in each format, as changes and as a snapshot; the second day's snapshot
//! sends what changed and nothing else; and how fast rows go, beside the bare csv crate on the same file.
//!
//! `just bench-files` does it with 10, 100 and 1000 MB. Files lie on the disk and are read in ranges, as S3 gives them; what
//! is queued is counted and forgotten, and the ledger is in memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::{
    fs::{self, File},
    io::BufReader,
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bridge_core::{
    Timestamp, Zone,
    feed::Feed,
    task::{Dropped, FileTask},
};
use bridge_formats::{Intake, Step};
use bridge_pipeline::{
    Bridge,
    batch::{Received, Worker},
    files::{CipherError, FileState, Ingest, Pace},
    ports::{Clock as _, Entry, FilePorts, Files, Pinned, PortError, Ports, Queue, QueueName},
};
use bridge_testkit::{
    memory::{Calm, MemoryAdapters, MemoryPorts, Shared, lock},
    practice::Practice,
    rows::{Format, Sheet},
    sim::CONNECTION,
};
use futures::executor::block_on;

/// Ports over a file on the disk.
struct Lean {
    inner: MemoryPorts<Calm>,
    kept: PathBuf,
    sent: AtomicU64,
}

impl Files for Lean {
    async fn read(&self, file: &Pinned, range: Range<u64>) -> Result<Option<Vec<u8>>, PortError> {
        let file = File::open(self.kept.join(file.key.rsplit('/').next().unwrap())).unwrap();
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap()];
        file.read_exact_at(&mut bytes, range.start).unwrap();
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

/// What something took.
struct Took {
    /// Of this thread's processor, in seconds.
    seconds: f64,
    /// The most that the process had in memory meanwhile, in bytes.
    peak: u64,
}

fn measured<T>(work: impl FnOnce() -> T) -> (T, Took) {
    // Forgets the highest mark (proc(5), clear_refs).
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let begun = processor();
    let done = work();
    let seconds = (processor() - begun) as f64 / 1e9;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    let peak = line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024;
    (done, Took { seconds, peak })
}

/// What this thread has had of a processor, in nanoseconds.
fn processor() -> u64 {
    let times = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    times.split_whitespace().next().unwrap().parse().unwrap()
}

/// A practice whose source has this feed.
struct Clinic {
    practice: Practice,
    world: Shared,
    kept: PathBuf,
    /// How many rows make a message.
    together: u64,
}

impl Clinic {
    fn new(feed: &Feed, kept: &Path) -> Self {
        let mut source = Practice::source();
        source.feeds.insert("rows".to_owned(), feed.clone());
        let practice = Practice::with_source(source);
        let world = Arc::clone(&practice.world);
        let together = feed.batch.map_or(1, |batch| batch.rows.get().into());
        Self { practice, world, kept: kept.to_owned(), together }
    }

    /// Reads a file; how many rows went on.
    fn read(&self, name: &str) -> u64 {
        let adapters = self.practice.bridge.ports().adapters_known();
        let inner = MemoryPorts::new(Arc::clone(&self.world), Calm, adapters, 0, 1);
        let now = {
            let mut world = lock(&self.world);
            world.now += 86_400_000;
            world.now
        };
        let bridge = Bridge::new(Lean { inner, kept: self.kept.clone(), sent: AtomicU64::new(0) });
        let dropped = Dropped {
            key: format!("drops/{CONNECTION}/{name}"),
            version: None,
            etag: "e".to_owned(),
            sequencer: format!("{now:016X}"),
            size: fs::metadata(self.kept.join(name)).unwrap().len(),
            at: bridge.ports().inner.now(),
        };
        let record = Received {
            id: "1".to_owned(),
            receipt: "1".to_owned(),
            body: serde_json::to_string(&FileTask::Dropped(vec![dropped])).unwrap(),
            group: "1".to_owned(),
            sequence: String::new(),
            receives: 1,
            sent_at: Timestamp::from_millis(1_790_000_000_000),
        };
        let ingest =
            Ingest { bridge: &bridge, pace: Pace::default(), decryptor: |_, _| Err(CipherError::System) };
        block_on(ingest.work(&record, Duration::from_secs(900)));
        let doc = block_on(bridge.files(&CONNECTION.parse().unwrap(), 1)).unwrap().remove(0);
        let (messages, rows) = (bridge.ports().sent.load(Ordering::Relaxed), doc.progress.sent);
        assert_eq!((doc.state, doc.progress.bad()), (FileState::Done, 0), "{:?}", doc.cause);
        match self.together {
            1 => assert_eq!(messages, rows),
            together => assert!(messages <= rows / together + 64, "{messages} messages of {rows} rows"),
        }
        rows
    }
}

const COLUMNS: &str = "key-columns: [Chart]
columns:
  - {name: Chart, type: integer}
  - {name: Family, required: true, max-length: 60}
  - {name: Born, type: date}
  - {name: Sex, codes: [F, M, X]}
  - {name: Balance, type: decimal}
mapping: note
";

/// The file's name, and its feed.
fn feed_of(format: Format) -> (&'static str, Feed) {
    let (name, file) = match format {
        Format::Csv => ("rows.csv", "{format: csv}"),
        Format::Ndjson => ("rows.ndjson", "{format: ndjson}"),
        Format::Xml => ("rows.xml", "{format: xml, xml: {records: Patients/Patient}}"),
    };
    (name, serde_norway::from_str(&format!("keys: '*'\nfile: {file}\n{COLUMNS}")).unwrap())
}

/// Rows of a file that the bare csv crate cuts.
fn bare(file: &Path) -> u64 {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let mut record = csv::StringRecord::new();
    let mut rows = 0;
    while reader.read_record(&mut record).unwrap() {
        rows += 1;
    }
    rows
}

/// Rows of a file that are read, checked and written as JSON.
fn through_a_feed(file: &Path, feed: &Feed) -> u64 {
    let zone: Zone = "America/Chicago".parse().unwrap();
    let source = BufReader::with_capacity(1 << 20, File::open(file).unwrap());
    let mut intake = Intake::open(source, feed, &zone).unwrap();
    let mut rows = 0;
    while let Some(step) = intake.next().unwrap() {
        assert!(matches!(step, Step::Good { .. }));
        rows += 1;
    }
    rows
}

#[test]
fn memory_does_not_grow_with_the_file_and_a_second_day_sends_what_changed() {
    let asked = megabytes();
    let sizes = asked.clone().unwrap_or_else(|| vec![1, 5]);
    let kept = tempfile::tempdir().unwrap();
    println!("| file | rows | | rows per CPU second | of bare csv | peak, MiB |\n|---|---|---|---|---|---|");
    // The csv crate's rows a second, by the size of the file.
    let mut yardstick = Vec::new();
    for format in [Format::Csv, Format::Ndjson, Format::Xml] {
        let (name, feed) = feed_of(format);
        let path = kept.path().join(name);
        let mut peaks = Vec::new();
        for (at, megabytes) in sizes.iter().enumerate() {
            let sheet = Sheet { format, seed: *megabytes, day: 0 };
            let rows = sheet.write_bytes(megabytes * 1_000_000, File::create(&path).unwrap()).unwrap();
            if format == Format::Csv {
                let (found, took) = measured(|| bare(&path));
                assert_eq!(found, rows);
                yardstick.push(rows as f64 / took.seconds);
            }
            let line = |what: &str, took: &Took| {
                let a_second = rows as f64 / took.seconds;
                let share = a_second / yardstick[at];
                println!(
                    "| {megabytes} MB {name} | {rows} | {what} | {a_second:.0} | {share:.3} | {} |",
                    took.peak >> 20
                );
            };
            let (found, took) = measured(|| through_a_feed(&path, &feed));
            assert_eq!(found, rows);
            line("read, checked, typed", &took);
            let (found, took) = measured(|| Clinic::new(&feed, kept.path()).read(name));
            assert_eq!(found, rows);
            line("through file-ingest, each row sealed and queued", &took);
            let mut peak = took.peak;

            let mut together = feed.clone();
            together.batch = Some(serde_norway::from_str("rows: 50").unwrap());
            let (found, took) = measured(|| Clinic::new(&together, kept.path()).read(name));
            assert_eq!(found, rows);
            line("the same, fifty rows to a message", &took);
            peak = peak.max(took.peak);

            let mut feed = feed.clone();
            feed.delta.mode = bridge_core::feed::DeltaMode::Snapshot;
            let clinic = Clinic::new(&feed, kept.path());
            let is_second_day_shown = format == Format::Csv || asked.is_some();
            if is_second_day_shown {
                assert_eq!(clinic.read(name), rows);
                let later = Sheet { day: 1, ..sheet };
                later.write_rows(rows, File::create(&path).unwrap()).unwrap();
                let (found, took) = measured(|| clinic.read(name));
                assert_eq!(found, later.changed(rows), "{format:?}");
                line("the next day's snapshot, a hundredth changed", &took);
                peak = peak.max(took.peak);
            }
            peaks.push(peak);
        }
        let (small, large) = (peaks[0], peaks[peaks.len() - 1]);
        assert!(large < 128 << 20, "{name}: {large} bytes");
        // Sorted runs of 12 MB are full with large files only, and a block of each is held.
        assert!(large < small + (48 << 20), "{name}: {large} bytes, with the smallest file {small}");
    }
}

/// The sizes that the environment asks for.
#[expect(clippy::disallowed_methods, reason = "a test has no other way to be told its size")]
fn megabytes() -> Option<Vec<u64>> {
    let sizes = std::env::var("BRIDGE_FILE_MB").ok()?;
    Some(sizes.split(',').map(|size| size.trim().parse().unwrap()).collect())
}
