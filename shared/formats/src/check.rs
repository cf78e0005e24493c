//! Rows against the columns a feed declares: what must be there, what it may be, and how it is written in JSON.

mod members;
mod types;

use bridge_core::{
    Zone,
    feed::{Column, Feed, Holds},
};
use jiff::tz::TimeZone;

use crate::{
    place::Place,
    record::{Body, Record, Row},
    write,
};

/// Why a row is bad: one place in it, one rule, no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Where the row begins.
    pub place: Place,
    /// The declared column.
    pub column: String,
    /// The rule it breaks.
    pub rule: Rule,
}

/// What a column's declaration asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rule {
    /// Required, and not there.
    #[error("must be there")]
    Required,
    /// Part of the key, and not there.
    #[error("is part of the key and must be there")]
    Key,
    /// Not of the declared type.
    #[error("must be {0}")]
    Type(&'static str),
    /// A date or time not written as declared.
    #[error("must be {what} written as `{pattern}`")]
    Pattern {
        /// `a date`, `a date and time`, `a time`.
        what: &'static str,
        /// The pattern of the feed.
        pattern: String,
    },
    /// None of the declared codes.
    #[error("must be one of the {0} codes that are declared")]
    Code(usize),
    /// Longer than declared.
    #[error("must have at most {0} characters")]
    Length(u32),
}

/// A header without columns that must be there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the header lacks columns that are required or part of the key: {}", .0.join(", "))]
pub struct MissingColumns(pub Vec<String>);

/// Checks records, and writes them as JSON with the types that are declared.
///
/// An empty field is nothing: it is left out, unless it is text. Members of records that are trees are checked where
/// they stand at the top, and go on as they were written.
pub struct Checker {
    columns: Vec<Column>,
    /// For each column of the file, the declared one and how it is written in front of its value.
    bound: Vec<(Option<usize>, String)>,
    is_key: Vec<bool>,
    zone: TimeZone,
    faults: Vec<RowFault>,
    key: String,
}

impl Checker {
    /// For a file with these columns, which is [`crate::Reader::columns`]. `zone` is the connection's.
    ///
    /// # Errors
    /// When columns are missing that every row needs.
    pub fn new(feed: &Feed, zone: &Zone, names: &[String]) -> Result<Self, MissingColumns> {
        let of_key = |column: &Column| feed.key_columns.contains(&column.name);
        let is_tabular = feed.file.format.is_tabular();
        let needed = feed.columns.iter().filter(|column| column.required || of_key(column));
        let missing: Vec<_> = needed
            .filter(|column| is_tabular && !names.contains(&column.name))
            .map(|c| c.name.clone())
            .collect();
        if !missing.is_empty() {
            return Err(MissingColumns(missing));
        }
        let bind = |name: &String| {
            let mut front = String::new();
            write::string(name, &mut front);
            (feed.columns.iter().position(|column| column.name == *name), front + ":")
        };
        let zone = feed.zone.as_ref().unwrap_or(zone);
        Ok(Self {
            bound: names.iter().map(bind).collect(),
            is_key: feed.columns.iter().map(of_key).collect(),
            columns: feed.columns.clone(),
            // A `Zone` exists in the same database.
            zone: zone.rules().unwrap_or(TimeZone::UTC),
            faults: Vec::new(),
            key: String::new(),
        })
    }

    /// Writes `record` to `out`, which is cleared.
    ///
    /// # Errors
    /// Everything that is wrong with the record.
    pub fn check(&mut self, record: &Record<'_>, out: &mut String) -> Result<(), Vec<RowFault>> {
        out.clear();
        self.key.clear();
        match &record.body {
            Body::Row(row) => self.row(record.place, row, out),
            Body::Json(text) => {
                self.tree(record.place, text);
                out.push_str(text);
            }
        }
        if self.faults.is_empty() { Ok(()) } else { Err(std::mem::take(&mut self.faults)) }
    }

