//! Proposing a feed for a sample: its format by how it begins, and for delimited text the types of its columns by what all
//! of its values have in common. A guess is never made where two readings are possible: such a column stays text.

use std::collections::BTreeMap;

use bridge_core::feed::{Charset, Column, Csv, Feed, Format, Holds, Json, Shape, Xml};
use bridge_formats::{Limits, Reader};

/// Rows that are looked at.
const ROWS: usize = 5_000;
/// How dates are written where a practice does not write ISO 8601.
const DATES: [&str; 5] = ["%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y%m%d"];

/// Proposes a feed.
pub(super) fn feed(name: &str, bytes: &[u8]) -> Result<Feed, String> {
    let is_utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        // The sample may end in the middle of a character.
        Err(error) => error.error_len().is_none(),
    };
    let marked = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let charset = if is_utf8 || marked { Charset::Auto } else { Charset::Windows1252 };
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut shape = Shape { charset, ..shape(text)? };
    let mut columns = Vec::new();
    let mut key_columns = Vec::new();
    if shape.format == Format::Csv {
        let delimiter = delimiter(text);
        shape.csv = (delimiter != ",").then(|| Csv { delimiter: delimiter.to_owned(), ..Csv::default() });
        (columns, key_columns) = columns_of(bytes, &shape)?;
    }
    let stem = name.trim_end_matches(".gz").trim_end_matches(".zst").trim_end_matches(".zip");
    Ok(Feed {
        keys: pattern(stem),
        openpgp: None,
        file: shape,
        zone: None,
        columns,
        key_columns,
        mapping: "record".to_owned(),
        removal: None,
        lane: Vec::new(),
        version: None,
        find_by: BTreeMap::new(),
        batch: None,
        delta: Default::default(),
        bad_rows: Default::default(),
        limits: Default::default(),
    })
}

fn shape(text: &str) -> Result<Shape, String> {
    let first = text.lines().next().unwrap_or_default();
    let is_object = |line: &str| serde_json::from_str::<serde_json::Map<_, _>>(line).is_ok();
    let format = match text.as_bytes() {
        [] => return Err("the file is empty: there is nothing to propose".to_owned()),
        [b'{', ..] if text.contains("\"resourceType\"") && is_object(first) => Format::FhirNdjson,
        [b'{', ..] if text.contains("\"Bundle\"") => Format::FhirBundle,
        [b'{', ..] if is_object(first) => Format::Ndjson,
        [b'{', ..] => {
            // The first member that holds a list of objects.
            let list = text.find("[").and_then(|at| text.get(..at)).unwrap_or_default();
            let member = list.rsplit('"').nth(1).unwrap_or_default().to_owned();
            return Ok(Shape { json: Some(Json { records: member }), ..Shape::of(Format::Json) });
        }
        [b'[', ..] => Format::Json,
        [b'<', ..] => return Ok(Shape { xml: Some(Xml { records: path(text) }), ..Shape::of(Format::Xml) }),
        _ if ["MSH", "FHS", "BHS"].iter().any(|segment| first.starts_with(segment)) => Format::Hl7Batch,
        _ if first.starts_with("ISA") => Format::X12,
        _ if first.get(3..7) == Some("8000") && first.starts_with(|c: char| c.is_ascii_digit()) => {
            Format::Xdt
        }
        _ => Format::Csv,
    };
    Ok(Shape::of(format))
}

/// The names of the first element and of the first one inside of it.
fn path(text: &str) -> String {
    let tags = text.split('<').skip(1).filter(|tag| tag.starts_with(char::is_alphabetic));
    let name = |tag: &str| {
        tag.split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next().map(str::to_owned)
    };
    tags.filter_map(name).take(2).collect::<Vec<_>>().join("/")
}

