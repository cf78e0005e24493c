//! Python's own readers of CSV, JSON and XML read generated files as this crate does.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{io::Write, process::Command};

use bridge_core::feed::{Format, Shape, Xml};
use bridge_formats::{Limits, Reader};

/// Reads argument 2 as argument 1 says, and prints one JSON object a line.
const PYTHON: &str = r#"
import csv, json, sys, xml.etree.ElementTree as ET
kind, path = sys.argv[1:]
def out(record): print(json.dumps(record, sort_keys=True, ensure_ascii=True))
if kind == "csv":
    for row in csv.DictReader(open(path, encoding="utf-8", newline="")): out(row)
elif kind == "json":
    for record in json.load(open(path, encoding="utf-8")): out(record)
else:
    for record in ET.parse(path).getroot():
        out({**{"@" + k: v for k, v in record.attrib.items()}, **{child.tag: child.text or "" for child in record}})
"#;

/// Text with everything that formats must escape, different for each `n`.
fn text(n: usize) -> String {
    const PARTS: [&str; 12] = [
        "Zoë",
        "\"quoted\"",
        "a,b;c|d",
        "two\nlines",
        "<tag>",
        "&amp;",
        "日本 🦷",
        "tab\there",
        "'",
        "\\n",
        "]]>",
        " x ",
    ];
    (0..n % 5).map(|k| PARTS[(n * 7 + k * 5) % PARTS.len()]).collect::<Vec<_>>().join(" ")
}

fn ours(shape: &Shape, file: &[u8]) -> Vec<serde_json::Value> {
    let mut reader = Reader::open(file, shape, &[], Limits::default()).unwrap();
    let mut records = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        records.push(serde_json::from_str(&record.to_json()).unwrap());
    }
    records
}

#[test]
fn python_reads_the_same() {
    if Command::new("python3").arg("--version").output().is_err() {
        return;
    }
    let rows: Vec<[String; 3]> = (0..2000).map(|n| [n.to_string(), text(n), text(n * 3 + 1)]).collect();

    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["id", "name", "note"]).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    let as_csv = writer.into_inner().unwrap();

    let objects: Vec<_> = rows
        .iter()
        .map(|[id, name, note]| serde_json::json!({"id": id, "name": name, "note": note}))
        .collect();
    let as_json = serde_json::to_vec_pretty(&objects).unwrap();

    let escape = |text: &str| {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
    };
    let element = |[id, name, note]: &[String; 3]| {
        let (name, note) = (escape(name), escape(note));
        format!("<P id=\"{id}\"><name>{name}</name>\n <note>{note}</note></P>\n")
    };
    let as_xml = format!("<?xml version=\"1.0\"?>\n<L>{}</L>", rows.iter().map(element).collect::<String>());

    let xml = Shape { xml: Some(Xml { records: "L/P".into() }), ..Shape::of(Format::Xml) };
    for (kind, shape, file) in [
        ("csv", Shape::of(Format::Csv), as_csv),
        ("json", Shape::of(Format::Json), as_json),
        ("xml", xml, as_xml.into_bytes()),
    ] {
        let mut stored = tempfile::NamedTempFile::new().unwrap();
        stored.write_all(&file).unwrap();
        let output = Command::new("python3").args(["-c", PYTHON, kind]).arg(stored.path()).output().unwrap();
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        let theirs: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ours = ours(&shape, &file);
        assert_eq!(ours.len(), rows.len(), "{kind}");
        for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours, theirs, "{kind}, record {at}");
        }
        assert_eq!(ours.len(), theirs.len(), "{kind}");
    }
}
