//! The xDT family as GDT 2.1 writes it: lines of a length (3 digits), a field (4 digits) and content. A record goes
//! from one field 8000 to the next; what a line's length counts is its content, its own digits and CR LF.

use std::io::Read;

use bridge_core::feed::{Charset, Lengths, Xdt};

use crate::{
    error::{Error, Fault, XdtFault},
    input::Input,
    limits::Limits,
    place::{Checkpoint, Memory, Place},
    record::{Body, Record},
    write,
};

/// Names of well-known fields, in English and in our words.
const NAMES: &str = include_str!("xdt/fields.tsv");
/// Length and field in front of the content.
const PREFIX: usize = 7;
/// CR LF, counted also where a sender leaves CR out.
const LINE_END: u64 = 2;
const RECORD_TYPE: &str = "8000";
const RECORD_LENGTH: &str = "8100";
const CHARSET: &str = "9206";

/// Records of fields, in their order: `{"record": "6310", "fields": [{"field": "3000", "name": "patient-number",
/// "value": "…"}, …]}`.
pub(crate) struct Records<R> {
    input: Input<R>,
    is_strict: bool,
    /// The character set comes from field 9206, and may not change on the way.
    is_declared: bool,
    json: String,
    limit: usize,
}

/// A line, cut.
struct Line<'a> {
    claimed: u32,
    field: &'a str,
    content: &'a str,
}

impl<R: Read> Records<R> {
    pub(crate) fn open(source: R, charset: Charset, xdt: Xdt, limits: Limits) -> Result<Self, Error> {
        let mut input = Input::open(source, charset, declared, limits.record_bytes)?;
        input.mark();
        Ok(Self::new(input, charset, xdt, limits))
    }

    pub(crate) fn resume(
        source: R,
        checkpoint: &Checkpoint,
        charset: Charset,
        xdt: Xdt,
        limits: Limits,
    ) -> Self {
        let found = checkpoint.memory.charset();
        let input = Input::resume(source, found, checkpoint.place, limits.record_bytes);
        Self::new(input, charset, xdt, limits)
    }

    fn new(input: Input<R>, charset: Charset, xdt: Xdt, limits: Limits) -> Self {
        Self {
            input,
            is_strict: xdt.lengths == Lengths::Checked,
            is_declared: charset == Charset::Auto,
            json: String::new(),
            limit: limits.record_bytes,
        }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        let Some((place, length, whole)) = self.input.next_line()? else { return Ok(None) };
        let place = Place { row: self.input.count(), ..place };
        let first = self.input.passed(whole).get(..length).unwrap_or_default();
        let line = cut(first).filter(|line| line.field == RECORD_TYPE);
        let Some(line) = line else { return Err(Error::new(place, XdtFault::NoHeader.into())) };
        self.json.clear();
        self.json.push('{');
        write::member("record", line.content, &mut self.json);
        write::key("fields", &mut self.json);
        self.json.push('[');
        let mut sum = Sum::default();
        let mut fault = self.take(place, length, whole, &mut sum).err();
        while !self.at_next_record()? {
            let Some((at, length, whole)) = self.input.next_line()? else { break };
            let taken = self.take(at, length, whole, &mut sum);
            if matches!(taken, Err(Fault::DeclaredCharset)) {
                return Err(Error::new(at, Fault::DeclaredCharset));
            }
            fault = fault.or(taken.err());
            if self.json.len() > self.limit {
                return Err(Error::new(place, Fault::TooLong { limit: self.limit, quoted: false }));
            }
        }
        self.json.push_str("]}");
        self.input.mark();
        let claimed = sum.claimed.filter(|claimed| self.is_strict && *claimed != sum.found);
        let wrong = claimed.map(|claimed| XdtFault::RecordLength { claimed, found: sum.found }.into());
        match fault.or(wrong) {
            Some(fault) => Err(Error::new(place, fault)),
            None => Ok(Some(Record { place, body: Body::Json(&self.json) })),
        }
    }

    /// The next line that is not blank begins a record, or there is none.
    fn at_next_record(&mut self) -> Result<bool, Error> {
        loop {
            let Some((length, whole)) = self.input.peek_line()? else { return Ok(true) };
            let line = self.input.rest().get(..length).unwrap_or_default();
            if !line.trim_matches(['\u{1a}', ' ']).is_empty() {
                return Ok(cut(line).is_some_and(|line| line.field == RECORD_TYPE));
            }
            self.input.pass(whole, 1);
        }
    }

    /// Adds the line that was passed last to the record.
    fn take(&mut self, at: Place, length: usize, whole: usize, sum: &mut Sum) -> Result<(), Fault> {
        let text = self.input.passed(whole).get(..length).unwrap_or_default();
        let found = self.input.stored_bytes(text) + LINE_END;
        sum.found += found;
        let line = cut(text).ok_or(XdtFault::Line { line: at.line })?;
        if self.is_strict && u64::from(line.claimed) != found {
            return Err(XdtFault::Length { line: at.line, claimed: line.claimed, found }.into());
        }
        match line.field {
            RECORD_LENGTH => sum.claimed = line.content.trim().parse().ok(),
            CHARSET
                if self.is_declared
                    && charset_of(line.content).is_some_and(|c| c != self.input.charset()) =>
            {
                return Err(Fault::DeclaredCharset);
            }
            _ => {}
        }
        write::comma(&mut self.json);
        self.json.push('{');
        write::member("field", line.field, &mut self.json);
        if let Some(name) = name(line.field) {
            write::member("name", name, &mut self.json);
        }
        write::member("value", line.content, &mut self.json);
        self.json.push('}');
        Ok(())
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { place: self.input.marked(), memory: Memory::Nothing(self.input.charset()) }
    }
}

/// The length of a record in bytes: as field 8100 says, and as it is.
#[derive(Default)]
struct Sum {
    claimed: Option<u64>,
    found: u64,
}

fn cut(line: &str) -> Option<Line<'_>> {
    let (prefix, content) = line.split_at_checked(PREFIX)?;
    if !prefix.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (length, field) = prefix.split_at_checked(3)?;
    Some(Line { claimed: length.parse().ok()?, field, content })
}

fn name(field: &str) -> Option<&'static str> {
    NAMES.lines().filter_map(|line| line.split_once('\t')).find(|(id, _)| *id == field).map(|(_, name)| name)
}

/// Field 9206: 1 is 7 bits, 2 is code page 437, 3 is ISO 8859-1.
fn charset_of(content: &str) -> Option<Charset> {
    match content.trim() {
        "1" => Some(Charset::Utf8),
        "2" => Some(Charset::Cp437),
        "3" => Some(Charset::Iso8859_1),
        _ => None,
    }
}

fn declared(head: &[u8]) -> Result<Option<Charset>, Fault> {
    let lines = head.split(|b| matches!(b, b'\r' | b'\n'));
    let declaration =
        lines.filter_map(|line| line.get(3..)).find_map(|line| line.strip_prefix(CHARSET.as_bytes()));
    match declaration.map(String::from_utf8_lossy) {
        None => Ok(None),
        Some(content) => charset_of(&content).map(Some).ok_or(Fault::DeclaredCharset),
    }
}