/// What parts the first line into most columns.
fn delimiter(text: &str) -> &'static str {
    let first = text.lines().next().unwrap_or_default();
    let count = |delimiter: &str| first.matches(if delimiter == "tab" { "\t" } else { delimiter }).count();
    let candidates = [",", ";", "tab", "|"];
    candidates.into_iter().rev().max_by_key(|delimiter| count(delimiter)).unwrap_or(",")
}

/// Digits in a name change from file to file.
fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    let mut in_digits = false;
    for c in name.chars() {
        let continues = in_digits && matches!(c, '-' | '_');
        if c.is_ascii_digit() || continues {
            if !in_digits {
                pattern.push('*');
            }
            in_digits = true;
        } else {
            in_digits = false;
            pattern.push(c);
        }
    }
    if pattern.matches('*').count() > 4 { name.to_owned() } else { pattern }
}

/// What the values of a column have in common.
struct Seen {
    column: Column,
    /// What it may hold, the narrowest first.
    may: Vec<(Holds, Option<&'static str>)>,
    is_full: bool,
    values: std::collections::HashSet<String>,
    is_unique: bool,
}

fn columns_of(bytes: &[u8], shape: &Shape) -> Result<(Vec<Column>, Vec<String>), String> {
    let mut reader = Reader::open(bytes, shape, &[], Limits::default()).map_err(|error| error.to_string())?;
    let names = reader.columns().to_vec();
    let mut seen: Vec<Seen> = names.iter().map(|name| Seen::new(name)).collect();
    let mut rows = 0;
    while let (Ok(Some(record)), true) = (reader.next(), rows < ROWS) {
        rows += 1;
        let row: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&record.to_json()).unwrap_or_default();
        for (column, name) in seen.iter_mut().zip(&names) {
            column.see(row.get(name).and_then(serde_json::Value::as_str).unwrap_or_default());
        }
    }
    let key = seen.iter().find(|seen| rows > 1 && seen.is_full && seen.is_unique);
    let keys = key.map(|seen| seen.column.name.clone()).into_iter().collect();
    Ok((seen.into_iter().map(Seen::guess).collect(), keys))
}

impl Seen {
    fn new(header: &str) -> Self {
        let lower = header.trim().to_lowercase();
        let name: String = lower.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let mut column = Column::text(name.trim_matches('-'));
        if column.name != header {
            column.from = vec![header.to_owned()];
        }
        let plain = [Holds::Integer, Holds::Decimal, Holds::DecimalComma, Holds::Date, Holds::DateTime];
        let mut may: Vec<_> = plain.map(|holds| (holds, None)).to_vec();
        may.extend(DATES.map(|pattern| (Holds::Date, Some(pattern))));
        Self { column, may, is_full: true, values: Default::default(), is_unique: true }
    }

    fn see(&mut self, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            self.is_full = false;
            return;
        }
        self.is_unique = self.is_unique && self.values.insert(value.to_owned());
        self.may.retain(|(holds, pattern)| fits(value, *holds, *pattern));
    }

    /// The one reading that is left. An eight-digit number may be a date or a number: it stays text.
    fn guess(self) -> Column {
        let mut may = self.may;
        if may.iter().any(|(holds, _)| *holds == Holds::Integer) {
            // Every integer is a decimal number, too.
            may.retain(|(holds, _)| !matches!(holds, Holds::Decimal | Holds::DecimalComma));
        }
        let (mut column, nothing) = (self.column, self.values.is_empty());
        column.required = self.is_full && !nothing;
        if let ([(holds, pattern)], false) = (may.as_slice(), nothing) {
            column.holds = *holds;
            column.pattern = pattern.map(str::to_owned);
        }
        column
    }
}

