//! Delimited text (RFC 4180), as its feed would be declared.

use bridge_core::{
    export::OutColumn,
    feed::{self, Header},
};
use serde_json::{Map, Value};

use super::{Unwritable, WriteFault, charset::Encoder};

const LINE_END: &str = "\r\n";

/// How rows are written.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    delimiter: char,
    quote: Option<char>,
    has_header: bool,
    trailer: String,
    columns: Vec<OutColumn>,
}

impl Rows {
    pub(super) fn new(csv: &feed::Csv, columns: &[OutColumn]) -> Self {
        Self {
            delimiter: char::from(csv.delimiter_byte()),
            quote: csv.quote_byte().map(char::from),
            has_header: csv.header == Header::Required,
            trailer: csv.trailer.clone(),
            columns: columns.to_vec(),
        }
    }

    pub(super) fn begin(&self, charset: &Encoder) -> Result<String, Unwritable> {
        let mut line = String::new();
        if self.has_header {
            let titles = self.columns.iter().map(|column| (column.name.as_str(), column.title()));
            self.line(titles, charset, &mut line)?;
        }
        Ok(line)
    }

    pub(super) fn record(
        &self,
        record: &Map<String, Value>,
        charset: &Encoder,
    ) -> Result<String, Unwritable> {
        let is_known = |name: &String| self.columns.iter().any(|column| column.name == *name);
        if !record.keys().all(is_known) {
            return Err(WriteFault::UnknownMember.at(""));
        }
        let mut values = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            values.push((column.name.as_str(), text(record.get(&column.name), &column.name)?));
        }
        let is_trailer = |(_, first): &(&str, String)| first.trim() == self.trailer;
        if let Some((name, _)) = values.first().filter(|first| !self.trailer.is_empty() && is_trailer(first))
        {
            return Err(WriteFault::Trailer.at(*name));
        }
        let mut line = String::new();
        self.line(values.iter().map(|(name, value)| (*name, value.as_str())), charset, &mut line)?;
        Ok(line)
    }

    pub(super) fn end(&self, records: u64) -> String {
        match self.trailer.is_empty() {
            true => String::new(),
            false => format!("{}{}{records}{LINE_END}", self.trailer, self.delimiter),
        }
    }

    fn line<'a>(
        &self,
        fields: impl Iterator<Item = (&'a str, &'a str)>,
        charset: &Encoder,
        line: &mut String,
    ) -> Result<(), Unwritable> {
        for (at, (name, value)) in fields.enumerate() {
            if at > 0 {
                line.push(self.delimiter);
            }
            charset.check(value, || name.to_owned())?;
            // A line without anything on it is no row, and a mark in front of a file is no text.
            let is_blank = value.is_empty() && self.columns.len() == 1;
            let special = |c: char| {
                c == self.delimiter || matches!(c, '\r' | '\n' | '\u{feff}') || Some(c) == self.quote
            };
            match self.quote {
                _ if !is_blank && !value.contains(special) => line.push_str(value),
                Some(quote) => {
                    line.push(quote);
                    line.push_str(&value.replace(quote, &String::from_iter([quote; 2])));
                    line.push(quote);
                }
                None => return Err(WriteFault::Unquoted.at(name)),
            }
        }
        line.push_str(LINE_END);
        Ok(())
    }
}

/// A value as text. What is not there is empty.
pub(super) fn text(value: Option<&Value>, place: &str) -> Result<String, Unwritable> {
    match value {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Bool(flag)) => Ok(flag.to_string()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        Some(Value::Array(_) | Value::Object(_)) => Err(WriteFault::NotAValue.at(place)),
    }
}