    /// The key of the record that was checked last: a JSON list of the values of the key columns, or nothing where the
    /// feed has none. PHI.
    pub fn key(&self) -> &str {
        &self.key
    }

    fn row(&mut self, place: Place, row: &Row<'_>, out: &mut String) {
        out.push('{');
        let bound = std::mem::take(&mut self.bound);
        for ((column, front), field) in bound.iter().zip(row.fields()) {
            let start = out.len();
            if start > 1 {
                out.push(',');
            }
            out.push_str(front);
            let column = column.and_then(|at| Some((at, self.columns.get(at)?)));
            let written = match column {
                None => {
                    write::string(&field, out);
                    Ok(true)
                }
                Some((_, column)) => value(column, &field, &self.zone, out),
            };
            match (written, column) {
                (Ok(true), Some((at, _))) if self.is_key.get(at) == Some(&true) => {
                    push_key(&field, &mut self.key)
                }
                (Ok(true), _) => {}
                (Ok(false), column) => {
                    out.truncate(start);
                    let absent = column.and_then(|(at, c)| self.absent(at, c));
                    self.faults.extend(absent.zip(column).map(|(rule, (_, c))| fault(place, c, rule)));
                }
                (Err(rule), column) => {
                    self.faults.extend(column.map(|(_, column)| fault(place, column, rule)));
                }
            }
        }
        self.bound = bound;
        out.push('}');
        self.end_key();
    }

    fn tree(&mut self, place: Place, text: &str) {
        if self.columns.is_empty() {
            return;
        }
        let members = members::of(text, &self.columns);
        let mut unused = String::new();
        for (at, member) in members.into_iter().enumerate() {
            let Some(column) = self.columns.get(at) else { continue };
            let member = member.and_then(members::said);
            unused.clear();
            let rule = match &member {
                Some(member) => match value(column, member, &self.zone, &mut unused) {
                    Ok(true) => None,
                    Ok(false) => self.absent(at, column),
                    Err(rule) => Some(rule),
                },
                None => self.absent(at, column),
            };
            match (rule, member) {
                (Some(rule), _) => self.faults.push(fault(place, column, rule)),
                (None, Some(member)) if self.is_key.get(at) == Some(&true) => {
                    push_key(&member, &mut self.key)
                }
                _ => {}
            }
        }
        self.end_key();
    }

    /// The rule that a column breaks by not being there.
    fn absent(&self, at: usize, column: &Column) -> Option<Rule> {
        match (self.is_key.get(at), column.required) {
            (Some(true), _) => Some(Rule::Key),
            (_, true) => Some(Rule::Required),
            _ => None,
        }
    }

    fn end_key(&mut self) {
        if !self.key.is_empty() {
            self.key.push(']');
        }
    }
}

fn fault(place: Place, column: &Column, rule: Rule) -> RowFault {
    RowFault { place, column: column.name.clone(), rule }
}

fn push_key(part: &str, key: &mut String) {
    key.push(if key.is_empty() { '[' } else { ',' });
    write::string(trim(part), key);
}

/// As [`str::trim`]. Nearly every field has nothing to trim, and ASCII at its ends to see that by.
fn trim(text: &str) -> &str {
    let graphic = |b: Option<&u8>| b.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if graphic(bytes.first()) && graphic(bytes.last()) { text } else { text.trim() }
}

/// Appends a field as JSON; `false`: it is empty, and nothing was appended.
fn value(column: &Column, field: &str, zone: &TimeZone, out: &mut String) -> Result<bool, Rule> {
    let text = trim(field);
    if text.is_empty() {
        if column.holds == Holds::Text && !column.required {
            write::string(field, out);
            return Ok(true);
        }
        return Ok(false);
    }
    if let Some(limit) = column.max_length
        && field.chars().count() > limit.get() as usize
    {
        return Err(Rule::Length(limit.get()));
    }
    if !column.codes.is_empty() && !column.codes.iter().any(|code| code == text) {
        return Err(Rule::Code(column.codes.len()));
    }
    types::write(column, field, zone, out)?;
    Ok(true)
}