/// Whether a value can be read so.
fn fits(value: &str, holds: Holds, pattern: Option<&str>) -> bool {
    // A number with a zero in front is a code: as a number it would lose it.
    let is_code = value.len() > 1 && value.starts_with('0') && value.bytes().all(|b| b.is_ascii_digit());
    let is_number = |point: char| {
        let digits = value.trim_start_matches(['-', '+']).replacen(point, "", 1);
        value.contains(point) && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
    };
    let is_integer = !is_code && value.parse::<i64>().is_ok();
    match (holds, pattern) {
        (Holds::Integer, _) => is_integer,
        (Holds::Decimal, _) => is_integer || is_number('.'),
        (Holds::DecimalComma, _) => is_integer || is_number(','),
        (Holds::Date, Some(pattern)) => jiff::civil::Date::strptime(pattern, value).is_ok(),
        (Holds::Date, None) => value.len() == 10 && value.parse::<jiff::civil::Date>().is_ok(),
        (Holds::DateTime, _) => value.len() > 10 && value.parse::<jiff::civil::DateTime>().is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bridge_core::{Zone, feed::Header};

    use super::*;

    /// Whether a feed that was proposed reads the sample it was made of.
    fn reads(feed: &Feed, sample: &str) -> bridge_formats::Report {
        let zone: Zone = "UTC".parse().unwrap();
        let mut intake = bridge_formats::Intake::open(sample.as_bytes(), feed, &zone).unwrap();
        while intake.next().unwrap().is_some() {}
        intake.report().clone()
    }

    #[test]
    fn a_proposal_reads_the_sample_it_was_made_of() {
        let sample = "Patient No;Last Name;Born;Seen;Balance;Zip;Ordered;Day\n\
            17;Testperson;13.02.1980;2026-03-02 09:30;1,50;01234;20260302;01/02/2026\n\
            18;Otherperson;29.02.1980;;-2,00;99999;20260303;01/03/2026\n";
        let feed = feed("patients-2026-03-02.csv.gz", sample.as_bytes()).unwrap();
        assert_eq!(feed.keys, "patients-*.csv");
        assert_eq!(feed.file.csv.as_ref().unwrap().delimiter, ";");
        assert_eq!(feed.key_columns, ["patient-no"]);
        let holds: Vec<_> =
            feed.columns.iter().map(|c| (&*c.name, c.holds, c.pattern.as_deref(), c.required)).collect();
        assert_eq!(
            holds,
            [
                ("patient-no", Holds::Integer, None, true),
                ("last-name", Holds::Text, None, true),
                ("born", Holds::Date, Some("%d.%m.%Y"), true),
                ("seen", Holds::DateTime, None, false),
                ("balance", Holds::DecimalComma, None, true),
                ("zip", Holds::Text, None, true),
                // Two readings are possible: neither is proposed.
                ("ordered", Holds::Text, None, true),
                ("day", Holds::Text, None, true),
            ]
        );
        assert_eq!(feed.problems(), []);
        let report = reads(&feed, sample);
        assert_eq!((report.valid, report.bad), (2, 0), "{:?}", report.reasons);
    }

    #[test]
    fn a_format_is_known_by_how_a_file_begins() {
        let format = |text: &str| feed("x", text.as_bytes()).unwrap().file;
        assert_eq!(format("{\"a\":1}\n{\"a\":2}\n").format, Format::Ndjson);
        assert_eq!(format("[{\"a\":1}]").format, Format::Json);
        assert_eq!(format("{\"n\":1,\n\"rows\":[{}]}").json.unwrap().records, "rows");
        assert_eq!(
            format("<?xml version='1.0'?><!-- x --><List a='1'><Patient/></List>").xml.unwrap().records,
            "List/Patient"
        );
        assert_eq!(format("MSH|^~\\&|A\rPID|1\r").format, Format::Hl7Batch);
        assert_eq!(format("ISA*00*").format, Format::X12);
        assert_eq!(format("01380006310\r\n").format, Format::Xdt);
        assert_eq!(format("{\"resourceType\":\"Patient\"}\n").format, Format::FhirNdjson);
        assert!(feed("x", b"").is_err());
        assert_eq!(feed("x", b"a,b\n\xe4,1\n").unwrap().file.charset, Charset::Windows1252);
        assert_eq!(format("a\tb\n1\t2\n").csv.unwrap().header, Header::Required);
    }
}
