//! Delimited text: CSV (RFC 4180), TSV and their relatives.

mod scan;

use std::io::Read;

use bridge_core::feed::{self, Charset, Column, Header};

use crate::{
    error::{CsvFault, Error, Fault},
    input::{Input, declares_nothing},
    limits::Limits,
    place::{Checkpoint, Memory, Place},
    record::{Body, Columns, Field, Record, Row},
};
use scan::{Dialect, Scan};

/// Rows of delimited text.
pub(crate) struct Rows<R> {
    input: Input<R>,
    dialect: Dialect,
    columns: Columns,
    /// The columns the feed declares: their names may stand in errors, those of a header may be values.
    declared: Vec<String>,
    fields: Vec<Field>,
    trailer: String,
    trailer_seen: bool,
    limits: Limits,
}

impl<R: Read> Rows<R> {
    pub(crate) fn open(
        source: R,
        charset: Charset,
        csv: &feed::Csv,
        columns: &[Column],
        limits: Limits,
    ) -> Result<Self, Error> {
        let input = Input::open(source, charset, declares_nothing, limits.record_bytes)?;
        let mut rows = Self::new(input, csv, columns, limits);
        for _ in 0..csv.skip_lines {
            if let Some((_, whole)) = rows.input.peek_line()? {
                rows.input.pass(whole, 1);
            }
        }
        rows.columns = Columns::new(match csv.header {
            Header::None => columns.iter().map(|column| column.name.clone()).collect(),
            Header::Required => rows.header(columns)?,
        });
        if rows.columns.names.len() > limits.columns {
            return Err(rows.input.error(CsvFault::TooManyColumns { limit: limits.columns }));
        }
        rows.input.mark();
        Ok(rows)
    }

    pub(crate) fn resume(
        source: R,
        checkpoint: Checkpoint,
        csv: &feed::Csv,
        columns: &[Column],
        limits: Limits,
    ) -> Self {
        let charset = checkpoint.memory.charset();
        let input = Input::resume(source, charset, checkpoint.place, limits.record_bytes);
        let mut rows = Self::new(input, csv, columns, limits);
        if let Memory::Header(_, names) = checkpoint.memory {
            rows.columns = Columns::new(names);
        }
        rows
    }

    fn new(input: Input<R>, csv: &feed::Csv, columns: &[Column], limits: Limits) -> Self {
        let dialect = Dialect { delimiter: csv.delimiter_byte(), quote: csv.quote_byte(), trim: csv.trim };
        Self {
            input,
            dialect,
            columns: Columns::default(),
            declared: columns.iter().map(|column| column.name.clone()).collect(),
            fields: Vec::new(),
            trailer: csv.trailer.clone(),
            trailer_seen: false,
            limits,
        }
    }

    /// The names in the first row, as the feed calls them.
    fn header(&mut self, columns: &[Column]) -> Result<Vec<String>, Error> {
        let place = self.input.place();
        let fault = |fault: CsvFault| Error::new(place, fault.into());
        let Some((_, length)) = self.row()? else { return Err(fault(CsvFault::NoHeader)) };
        let text = self.input.passed(length);
        let unnamed = Columns::default();
        let row = Row { columns: &unnamed, text, fields: &self.fields, quote: self.quote() };
        let mut names: Vec<String> = Vec::with_capacity(self.fields.len());
        for (at, field) in row.fields().enumerate() {
            let written = field.trim();
            let declared = columns.iter().find(|column| column.is_called(written));
            let name = match declared {
                Some(column) => column.name.clone(),
                None if written.is_empty() => format!("column-{}", at + 1),
                None => written.to_owned(),
            };
            if let Some(first) = names.iter().position(|other| *other == name) {
                let column = declared.map(|column| column.name.clone()).unwrap_or_default();
                let repeated = CsvFault::RepeatedColumn { first: first + 1, second: at + 1 };
                return Err(fault(repeated).in_column(column));
            }
            names.push(name);
        }
        Ok(names)
    }

    fn quote(&self) -> char {
        self.dialect.quote.map_or('"', char::from)
    }

