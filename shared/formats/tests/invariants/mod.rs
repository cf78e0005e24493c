//! What holds for any bytes, in every format. The property tests and the fuzz target run it.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

#[path = "../support/mod.rs"]
pub mod support;

use bridge_core::feed::{Charset, Column, Csv, Format, Json, Lengths, Shape, Xdt, Xml};
use bridge_formats::Limits;
use support::{How, read, read_with_stops};

/// Every format, with settings that reach its corners.
pub fn shapes() -> Vec<How> {
    let formats = [
        Format::Csv,
        Format::Json,
        Format::Ndjson,
        Format::Xml,
        Format::FixedWidth,
        Format::Xdt,
        Format::Pit,
        Format::X12,
        Format::Hl7Batch,
        Format::FhirBundle,
        Format::FhirNdjson,
    ];
    let mut shapes: Vec<Shape> = formats.into_iter().map(Shape::of).collect();
    for shape in &mut shapes {
        match shape.format {
            Format::Xml => shape.xml = Some(Xml { records: "a/b".into() }),
            Format::Json => shape.json = Some(Json { records: "a.b".into() }),
            _ => {}
        }
    }
    let trimming = Csv { trim: true, delimiter: ";".into(), trailer: "T".into(), ..Csv::default() };
    shapes.push(Shape { csv: Some(trimming), charset: Charset::Windows1252, ..Shape::of(Format::Csv) });
    shapes.push(Shape { charset: Charset::Utf16Le, ..Shape::of(Format::Ndjson) });
    shapes.push(Shape { xdt: Some(Xdt { lengths: Lengths::Ignored }), ..Shape::of(Format::Xdt) });
    shapes.push(Shape::of(Format::Json));
    let limits = Limits { record_bytes: 512, columns: 16, depth: 8 };
    let wide = |name: &str, required| Column { width: 3.try_into().ok(), required, ..Column::text(name) };
    let columns = |shape: &Shape| match shape.format {
        Format::FixedWidth => vec![wide("a", true), wide("b", true), wide("c", false)],
        _ => Vec::new(),
    };
    shapes.into_iter().map(|shape| How { columns: columns(&shape), shape, limits }).collect()
}

/// Bytes are read to their end or to an error, without a panic; the same in whatever pieces, and with stops.
pub fn holds(bytes: &[u8], how: &How) {
    let whole = read(bytes, how, usize::MAX);
    for size in [1, 3] {
        assert_eq!(read(bytes, how, size), whole, "in pieces of {size}: {:?}", how.shape);
    }
    assert_eq!(read_with_stops(bytes, how), whole, "with stops: {:?}", how.shape);
    for line in whole.iter().filter(|line| line.contains('@')) {
        if let Some((_, json)) = line.split_once(" {") {
            let json: Result<serde_json::Value, _> = serde_json::from_str(&format!("{{{json}"));
            assert!(json.is_ok(), "a record that is no JSON: {:?}", how.shape);
        }
    }
}
