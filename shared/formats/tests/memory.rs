//! Whatever the size of a file, the same memory: one record and one read.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::{self, Read};

use bridge_core::feed::{Format, Shape, Xml};
use bridge_formats::{Limits, Reader};

/// A file that is never anywhere as a whole.
struct Generated {
    now: Vec<u8>,
    at: usize,
    left: u32,
    row: fn(u32) -> String,
    end: &'static str,
}

impl Generated {
    fn new(head: &str, rows: u32, row: fn(u32) -> String, end: &'static str) -> Self {
        Self { now: head.as_bytes().to_vec(), at: 0, left: rows, row, end }
    }
}

impl Read for Generated {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.now.len() {
            self.at = 0;
            self.now = match self.left {
                0 => std::mem::take(&mut self.end).into(),
                left => {
                    self.left -= 1;
                    (self.row)(left).into_bytes()
                }
            };
        }
        let read = (&self.now[self.at..]).read(into)?;
        self.at += read;
        Ok(read)
    }
}

/// The most this process has ever had in memory, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

fn count(shape: &Shape, file: Generated) -> u64 {
    let mut reader = Reader::open(file, shape, &[], Limits::default()).unwrap();
    let mut json = String::new();
    let mut records = 0;
    while let Some(record) = reader.next().unwrap() {
        json.clear();
        record.write_json(&mut json);
        records += 1;
    }
    records
}

#[test]
fn a_file_a_hundred_times_larger_takes_the_same_memory() {
    let csv: fn(u32) -> String =
        |n| format!("{n},Testperson,Tilda,1980-02-29,\"1 Invented Street, Nowhere\"\n");
    let ndjson: fn(u32) -> String =
        |n| format!("{{\"chart\":{n},\"name\":\"Testperson\",\"born\":\"1980-02-29\"}}\n");
    let json: fn(u32) -> String =
        |n| format!("{{\"chart\":{n},\"name\":\"Testperson\",\"born\":\"1980-02-29\"}},\n");
    let xml: fn(u32) -> String =
        |n| format!("<P id=\"{n}\"><Name>Testperson</Name><Born>1980-02-29</Born></P>\n");
    let xml_shape = Shape { xml: Some(Xml { records: "L/P".into() }), ..Shape::of(Format::Xml) };
    let read = |rows: u32| {
        let csv = Generated::new("Chart,Family,Given,Born,Address\n", rows, csv, "");
        assert_eq!(count(&Shape::of(Format::Csv), csv), u64::from(rows));
        assert_eq!(count(&Shape::of(Format::Ndjson), Generated::new("", rows, ndjson, "")), u64::from(rows));
        assert_eq!(
            count(&Shape::of(Format::Json), Generated::new("[", rows, json, "{}]")),
            u64::from(rows) + 1
        );
        assert_eq!(count(&xml_shape, Generated::new("<L>", rows, xml, "</L>")), u64::from(rows));
    };
    read(2_000);
    let small = peak();
    read(200_000);
    let grown = peak() - small;
    assert!(grown < 4 << 20, "a hundred times the rows took {grown} bytes more");
}
