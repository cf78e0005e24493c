//! What a feed declares, and what becomes of a file through it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use bridge_core::{Zone, feed::Feed};
use bridge_formats::{Checkpoint, Intake, Report, Step, Stop};

const PATIENTS: &str = r"
keys: patients-*.csv
mapping: patient
file:
  format: csv
  csv: {delimiter: ';'}
key-columns: [chart]
columns:
  - {name: chart, from: [Patient No], type: integer}
  - {name: family, from: [Last Name], required: true, max-length: 12}
  - {name: sex, codes: [F, M]}
  - {name: born, type: date, pattern: '%d/%m/%Y'}
  - {name: balance, type: decimal-comma}
  - {name: active, type: boolean}
  - {name: seen, type: date-time, pattern: '%d/%m/%Y %H:%M'}
";
const HEADER: &str = "Patient No;Last Name;sex;born;balance;active;seen;Remark\n";

fn feed(yaml: &str) -> Feed {
    let feed: Feed = serde_norway::from_str(yaml).unwrap();
    assert_eq!(feed.problems(), []);
    feed
}

fn zone() -> Zone {
    "America/Chicago".parse().unwrap()
}

/// `key json` of good records, `column: reason` of bad ones, and how it ended.
fn run(feed: &Feed, file: &str) -> (Vec<String>, Report, Option<String>) {
    let mut intake = match Intake::open(file.as_bytes(), feed, &zone()) {
        Ok(intake) => intake,
        Err(stop) => return (Vec::new(), Report::default(), Some(stop.to_string())),
    };
    let mut lines = Vec::new();
    let stop = loop {
        match intake.next() {
            Ok(None) => break None,
            Ok(Some(Step::Good { json, key, .. })) => lines.push(format!("{key} {json}")),
            Ok(Some(Step::Bad(rows))) => {
                lines.extend(
                    rows.iter().map(|row| format!("{} {}: {}", row.place.line, row.column, row.reason)),
                );
            }
            Err(stop) => break Some(stop.to_string()),
        }
    };
    (lines, intake.report().clone(), stop)
}

#[test]
fn rows_get_the_types_that_are_declared() {
    let rows = "0017;Sample;F;29/02/1980;1.234,50;yes;02/03/2026 09:30;as it came\n18;Test;;;-,5;0;08/03/2026 02:30;\n";
    let (lines, report, stop) = run(&feed(PATIENTS), &format!("{HEADER}{rows}"));
    assert_eq!(stop, None);
    assert_eq!(
        lines,
        [
            r#"["0017"] {"chart":17,"family":"Sample","sex":"F","born":"1980-02-29","balance":1234.50,"active":true,"seen":"2026-03-02T09:30:00-06:00","Remark":"as it came"}"#,
            // Clocks went forward at 02:00 that night.
            r#"["18"] {"chart":18,"family":"Test","sex":"","balance":-0.5,"active":false,"seen":"2026-03-08T03:30:00-05:00","Remark":""}"#,
        ]
    );
    assert_eq!((report.received, report.valid, report.bad), (2, 2, 0));
}

#[test]
fn bad_rows_are_set_aside_with_every_reason_and_no_value() {
    let rows = "x1;Zyxwv Planted Name;U;31/02/1980;1.5;perhaps;today;\n;;F;;;;;\n3;Test;F;;;;;\n4;Short\n";
    let (lines, report, stop) = run(&feed(PATIENTS), &format!("{HEADER}{rows}"));
    assert_eq!(stop, None);
    assert_eq!(
        lines,
        [
            "2 chart: must be a whole number",
            "2 family: must have at most 12 characters",
            "2 sex: must be one of the 2 codes that are declared",
            "2 born: must be a date written as `%d/%m/%Y`",
            "2 balance: must be a number with a decimal comma",
            "2 active: must be true or false",
            "2 seen: must be a date and time written as `%d/%m/%Y %H:%M`",
            "3 chart: is part of the key and must be there",
            "3 family: must be there",
            r#"["3"] {"chart":3,"family":"Test","sex":"F","Remark":""}"#,
            "5 : the row has 2 fields, and there are 8 columns",
        ]
    );
    assert_eq!((report.received, report.valid, report.bad), (4, 1, 3));
    let told = format!("{}{}", report.to_json(), report.to_csv());
    assert!(!told.contains("Planted") && !told.contains("x1"));
    assert!(report.to_csv().contains("\r\n1,\"family: must be there\"\r\n"));
    assert_eq!(serde_json::from_str::<Report>(&report.to_json()).unwrap(), report);
}

#[test]
fn a_header_without_a_column_that_every_row_needs_is_refused() {
    let (_, _, stop) = run(&feed(PATIENTS), "Chart Number;sex\n1;F\n");
    let expected = "the header lacks columns that are required or part of the key: chart, family";
    assert_eq!(stop.as_deref(), Some(expected));
}

