//! What readers give: a record and its place.

use std::borrow::Cow;

use crate::{place::Place, write};

/// One record of a file. It borrows from its reader, until the next is asked for.
#[derive(Clone, Copy)]
pub struct Record<'r> {
    /// Where it begins.
    pub place: Place,
    /// What it holds.
    pub body: Body<'r>,
}

/// What a record holds.
#[derive(Clone, Copy)]
pub enum Body<'r> {
    /// A row of named columns.
    Row(Row<'r>),
    /// A JSON object, as text: from a format whose records are trees.
    Json(&'r str),
}

/// Says where, and not what: records are PHI.
impl std::fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "record at {}", self.place)
    }
}

impl Record<'_> {
    /// Appends the record as a JSON object. Fields of a row are strings.
    pub fn write_json(&self, out: &mut String) {
        match &self.body {
            Body::Json(text) => out.push_str(text),
            Body::Row(row) => {
                out.push('{');
                for (key, field) in row.columns.keys.iter().zip(row.fields) {
                    if !out.ends_with('{') {
                        out.push(',');
                    }
                    out.push_str(key);
                    write::string(&row.value(field), out);
                }
                out.push('}');
            }
        }
    }

    /// The record as a JSON object. Fields of a row are strings.
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }
}

/// The fields of a row, one for each column.
#[derive(Clone, Copy)]
pub struct Row<'r> {
    pub(crate) columns: &'r Columns,
    /// The text the fields are cut from.
    pub(crate) text: &'r str,
    pub(crate) fields: &'r [Field],
    /// Written twice, it stands for itself.
    pub(crate) quote: char,
}

impl<'r> Row<'r> {
    /// The names of the columns.
    pub fn names(&self) -> &'r [String] {
        &self.columns.names
    }

    /// The field of column `at`, counted from 0, without its quotes.
    pub fn field(&self, at: usize) -> Option<Cow<'r, str>> {
        self.fields.get(at).map(|field| self.value(field))
    }

    /// All fields, in the order of the columns.
    pub fn fields(&self) -> impl Iterator<Item = Cow<'r, str>> {
        self.fields.iter().map(|field| self.value(field))
    }

    fn value(&self, field: &Field) -> Cow<'r, str> {
        let text = self.text.get(field.start..field.end).unwrap_or_default();
        if field.doubled {
            let (twice, once) = (String::from_iter([self.quote; 2]), String::from(self.quote));
            Cow::Owned(text.replace(&twice, &once))
        } else {
            Cow::Borrowed(text)
        }
    }
}

/// Where a field stands in the text of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Quotes inside are written twice.
    pub(crate) doubled: bool,
}

/// The names of columns, and how each is written in front of its value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    keys: Vec<String>,
}

impl Columns {
    pub(crate) fn new(names: Vec<String>) -> Self {
        let key = |name: &String| {
            let mut key = String::new();
            write::string(name, &mut key);
            key + ":"
        };
        Self { keys: names.iter().map(key).collect(), names }
    }
}
