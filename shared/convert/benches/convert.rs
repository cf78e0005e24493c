//! Converting against hl7-parser's bare parse of the same bytes: `cargo bench -p bridge-convert`.
//!
//! The aim is half the time of that parse, resources and serialised JSON included.
#![allow(clippy::unwrap_used, missing_docs)]

use bridge_convert::{
    Converter, Profile,
    to_v2::{Event, Header, Outgoing, V2Writer},
};
use bridge_hl7v2::Message;
use divan::{Bencher, counter::BytesCount};
use jiff::{Timestamp, tz::TimeZone};

const MESSAGES: [(&str, &str); 6] = [
    ("ADT 4 segments", include_str!("../tests/messages/adt_a31.hl7")),
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

/// The same resources written back to v2.
#[divan::bench(args = ["ORU 1.5 KB", "SIU", "ORU 33 segments", "DFT"])]
fn write_v2(bencher: Bencher<'_, '_>, name: &str) {
    let text = message(name);
    let read = converter().convert(&Message::parse(&text).unwrap(), Timestamp::UNIX_EPOCH).unwrap();
    let resources: Vec<serde_json::Value> =
        read.resources.iter().map(|r| serde_json::from_slice(read.json(r)).unwrap()).collect();
    let event = match &name[..3] {
        "ORU" => Event::OruR01,
        "SIU" => Event::SiuS12,
        _ => Event::DftP03,
    };
    let writer = V2Writer::new(converter().profile().clone(), Header::default());
    bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
        writer
            .write(Outgoing { event, resources: &resources, control_id: "1", sent: Timestamp::UNIX_EPOCH })
            .unwrap()
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
