//! What tests of readers have in common: every way to read the same bytes.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, reason = "no test uses all of it")]

use std::{
    fmt::Write,
    io::{self, Read},
};

use bridge_core::feed::{Column, Shape};
use bridge_formats::{Checkpoint, Limits, Reader};

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
