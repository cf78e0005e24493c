//! Columns of fixed width. The layout is the feed's: a name and a width, in characters, for each column.

use std::io::Read;

use bridge_core::feed::{Charset, Column};

use crate::{
    error::{Error, Fault},
    input::{Input, declares_nothing},
    limits::Limits,
    place::{Checkpoint, Memory, Place},
    record::{Body, Columns, Field, Record, Row},
};

/// Lines cut into columns. Blanks at the end of a field are padding. A line may end early, between or inside columns
/// that need not be there.
pub(crate) struct Rows<R> {
    input: Input<R>,
    columns: Columns,
    widths: Vec<usize>,
    /// Characters up to the end of the last column that must be there.
    needed: usize,
    fields: Vec<Field>,
}

impl<R: Read> Rows<R> {
    pub(crate) fn open(
        source: R,
        charset: Charset,
        columns: &[Column],
        limits: Limits,
    ) -> Result<Self, Error> {
        Ok(Self::new(Input::open(source, charset, declares_nothing, limits.record_bytes)?, columns))
    }

    pub(crate) fn resume(source: R, checkpoint: &Checkpoint, columns: &[Column], limits: Limits) -> Self {
        let charset = checkpoint.memory.charset();
        Self::new(Input::resume(source, charset, checkpoint.place, limits.record_bytes), columns)
    }

    fn new(mut input: Input<R>, columns: &[Column]) -> Self {
        input.mark();
        let width = |column: &Column| column.width.map_or(0, |width| width.get() as usize);
        let widths: Vec<usize> = columns.iter().map(width).collect();
        let last = columns.iter().rposition(|column| column.required);
        Self {
            input,
            columns: Columns::new(columns.iter().map(|column| column.name.clone()).collect()),
            needed: last.map_or(0, |last| widths.iter().take(last).sum::<usize>() + 1),
            widths,
            fields: Vec::with_capacity(columns.len()),
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        let Some((place, length, whole)) = self.input.next_line()? else { return Ok(None) };
        let place = Place { row: self.input.count(), ..place };
        self.input.mark();
        let line = self.input.passed(whole).get(..length).unwrap_or_default();
        cut(line, &self.widths, self.needed, &mut self.fields).map_err(|fault| Error::new(place, fault))?;
        let text = self.input.passed(whole);
        let row = Row { columns: &self.columns, text, fields: &self.fields, quote: '"' };
        Ok(Some(Record { place, body: Body::Row(row) }))
    }

    pub(crate) fn columns(&self) -> &[String] {
        &self.columns.names
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { place: self.input.marked(), memory: Memory::Nothing(self.input.charset()) }
    }
}

/// Cuts `line` into `fields`.
fn cut(line: &str, widths: &[usize], needed: usize, fields: &mut Vec<Field>) -> Result<(), Fault> {
    fields.clear();
    let mut rest = line;
    let mut start = 0;
    for width in widths {
        let end = rest.char_indices().nth(*width).map_or(rest.len(), |(at, _)| at);
        let (field, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let length = field.trim_end_matches([' ', '\t']).len();
        fields.push(Field { start, end: start + length, doubled: false });
        start += end;
        rest = after;
    }
    let characters = || line.chars().count();
    if !rest.trim_end().is_empty() {
        return Err(Fault::Width { found: characters(), needed: widths.iter().sum() });
    }
    if needed > line.len() || (needed > 0 && !line.is_ascii() && needed > characters()) {
        return Err(Fault::Width { found: characters(), needed });
    }
    Ok(())
}