    /// Goes past the next row that is not empty: where it begins, and its length. `None` at the end.
    fn row(&mut self) -> Result<Option<(Place, usize)>, Error> {
        loop {
            let blank = match self.input.rest().as_bytes() {
                [b'\r', b'\n', ..] => 2,
                [b'\n', ..] | [b'\r', _, ..] => 1,
                [b'\r'] if self.input.is_last() => 1,
                // The mark DOS programs end a file with.
                [0x1a] if self.input.is_last() => 1,
                _ => 0,
            };
            if blank > 0 {
                self.input.pass(blank, 1);
                continue;
            }
            if self.input.rest().is_empty() {
                if self.input.more()? {
                    continue;
                }
                return Ok(None);
            }
            match self.dialect.scan(self.input.rest(), self.input.is_last(), &mut self.fields) {
                Scan::Row { length, .. } if length > self.limits.record_bytes => return Err(self.too_long()),
                Scan::AfterQuote { at } if at >= self.longest() => return Err(self.too_long()),
                Scan::More { .. } if self.input.rest().len() > self.limits.record_bytes => {
                    return Err(self.too_long());
                }
                Scan::Row { length, lines } => {
                    let place = self.input.place();
                    self.input.pass(length, lines);
                    return Ok(Some((place, length)));
                }
                Scan::More { .. } => self.wait()?,
                Scan::AfterQuote { at } => return Err(self.after_quote(at)),
            }
        }
    }

    /// Reads on inside a row.
    fn wait(&mut self) -> Result<(), Error> {
        // That nothing comes may be news: then the row is scanned once more, as the last.
        let was_last = self.input.is_last();
        match self.input.more()? {
            false if was_last => Err(self.input.error(Fault::Truncated("a quoted field"))),
            _ => Ok(()),
        }
    }

    /// The row is longer than it may be. Whether a quote is open is told from what no reader has to look beyond: how much
    /// of the file has been read by now is chance.
    fn too_long(&self) -> Error {
        let text = self.input.rest();
        let seen = text.get(..self.longest()).unwrap_or(text);
        let quoted = self.dialect.scan(seen, false, &mut Vec::new()) == Scan::More { quoted: true };
        self.input.error(Fault::TooLong { limit: self.limits.record_bytes, quoted })
    }

    /// Where a row that goes on is too long: the first boundary of characters beyond the limit.
    fn longest(&self) -> usize {
        let text = self.input.rest();
        (self.limits.record_bytes + 1..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len())
    }

    /// Goes past the line on which something follows the closing quote at `at`.
    fn after_quote(&mut self, at: usize) -> Error {
        let row = self.input.count();
        let error = Error::new(Place { row, ..self.input.place() }, CsvFault::AfterQuote.into());
        let column = self.fields.len().saturating_sub(1);
        let before = self.input.rest().as_bytes().get(..at).unwrap_or_default();
        let lines = scan::breaks(before);
        self.input.pass(at, lines);
        match self.input.peek_line() {
            Ok(Some((_, whole))) => {
                self.input.pass(whole, 1);
            }
            Ok(None) => {}
            Err(worse) => return worse,
        }
        self.input.mark();
        error.in_column(self.column(column))
    }

    /// How an error calls column `at`: by a name of the feed. What stands in a header may be somebody's name.
    fn column(&self, at: usize) -> String {
        let declared = self.columns.names.get(at).filter(|name| self.declared.contains(name));
        declared.cloned().unwrap_or_else(|| (at + 1).to_string())
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        let Some((place, length)) = self.row()? else {
            return match self.trailer.is_empty() || self.trailer_seen {
                true => Ok(None),
                false => Err(self.input.error(CsvFault::NoTrailer)),
            };
        };
        if !self.trailer.is_empty() && self.ends_table(length)? {
            return Ok(None);
        }
        let place = Place { row: self.input.count(), ..place };
        self.input.mark();
        let (found, columns) = (self.fields.len(), self.columns.names.len());
        if found != columns {
            return Err(Error::new(place, CsvFault::Fields { found, columns }.into()));
        }
        let row = Row {
            columns: &self.columns,
            text: self.input.passed(length),
            fields: &self.fields,
            quote: self.quote(),
        };
        Ok(Some(Record { place, body: Body::Row(row) }))
    }

    /// The row is the trailer, and the last.
    fn ends_table(&mut self, length: usize) -> Result<bool, Error> {
        let unnamed = Columns::default();
        let text = self.input.passed(length);
        let row = Row { columns: &unnamed, text, fields: &self.fields, quote: self.quote() };
        if row.field(0).is_none_or(|first| first.trim() != self.trailer) {
            return Ok(false);
        }
        let claimed = row.field(1).and_then(|second| second.trim().parse::<u64>().ok());
        let found = self.input.place().row;
        if let Some(claimed) = claimed.filter(|claimed| *claimed != found) {
            return Err(self.input.error(CsvFault::Count { claimed, found }));
        }
        self.trailer_seen = true;
        match self.row() {
            Ok(None) => Ok(true),
            Ok(Some((place, _))) => Err(Error::new(place, CsvFault::AfterTrailer.into())),
            // A row that would be bad elsewhere is one too many here.
            Err(error) if error.spares_the_rest() => {
                Err(Error::new(error.place, CsvFault::AfterTrailer.into()))
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns.names
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let memory = Memory::Header(self.input.charset(), self.columns.names.clone());
        Checkpoint { place: self.input.marked(), memory }
    }
}
