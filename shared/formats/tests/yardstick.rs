//! Python's own readers of CSV, JSON and XML, and a splitter of X12 written in it, read generated files as this crate does.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{io::Write, process::Command};

use bridge_core::feed::{Format, Shape, Xml};
use bridge_formats::{Limits, Reader};
use serde_json::{Value, json};

/// Reads argument 2 as argument 1 says, and prints one JSON object a line.
const PYTHON: &str = r#"
import csv, json, re, sys, xml.etree.ElementTree as ET
kind, path = sys.argv[1:]
def out(record): print(json.dumps(record, sort_keys=True, ensure_ascii=True))
if kind == "csv":
    for row in csv.DictReader(open(path, encoding="utf-8", newline="")): out(row)
elif kind == "json":
    for record in json.load(open(path, encoding="utf-8")): out(record)
elif kind == "ndjson":
    for line in open(path, encoding="utf-8", newline="\n"): out(json.loads(line))
elif kind == "x12":
    text = open(path, encoding="utf-8", newline="").read()
    while text := text.lstrip():
        by, repeat, part, end = text[3], text[82], text[104], text[105]
        one = lambda e: e.split(part) if part in e else e
        element = lambda e: {"repeat": [one(r) for r in e.split(repeat)]} if repeat in e else one(e)
        trailer = re.search(re.escape(end) + r"\s*IEA" + re.escape(by), text)
        interchange, text = text[:trailer.start()], text[trailer.end():].partition(end)[2]
        for segment in (s.strip().split(by) for s in interchange.split(end)):
            if segment[0] == "ST": inside = []
            elif segment[0] == "SE": out({"control": segment[2], "segments": inside})
            elif segment[0] not in ("ISA", "GS", "GE"): inside.append([segment[0], *map(element, segment[1:])])
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

fn ours(shape: &Shape, file: &[u8]) -> Vec<Value> {
    let mut reader = Reader::open(file, shape, &[], Limits::default()).unwrap();
    let mut records = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        let record: Value = serde_json::from_str(&record.to_json()).unwrap();
        records.push(if shape.format == Format::X12 { without_loops(&record) } else { record });
    }
    records
}

/// A transaction set's segments one after the other, as they were sent.
fn without_loops(set: &Value) -> Value {
    fn walk(segments: &Value, into: &mut Vec<Value>) {
        for segment in segments.as_array().unwrap() {
            let elements = segment["elements"].as_array().unwrap();
            into.push([&[segment["segment"].clone()], elements.as_slice()].concat().into());
            if let Some(inner) = segment.get("loop") {
                walk(inner, into);
            }
        }
    }
    let mut segments = Vec::new();
    walk(&set["segments"], &mut segments);
    json!({"control": set["control"], "segments": segments})
}

/// Claims of each separator's kind: subscribers with dependants, names in components, repeats, empty elements.
fn x12(interchanges: usize) -> String {
    let mut file = String::new();
    for n in 0..interchanges {
        let (by, part, end) = [("*", ":", "~"), ("|", ">", "~\n"), ("*", "<", "'\r\n")][n % 3];
        let word = |k: usize| {
            text(k).replace(['*', ':', '~', '|', '>', '<', '\'', '^', '\n', '\t'], " ").trim().to_owned()
        };
        let mut segments =
            vec![format!("ST*837*{n:04}*005010X222A1"), format!("BHT*0019*00*{n}*20260302*1200*CH")];
        for level in 1..=n % 7 + 1 {
            // Children follow their parent before its next sibling does.
            let parent = match level {
                1 => String::new(),
                _ if level % 2 == 0 => (level - 1).to_string(),
                _ => "1".to_owned(),
            };
            segments.push(format!("HL*{level}*{parent}*22*0"));
            segments.push(format!("NM1*IL*1*{}X*{}***MI*A{level}:B^C{n}", word(n * 3 + level), word(level)));
            segments.push(format!("CLM*A{level}*{}.50***11:B:1*Y**Y", n * level));
            segments.push("LX*1".to_owned());
            segments.push("SV1*HC:99213:25*120*UN*1***1:2:3".to_owned());
        }
        segments.push(format!("SE*{}*{n:04}", segments.len() + 1));
        let (head, tail) = (
            [
                format!(
                    "ISA*00*          *00*          *ZZ*SUBMITTER      *ZZ*RECEIVER       *260302*1200*^*00501*{n:09}*0*T*:"
                ),
                format!("GS*HC*SUBMITTER*RECEIVER*20260302*1200*{n}*X*005010X222A1"),
            ],
            [format!("GE*1*{n}"), format!("IEA*1*{n:09}")],
        );
        for segment in head.iter().chain(&segments).chain(&tail) {
            file.push_str(&segment.replace('*', by).replace(':', part));
            file.push_str(end);
        }
    }
    file
}

#[test]
fn python_reads_the_same() {
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: no python3");
        return;
    }
    let rows: Vec<[String; 3]> = (0..2000).map(|n| [n.to_string(), text(n), text(n * 3 + 1)]).collect();

    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["id", "name", "note"]).unwrap();
    rows.iter().for_each(|row| writer.write_record(row).unwrap());
    let as_csv = writer.into_inner().unwrap();

    let objects: Vec<_> =
        rows.iter().map(|[id, name, note]| json!({"id": id, "name": name, "note": note})).collect();
    let as_json = serde_json::to_vec_pretty(&objects).unwrap();
    let as_ndjson: String = objects.iter().map(|object| format!("{object}\n")).collect();

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
        ("ndjson", Shape::of(Format::Ndjson), as_ndjson.into_bytes()),
        ("x12", Shape::of(Format::X12), x12(rows.len()).into_bytes()),
        ("xml", xml, as_xml.into_bytes()),
    ] {
        let mut stored = tempfile::NamedTempFile::new().unwrap();
        stored.write_all(&file).unwrap();
        let output = Command::new("python3").args(["-c", PYTHON, kind]).arg(stored.path()).output().unwrap();
        assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).unwrap();
        let theirs: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let ours = ours(&shape, &file);
        assert_eq!(ours.len(), rows.len(), "{kind}");
        for (at, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            assert_eq!(ours, theirs, "{kind}, record {at}");
        }
        assert_eq!(ours.len(), theirs.len(), "{kind}");
    }
}
