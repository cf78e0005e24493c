//! What tests of readers have in common: every way to read the same bytes.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, reason = "no test uses all of it")]

use std::{
    fmt::Write,
    io::{self, Read},
};

use bridge_core::{
    Zone,
    feed::{BadRows, Column, Feed, FeedLimits, Shape},
};
use bridge_formats::{Arriving, Checkpoint, Intake, Limits, Reached, Reader, Step, Stop};

/// Gives `.1` bytes at a time.
pub struct Pieces<'a>(pub &'a [u8], pub usize);

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.1.min(self.0.len()).min(into.len());
        let (now, later) = self.0.split_at(n);
        into[..n].copy_from_slice(now);
        self.0 = later;
        Ok(n)
    }
}

/// How a file is read.
#[derive(Clone)]
pub struct How {
    pub shape: Shape,
    pub columns: Vec<Column>,
    pub limits: Limits,
}

impl How {
    pub fn of(shape: Shape) -> Self {
        Self { shape, columns: Vec::new(), limits: Limits::default() }
    }
}

/// One line for what a call of `next` gave, with its place.
fn shown(next: Result<Option<bridge_formats::Record<'_>>, bridge_formats::Error>) -> Option<String> {
    let mut line = String::new();
    match next {
        Ok(None) => return None,
        Ok(Some(record)) => {
            let place = record.place;
            write!(line, "{} @{} #{} ", place.line, place.offset, place.row).unwrap();
            line.push_str(&record.to_json().replace('\n', " "));
        }
        Err(error) => {
            let goes_on = if error.spares_the_rest() { "bad" } else { "refused" };
            write!(line, "{goes_on}: {error}").unwrap();
        }
    }
    Some(line)
}

/// What a file gives, read in pieces of `size` bytes.
pub fn read(bytes: &[u8], how: &How, size: usize) -> Vec<String> {
    let mut reader = match Reader::open(Pieces(bytes, size), &how.shape, &how.columns, how.limits) {
        Ok(reader) => reader,
        Err(error) => return vec![format!("refused: {error}")],
    };
    let lines: Vec<_> = std::iter::from_fn(|| shown(reader.next())).take(bytes.len() + 2).collect();
    assert!(lines.len() <= bytes.len() + 1, "a reader that does not go on");
    lines
}

/// What a file gives when reading stops after each record, and goes on elsewhere with nothing but a checkpoint.
pub fn read_with_stops(bytes: &[u8], how: &How) -> Vec<String> {
    let mut reader = match Reader::open(bytes, &how.shape, &how.columns, how.limits) {
        Ok(reader) => reader,
        Err(error) => return vec![format!("refused: {error}")],
    };
    let mut lines = Vec::new();
    while let Some(line) = shown(reader.next()) {
        assert!(lines.len() <= bytes.len(), "a reader that does not go on");
        let is_end = line.starts_with("refused: ");
        lines.push(line);
        if is_end {
            break;
        }
        let stored = serde_json::to_string(&reader.checkpoint()).unwrap();
        let checkpoint: Checkpoint = serde_json::from_str(&stored).unwrap();
        let rest = &bytes[usize::try_from(checkpoint.place.offset).unwrap()..];
        reader = Reader::resume(rest, checkpoint, &how.shape, &how.columns, how.limits);
    }
    lines
}

/// A feed that reads as `how` does, and takes bad rows.
fn feed(how: &How) -> Feed {
    Feed {
        keys: "*".into(),
        openpgp: None,
        file: how.shape.clone(),
        zone: None,
        columns: how.columns.clone(),
        key_columns: Vec::new(),
        mapping: "m".into(),
        removal: None,
        lane: Vec::new(),
        version: None,
        find_by: Default::default(),
        batch: None,
        delta: Default::default(),
        bad_rows: BadRows { at_most: u32::MAX, ..BadRows::default() },
        limits: FeedLimits {
            file_bytes: None,
            record_bytes: u32::try_from(how.limits.record_bytes).ok().and_then(|n| n.try_into().ok()),
            depth: u32::try_from(how.limits.depth).ok().and_then(|n| n.try_into().ok()),
        },
    }
}

fn step(step: Step<'_>) -> String {
    match step {
        Step::Good { place, json, key } => format!("{place:?} {json} {key}"),
        Step::Bad(rows) => rows.iter().map(bridge_formats::Quarantined::to_json).collect(),
    }
}

/// What comes of a file that is there, and of one that arrives in pieces of `size` bytes, each of which may be the last
/// that a process sees.
pub fn taken_and_arriving(bytes: &[u8], how: &How, size: usize) -> (Vec<String>, Vec<String>) {
    let (feed, zone): (Feed, Zone) = (feed(how), "UTC".parse().unwrap());
    let ended = |stop: Result<(), Stop>, report: Option<&bridge_formats::Report>| {
        let report = report.map(bridge_formats::Report::to_json).unwrap_or_default();
        stop.map_or_else(|stop| format!("{stop}"), |()| report)
    };
    let mut taken = Vec::new();
    match Intake::open(bytes, &feed, &zone) {
        Err(stop) => taken.push(ended(Err(stop), None)),
        Ok(mut intake) => {
            let stop = loop {
                match intake.next() {
                    Ok(Some(found)) => taken.push(step(found)),
                    Ok(None) => break Ok(()),
                    Err(stop) => break Err(stop),
                }
            };
            taken.push(ended(stop, Some(intake.report())));
        }
    }
    let mut arrived = Vec::new();
    let mut arriving = Arriving::new(&feed, &zone);
    let mut offset = 0;
    let stop = loop {
        let piece = &bytes[offset..bytes.len().min(offset + size)];
        offset += piece.len();
        arriving.push(piece);
        if piece.is_empty() {
            arriving.end();
        }
        match arriving.read(|found| arrived.push(step(found))) {
            Ok(Reached::More) => assert!(!piece.is_empty(), "more is wanted than there is"),
            Ok(Reached::Pause) => unreachable!("nobody asked for it"),
            Ok(Reached::End) => break Ok(()),
            Err(stop) => break Err(stop),
        }
        if let Some(at) = arriving.checkpoint() {
            offset = usize::try_from(at.place.offset).unwrap();
            // As long as a record: what a process that has gone on must be able to see.
            let whole = bytes.len().min(offset + size.max(how.limits.record_bytes.min(bytes.len())));
            let (at, report) = (at.clone(), arriving.report().clone());
            arriving = Arriving::resume(&feed, &zone, at, report);
            arriving.push(&bytes[offset..whole]);
            offset = whole;
        }
    };
    arrived.push(ended(stop, Some(arriving.report())));
    (taken, arrived)
}

/// The same, in one process.
pub fn arriving(bytes: &[u8], how: &How, size: usize) -> Vec<String> {
    let (feed, zone): (Feed, Zone) = (feed(how), "UTC".parse().unwrap());
    let mut arriving = Arriving::new(&feed, &zone);
    let (mut arrived, mut pieces) = (Vec::new(), bytes.chunks(size));
    let stop = loop {
        match pieces.next() {
            Some(piece) => arriving.push(piece),
            None => arriving.end(),
        }
        // To pause in between changes nothing.
        let reached = arriving.read_while(|found| {
            arrived.push(step(found));
            arrived.len() % 3 > 0
        });
        match reached {
            Ok(Reached::More | Reached::Pause) => {}
            Ok(Reached::End) => break Ok(()),
            Err(stop) => break Err(stop),
        }
    };
    let report = arriving.report().to_json();
    arrived.push(stop.map_or_else(|stop: Stop| format!("{stop}"), |()| report));
    arrived
}