#[test]
fn a_file_is_refused_when_the_feed_says_so() {
    let rows = "1;Test;F;;;;;\n2;;F;;;;;\n3;;F;;;;;\n";
    let strict = feed(&format!("{PATIENTS}bad-rows: {{policy: refuse-file}}\n"));
    let (lines, _, stop) = run(&strict, &format!("{HEADER}{rows}"));
    assert_eq!(lines.len(), 1);
    let expected = "line 3 (record 2), column family: must be there: the feed refuses files with bad rows";
    assert_eq!(stop.as_deref(), Some(expected));

    let bounded = feed(&format!("{PATIENTS}bad-rows: {{at-most: 1}}\n"));
    let (_, report, stop) = run(&bounded, &format!("{HEADER}{rows}"));
    assert!(stop.unwrap().starts_with("more than 1 rows are bad"));
    assert_eq!(report.bad, 2);
}

#[test]
fn records_that_are_trees_are_checked_at_their_top_and_stay_as_they_were_written() {
    let feed = feed(
        r"
keys: '*.ndjson'
mapping: patient
file: {format: ndjson}
key-columns: [chart]
columns:
  - {name: chart, type: integer}
  - {name: born, type: date}
  - {name: name, required: true}
",
    );
    let file = concat!(
        r#"{"chart": 1, "born": "1980-02-29", "name": {"family": "Sample"}, "due": 1.50}"#,
        "\n",
        r#"{"chart": "two", "born": "29.2.1980", "name": null}"#,
        "\n",
    );
    let (lines, ..) = run(&feed, file);
    assert_eq!(
        lines,
        [
            r#"["1"] {"chart": 1, "born": "1980-02-29", "name": {"family": "Sample"}, "due": 1.50}"#,
            "2 chart: must be a whole number",
            "2 born: must be a date written as `%Y-%m-%d`",
            "2 name: must be there",
        ]
    );
}

#[test]
fn an_intake_goes_on_where_another_stopped() {
    let feed = feed(PATIENTS);
    let file = format!("{HEADER}1;Test;F;;;;;\n2;;F;;;;;\n3;Test;F;;;;;\n4;Test;F;;;;;\n");
    let (whole, counted, _) = run(&feed, &file);
    for stop_after in 1..4 {
        let mut first = Intake::open(file.as_bytes(), &feed, &zone()).unwrap();
        for _ in 0..stop_after {
            first.next().unwrap().unwrap();
        }
        let (checkpoint, report): (Checkpoint, Report) = (first.checkpoint(), first.report().clone());
        let rest = &file.as_bytes()[usize::try_from(checkpoint.place.offset).unwrap()..];
        let mut second = Intake::resume(rest, checkpoint, report, &feed, &zone()).unwrap();
        let mut lines = 0;
        while let Some(step) = second.next().unwrap() {
            if let Step::Good { json, key, .. } = step {
                assert!(whole.contains(&format!("{key} {json}")));
            }
            lines += 1;
        }
        assert_eq!((lines + stop_after, second.report()), (whole.len(), &counted));
    }
}

#[test]
fn a_stop_tells_the_reader_s_own_error() {
    let feed = feed("keys: 'x'\nmapping: x\nfile: {format: csv, charset: utf-8}\n");
    let mut intake = Intake::open(b"a\n1\n\xff\n".as_slice(), &feed, &zone()).unwrap();
    assert!(matches!(intake.next(), Ok(Some(Step::Good { key: "", .. }))));
    assert!(matches!(intake.next(), Err(Stop::File(_))));
}

#[test]
fn what_is_wrong_with_a_declaration_is_said_in_one_go() {
    let wrong: Feed = serde_norway::from_str(
        r"
keys: ''
mapping: ''
file:
  format: csv
  csv: {delimiter: '::', quote: '::', header: none}
  xml: {records: a}
key-columns: [chart]
batch: {rows: 500, lanes: 65}
delta: {missing: deleted, at-most-missing-percent: 101}
columns:
  - {name: a, width: 3}
  - {name: A, pattern: '%d'}
  - {name: born, type: date, pattern: '%d.%m.%y'}
  - {name: seen, type: time, pattern: '%!'}
",
    )
    .unwrap();
    let places: Vec<_> = wrong.problems().into_iter().map(|problem| problem.place).collect();
    assert_eq!(
        places,
        [
            "keys",
            "mapping",
            "removal",
            "file.xml",
            "file.csv.delimiter",
            "file.csv.quote",
            "batch.rows",
            "batch.lanes",
            "columns[0].width",
            "columns[1].name",
            "columns[1].pattern",
            "columns[2].pattern",
            "columns[3].pattern",
            "key-columns",
            "delta.missing",
            "delta.at-most-missing-percent",
        ]
    );
    let unknown = serde_norway::from_str::<Feed>("keys: x\nmapping: x\nfile: {format: dbf}\n").unwrap_err();
    assert!(unknown.to_string().contains("fixed-width"), "{unknown}");
}
