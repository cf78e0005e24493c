//! Properties of arbitrary bytes, of bytes close to a format, and of generated files.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod invariants;

use bridge_core::feed::{Csv, Format, Shape};
use bridge_formats::{Body, Limits, Reader};
use proptest::prelude::*;

/// Bytes that formats are made of.
fn close_to_a_format() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "a",
        "1",
        "é",
        ",",
        ";",
        "\"",
        "\"\"",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\\",
        "{\"a\":",
        "{\"b\":[",
        "[",
        "]",
        "}",
        "{}",
        "{\"resourceType\":\"Bundle\",\"entry\":[",
        "null",
        "<a>",
        "</a>",
        "<b>",
        "</b>",
        "<b/>",
        "<b x='1'>",
        "&amp;",
        "&x;",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "0138000",
        "6310\r\n",
        "0109206",
        "3\r\n",
        "0133000",
        "001 x\r\n",
        "100 p\r\n",
        "301 r\r\n",
        "999\r\n",
        "MSH|^~\\&|",
        "PID|1\r",
        "BHS|^~\\&|\r",
        "BTS|1\r",
        "FHS|^~\\&|\r",
        "FTS|1\r",
        "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260302*1200*^*00501*000000001*0*T*:~",
        "GS*HC*A*B*20260302*1200*1*X*005010~",
        "ST*837*1~",
        "HL*1**20~",
        "HL*2*1~",
        "CLM*1~",
        "SE*2*1~",
        "GE*1*1~",
        "IEA*1*000000001~",
        "T;1\n",
        "\u{feff}",
        "\u{0}",
    ]);
    let text = prop::collection::vec(pieces, 0..40).prop_map(|pieces| pieces.concat().into_bytes());
    let noise = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (text, noise).prop_map(|(mut bytes, noise)| {
        for (at, byte) in noise.into_iter().take(if bytes.is_empty() { 0 } else { 3 }) {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

fn rows() -> impl Strategy<Value = Vec<Vec<String>>> {
    let field = "[a-zé\" ,;|\r\n\u{0}日]{0,8}";
    (1_usize..5)
        .prop_flat_map(move |columns| prop::collection::vec(prop::collection::vec(field, columns), 1..8))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        invariants::shapes().iter().for_each(|how| invariants::holds(&bytes, how));
    }

    #[test]
    fn bytes_close_to_a_format_are_read_or_refused(bytes in close_to_a_format()) {
        invariants::shapes().iter().for_each(|how| invariants::holds(&bytes, how));
    }

    /// What the csv crate writes, this reads; and what both read is the same.
    #[test]
    fn the_csv_crate_agrees(rows in rows()) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let names: Vec<String> = (0..rows[0].len()).map(|n| format!("c{n}")).collect();
        writer.write_record(&names).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let file = writer.into_inner().unwrap();
        let shape = Shape { csv: Some(Csv::default()), ..Shape::of(Format::Csv) };
        let mut reader = Reader::open(file.as_slice(), &shape, &[], Limits::default()).unwrap();
        let mut theirs = csv::Reader::from_reader(file.as_slice());
        for expected in theirs.records() {
            let record = reader.next().unwrap().expect("a row fewer than the csv crate reads");
            let Body::Row(row) = &record.body else { panic!("no row") };
            let found: Vec<_> = row.fields().map(|field| field.into_owned()).collect();
            prop_assert_eq!(found, expected.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
            let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&record.to_json()).unwrap();
            prop_assert_eq!(object.len(), names.len());
        }
        prop_assert!(reader.next().unwrap().is_none());
    }
}

/// What is beyond the limit of a record decides nothing, however much of it has been read by chance.
#[test]
fn a_row_that_is_too_long_is_refused_alike_in_any_pieces() {
    for end in ["\" x;2\n", "\";2\n", "\n", "é\" x"] {
        for length in 480..540 {
            let file = format!("a;b\n1;2\n\"{}{end}{}3;4\nT;2\n", "y".repeat(length), "z\n".repeat(4_000));
            invariants::shapes().iter().for_each(|how| invariants::holds(file.as_bytes(), how));
        }
    }
}

/// Lines that belong to no message are told of once and passed, however many there are: they fill no message's limit.
#[test]
fn lines_of_no_message_count_for_no_message() {
    let (strays, batch) = ("stray,line\r".repeat(40), "BHS|^~\\&|\r");
    let file = format!("{strays}{strays}{batch}{strays}MSH|^~\\&|A\r{strays}BTS|1\r{strays}");
    let how = invariants::shapes().into_iter().find(|how| how.shape.format == Format::Hl7Batch).unwrap();
    invariants::holds(file.as_bytes(), &how);
    let read = invariants::support::read(file.as_bytes(), &how, usize::MAX);
    let belongs: Vec<_> = read.iter().map(|line| line.contains("belong to no message")).collect();
    assert_eq!(belongs, [true, true, false, true], "{read:?}");
}
