//! Rows a second, beside the bare csv crate on the same bytes.
//!
//! `cargo bench -p bridge-formats`: compare the rows of a column. `json` is what the bridge does with a row; the csv
//! crate only cuts it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use bridge_core::{
    Zone,
    feed::{Column, Csv, Feed, Format, Holds, Shape, Xml},
};
use bridge_formats::{Intake, Limits, Reader, Step};
use divan::{AllocProfiler, Bencher, counter::ItemsCount};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const ROWS: usize = 20_000;

fn main() {
    divan::main();
}

fn patients() -> String {
    let row = |n: usize| {
        format!(
            "{n},Testperson,Tilda{n},1980-02-{:02},F,\"{n} Invented Street, Nowhere\",555-0100,{n}.50\r\n",
            n % 28 + 1
        )
    };
    "Chart,Family,Given,Born,Sex,Address,Phone,Balance\r\n".to_owned()
        + &(0..ROWS).map(row).collect::<String>()
}

#[divan::bench]
fn csv_crate_into_records(bencher: Bencher<'_, '_>) {
    let file = patients();
    bencher.counter(ItemsCount::new(ROWS)).bench(|| {
        let mut reader = csv::Reader::from_reader(file.as_bytes());
        let mut record = csv::StringRecord::new();
        let mut fields = 0;
        while reader.read_record(&mut record).unwrap() {
            fields += record.len();
        }
        fields
    });
}

fn json(shape: &Shape, file: &str) -> usize {
    let mut reader = Reader::open(file.as_bytes(), shape, &[], Limits::default()).unwrap();
    let (mut out, mut bytes) = (String::new(), 0);
    while let Some(record) = reader.next().unwrap() {
        out.clear();
        record.write_json(&mut out);
        bytes += out.len();
    }
    bytes
}

#[divan::bench]
fn csv_to_json(bencher: Bencher<'_, '_>) {
    let file = patients();
    bencher.counter(ItemsCount::new(ROWS)).bench(|| json(&Shape::of(Format::Csv), &file));
}

/// With every column declared, typed and checked.
#[divan::bench]
fn csv_through_a_feed(bencher: Bencher<'_, '_>) {
    let file = patients();
    let column = |name: &str, holds| Column { holds, required: true, ..Column::text(name) };
    let feed = Feed {
        keys: "*.csv".into(),
        openpgp: None,
        file: Shape { csv: Some(Csv::default()), ..Shape::of(Format::Csv) },
        zone: None,
        columns: vec![
            column("Chart", Holds::Integer),
            column("Family", Holds::Text),
            column("Born", Holds::Date),
            Column { codes: vec!["F".into(), "M".into()], ..column("Sex", Holds::Text) },
            column("Balance", Holds::Decimal),
        ],
        key_columns: vec!["Chart".into()],
        mapping: "patient".into(),
        removal: None,
        lane: Vec::new(),
        version: None,
        find_by: Default::default(),
        batch: None,
        delta: Default::default(),
        bad_rows: Default::default(),
        limits: Default::default(),
    };
    let zone: Zone = "America/Chicago".parse().unwrap();
    bencher.counter(ItemsCount::new(ROWS)).bench(|| {
        let mut intake = Intake::open(file.as_bytes(), &feed, &zone).unwrap();
        let mut bytes = 0;
        while let Some(step) = intake.next().unwrap() {
            let Step::Good { json, key, .. } = step else { panic!("a bad row") };
            bytes += json.len() + key.len();
        }
        bytes
    });
}

#[divan::bench]
fn ndjson_checked(bencher: Bencher<'_, '_>) {
    let row = |n: usize| {
        format!("{{\"chart\":{n},\"family\":\"Testperson\",\"born\":\"1980-02-29\",\"balance\":{n}.50}}\n")
    };
    let file: String = (0..ROWS).map(row).collect();
    bencher.counter(ItemsCount::new(ROWS)).bench(|| json(&Shape::of(Format::Ndjson), &file));
}

#[divan::bench]
fn xml_to_json(bencher: Bencher<'_, '_>) {
    let row = |n: usize| format!("<P id=\"{n}\"><Family>Testperson</Family><Born>1980-02-29</Born></P>\n");
    let file = format!("<L>{}</L>", (0..ROWS).map(row).collect::<String>());
    let shape = Shape { xml: Some(Xml { records: "L/P".into() }), ..Shape::of(Format::Xml) };
    bencher.counter(ItemsCount::new(ROWS)).bench(|| json(&shape, &file));
}
