//! What the mapping of an appointment costs, in each product's shape: its fixture, lengthened to 1 KB by what the mapping does
//! not read. Printed by processor time, so that other work on the machine counts less. Aim: 20,000 in a second.
//!
//! `cargo bench -p bridge-adapters --bench mapping`
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::{collections::BTreeMap, fs, hint::black_box, path::Path};

use bridge_adapters::Catalog;
use bridge_core::{config::Connection, manifest::Adapters as _};
use bridge_mapping::{Context, Mapping};
use serde_json::{Value, json};

const RECORDS: u32 = 10_000;
const ROUNDS: usize = 5;
/// Bytes of a record.
const SIZE: usize = 1_024;

/// A product, and the mapping and fixture of an appointment as its interface gives it.
const SHAPES: [(&str, &str); 9] = [
    ("athenahealth", "booking"),
    ("cliniko", "appointment"),
    ("drchrono", "appointment"),
    ("epic", "appointment"),
    ("healthie", "appointment"),
    ("nexhealth", "appointment"),
    ("opendental", "appointment"),
    ("oracle-health", "appointment"),
    ("tebra", "appointment"),
];

fn main() {
    let catalog = Catalog::builtin();
    println!("| product | own bytes | microseconds | records a CPU second |\n|---|---|---|---|");
    for (adapter, name) in SHAPES {
        let fixture =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../adapters/{adapter}/fixtures/{name}"));
        let mut record: Value =
            serde_json::from_slice(&fs::read(fixture.join("input.json")).unwrap()).unwrap();
        let own = lengthen(&mut record);
        let mapping = Mapping::compile(name, &catalog.mapping(adapter, name).unwrap()).unwrap();
        let connection: Connection = serde_json::from_value(
            json!({"connection": "sim.pms", "adapter": adapter, "zone": "America/Denver"}),
        )
        .unwrap();
        let settings = catalog.get(adapter).unwrap().settings(&connection);
        let context = Context {
            zone: &connection.zone,
            kind: "api.appointment",
            headers: &BTreeMap::new(),
            settings: &settings,
        };
        let resource = mapping.apply(&record, &context).unwrap();
        assert_eq!(resource.get("resourceType"), Some(&json!("Appointment")), "{adapter}");
        let took = (0..ROUNDS).map(|_| round(&mapping, &record, &context)).min().unwrap();
        let micros = took as f64 / f64::from(RECORDS) / 1e3;
        println!("| {adapter} | {own} | {micros:.1} | {:.0} |", 1e6 / micros);
    }
}

/// Fills a record up with fields that no mapping knows; how long it was.
fn lengthen(record: &mut Value) -> usize {
    let own = record.to_string().len();
    let fields = record.as_object_mut().unwrap();
    let mut length = own;
    for number in 0.. {
        let (name, text) = (format!("other{number}"), "Nothing to be mapped.".to_owned());
        // Quotes, a colon and a comma.
        length += name.len() + text.len() + 6;
        if length > SIZE {
            break;
        }
        fields.insert(name, Value::String(text));
    }
    own
}

fn round(mapping: &Mapping, record: &Value, context: &Context<'_>) -> u64 {
    let begun = processor();
    for _ in 0..RECORDS {
        black_box(mapping.apply(black_box(record), context).unwrap());
    }
    processor() - begun
}

/// What this thread has had of a processor, in nanoseconds (proc(5), schedstat).
fn processor() -> u64 {
    let times = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    times.split_whitespace().next().unwrap().parse().unwrap()
}
