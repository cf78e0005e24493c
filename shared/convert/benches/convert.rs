//! Converting against hl7-parser's bare parse of the same bytes: `cargo bench -p bridge-convert`.
//!
//! The aim is half the time of that parse, resources and serialised JSON included.
#![allow(clippy::unwrap_used, missing_docs)]

use bridge_convert::{Converter, Profile};
use bridge_hl7v2::Message;
use divan::{Bencher, counter::BytesCount};
use jiff::{Timestamp, tz::TimeZone};

const MESSAGES: [(&str, &str); 5] = [
    ("ORU 1.5 KB", include_str!("../tests/messages/oru_r01.hl7")),
    ("ADT 3.4 KB", include_str!("../tests/messages/adt_a08.hl7")),
    ("SIU", include_str!("../tests/messages/siu_s12.hl7")),
    ("ORU 33 segments", include_str!("../tests/messages/oru_r01_panel.hl7")),
    ("DFT", include_str!("../tests/messages/dft_p03.hl7")),
];

fn main() {
    divan::main();
}

fn names() -> impl Iterator<Item = &'static str> {
    MESSAGES.iter().map(|(name, _)| *name)
}

fn message(name: &str) -> String {
    let text = MESSAGES.iter().find(|(n, _)| *n == name).unwrap().1;
    text.trim_end().replace('\n', "\r")
}

fn converter() -> Converter {
    let zone = TimeZone::get("America/Chicago").unwrap();
    Converter::new(Profile::new(uuid::Uuid::from_u128(7), zone, "https://fhir.example/r4"))
}

#[divan::bench(args = names())]
fn convert(bencher: Bencher<'_, '_>, name: &str) {
    let (text, converter) = (message(name), converter());
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        let message = Message::parse(&text).unwrap();
        converter.convert(&message, Timestamp::UNIX_EPOCH).unwrap()
    });
}

#[divan::bench(args = names())]
fn bare_parse(bencher: Bencher<'_, '_>, name: &str) {
    let text = message(name);
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| Message::parse(&text).unwrap().segment_count());
}

#[divan::bench(args = names())]
fn hl7_parser(bencher: Bencher<'_, '_>, name: &str) {
    let text = message(name);
    bencher
        .counter(BytesCount::of_str(&text))
        .bench_local(|| hl7_parser::Message::parse(&text).unwrap().segments().count());
}
