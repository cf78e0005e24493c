//! Synthetic files of any size: patients that nobody is, the same ones again from the same seed.
//!
//! `just synthesize csv 1000 > patients.csv` writes a gigabyte.

use std::{
    fmt::Write as _,
    io::{self, BufWriter, Write},
};

use crate::sim::Rng;

const FAMILIES: [&str; 12] = [
    "Testperson",
    "Sampleton",
    "Mockingham",
    "Fauxwell",
    "Nonesuch",
    "Placeholder",
    "Dummerston",
    "Imaginary",
    "Inventa",
    "O'Nobody",
    "Exemplar-Null",
    "Zögerlich",
];
const GIVEN: [&str; 10] = ["Tilda", "Otto", "Zoë", "Ada", "Bo", "Cleo", "Dag", "Eno", "Fay", "Gus"];
const NOTES: [&str; 8] = [
    "prefers letters over calls",
    "moved away last autumn",
    "asked about evening visits",
    "see the old chart",
    "none",
    "",
    "has a second address; ask which",
    "called \"Tilly\" by everybody",
];

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With a header, and quotes where they are needed.
    Csv,
    /// An object a line.
    Ndjson,
    /// Elements `Patient` in one `Patients`.
    Xml,
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "csv" => Ok(Self::Csv),
            "ndjson" => Ok(Self::Ndjson),
            "xml" => Ok(Self::Xml),
            _ => Err(format!("`{text}` is none of csv, ndjson, xml")),
        }
    }
}

/// A list of synthetic patients.
#[derive(Debug, Clone, Copy)]
pub struct Sheet {
    /// How it is written.
    pub format: Format,
    /// Other patients with another seed.
    pub seed: u64,
    /// Of how many days later: every day each hundredth patient has another balance.
    pub day: u64,
}

impl Sheet {
    /// Writes rows until there are `bytes` or a little more; how many rows they were.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn write_bytes(&self, bytes: u64, to: impl Write) -> io::Result<u64> {
        self.write(to, |_, written| written >= bytes)
    }

    /// Writes so many rows.
    ///
    /// # Errors
    /// When they can't be written.
    pub fn write_rows(&self, rows: u64, to: impl Write) -> io::Result<u64> {
        self.write(to, |written, _| written >= rows)
    }

    fn write(&self, to: impl Write, is_enough: impl Fn(u64, u64) -> bool) -> io::Result<u64> {
        let (head, end) = match self.format {
            Format::Csv => ("Chart,Family,Given,Born,Sex,Address,Phone,Email,Balance,Seen,Note\r\n", ""),
            Format::Ndjson => ("", ""),
            Format::Xml => ("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Patients>\n", "</Patients>\n"),
        };
        let mut to = BufWriter::with_capacity(1 << 20, to);
        to.write_all(head.as_bytes())?;
        let (mut rows, mut bytes, mut row) = (0, head.len() as u64, String::new());
        while !is_enough(rows, bytes) {
            row.clear();
            self.row(rows, &mut row);
            to.write_all(row.as_bytes())?;
            rows += 1;
            bytes += row.len() as u64;
        }
        to.write_all(end.as_bytes())?;
        to.flush()?;
        Ok(rows)
    }

    /// How many of the first `rows` rows are not what they were the day before.
    pub fn changed(&self, rows: u64) -> u64 {
        (0..rows).filter(|number| self.day > 0 && self.changed_on(*number) == self.day).count() as u64
    }

    /// The last day until now on which a row changed.
    fn changed_on(&self, number: u64) -> u64 {
        (0..=self.day).rev().find(|day| (number + day).is_multiple_of(100)).unwrap_or(0)
    }

    fn row(&self, number: u64, out: &mut String) {
        let mut chance = Rng::new(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number);
        let mut one_of = |count: usize| usize::try_from(chance.below(count as u64)).unwrap_or(0);
        let family = FAMILIES.get(one_of(FAMILIES.len())).copied().unwrap_or_default();
        let given = GIVEN.get(one_of(GIVEN.len())).copied().unwrap_or_default();
        let note = NOTES.get(one_of(NOTES.len())).copied().unwrap_or_default();
        let born = format!("{}-{:02}-{:02}", 1930 + one_of(90), 1 + one_of(12), 1 + one_of(28));
        let sex = if one_of(2) == 0 { "F" } else { "M" };
        let address = format!(
            "{} Invented Street, Unit {}, Nowhere, OH 4{:04}",
            one_of(9_999),
            one_of(99),
            one_of(9_999)
        );
        let phone = format!("555-01{:02}", one_of(100));
        let email = format!("patient.{number}@practice.example");
        let balance = format!("{}.{:02}", one_of(900) as u64 + 1_000 * self.changed_on(number), one_of(100));
        let seen = format!("2026-03-{:02}T{:02}:{:02}", 1 + one_of(28), 8 + one_of(9), one_of(60));
        let chart = (1_000_000 + number).to_string();
        let fields = [
            ("Chart", chart.as_str()),
            ("Family", family),
            ("Given", given),
            ("Born", &born),
            ("Sex", sex),
            ("Address", &address),
            ("Phone", &phone),
            ("Email", &email),
            ("Balance", &balance),
            ("Seen", &seen),
            ("Note", note),
        ];
        self.write_row(&fields, out);
    }

    fn write_row(&self, fields: &[(&str, &str)], out: &mut String) {
        match self.format {
            Format::Csv => {
                for (at, (_, value)) in fields.iter().enumerate() {
                    out.push_str(if at == 0 { "" } else { "," });
                    if value.contains([',', '"']) {
                        let _ = write!(out, "\"{}\"", value.replace('"', "\"\""));
                    } else {
                        out.push_str(value);
                    }
                }
                out.push_str("\r\n");
            }
            Format::Ndjson => {
                for (at, (name, value)) in fields.iter().enumerate() {
                    out.push(if at == 0 { '{' } else { ',' });
                    match *name {
                        "Chart" | "Balance" => {
                            let _ = write!(out, "\"{name}\":{value}");
                        }
                        _ => {
                            let _ = write!(out, "\"{name}\":{}", serde_json::Value::from(*value));
                        }
                    }
                }
                out.push_str("}\n");
            }
            Format::Xml => {
                out.push_str("<Patient>");
                for (name, value) in fields {
                    let value = value.replace('&', "&amp;").replace('<', "&lt;");
                    let _ = write!(out, "<{name}>{value}</{name}>");
                }
                out.push_str("</Patient>\n");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn written(format: Format, day: u64) -> String {
        let mut file = Vec::new();
        Sheet { format, seed: 7, day }.write_rows(1_000, &mut file).unwrap();
        String::from_utf8(file).unwrap()
    }

    #[test]
    fn a_hundredth_of_the_rows_is_other_than_the_day_before() {
        for format in [Format::Csv, Format::Ndjson, Format::Xml] {
            assert_eq!(written(format, 0), written(format, 0));
            for day in 1..4 {
                let (now, before) = (written(format, day), written(format, day - 1));
                let changed =
                    now.lines().zip(before.lines()).filter(|(now, before)| now != before).count() as u64;
                assert_eq!(changed, 10, "{format:?}");
                assert_eq!(Sheet { format, seed: 7, day }.changed(1_000), changed);
            }
        }
    }

    #[test]
    fn a_gigabyte_of_csv_has_about_five_million_rows() {
        let bytes = written(Format::Csv, 0).len();
        assert!((150_000..200_000).contains(&bytes), "{bytes}");
    }
}
