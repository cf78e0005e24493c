//! Files of HL7 v2 messages, with or without FHS and BHS around them (HL7 v2.5.1 §2.10.3). What
//! [`bridge_hl7v2::batch`] does to a file in memory, a piece at a time.

use std::io::Read;

use bridge_core::feed::Charset;
use bridge_hl7v2::{Message, batch, charset::Charset as Declared};

use crate::{
    charset,
    error::{Error, Fault, Hl7Fault},
    input::Input,
    limits::Limits,
    place::{Checkpoint, Memory, Place},
    record::{Body, Record},
    write,
};

/// Messages: `{"batch": "BHS-11", "message": "MSH|…\rPID|…"}`; `batch` only where a batch has a control id. Segments
/// end in CR, whatever the file has.
pub(crate) struct Messages<R> {
    input: Input<R>,
    open: Open,
    marked: Open,
    text: String,
    json: String,
    limit: usize,
}

/// What is open around the messages, and what it has had so far.
#[derive(Clone, Default)]
struct Open {
    file: bool,
    batch: bool,
    /// The control id of the batch (BHS-11).
    id: String,
    messages: u64,
    batches: u64,
}

/// What a line begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Message,
    File,
    Batch,
    BatchEnd,
    FileEnd,
}

impl<R: Read> Messages<R> {
    pub(crate) fn open(source: R, charset: Charset, limits: Limits) -> Result<Self, Error> {
        let mut input = Input::open(source, charset, declared, limits.record_bytes)?;
        input.mark();
        Ok(Self::new(input, Open::default(), limits))
    }

    pub(crate) fn resume(source: R, checkpoint: &Checkpoint, limits: Limits) -> Self {
        let charset = checkpoint.memory.charset();
        let input = Input::resume(source, charset, checkpoint.place, limits.record_bytes);
        let open = match &checkpoint.memory {
            Memory::Envelope(_, kept) => Open::recall(kept),
            _ => Open::default(),
        };
        Self::new(input, open, limits)
    }

    fn new(input: Input<R>, open: Open, limits: Limits) -> Self {
        let limit = limits.record_bytes;
        Self { input, marked: open.clone(), open, text: String::new(), json: String::new(), limit }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        loop {
            let Some((at, length, whole)) = self.next_line()? else { return self.end() };
            let line = trim(self.input.passed(whole).get(..length).unwrap_or_default());
            let fault = |fault: Hl7Fault| Err(Error::new(at, fault.into()));
            match begins(line) {
                Some(Begins::Message) => {
                    self.open.messages += 1;
                    return self.message(at, length, whole);
                }
                Some(Begins::File) => self.open = Open { file: true, ..Open::default() },
                Some(Begins::Batch) => {
                    let id = field(line, 10).to_owned();
                    let batches = self.open.batches + 1;
                    self.open = Open { batch: true, id, messages: 0, batches, ..self.open };
                }
                Some(Begins::BatchEnd) => {
                    let found = self.open.messages;
                    if let Some(claimed) = claimed(line).filter(|claimed| *claimed != found) {
                        return fault(Hl7Fault::Count { trailer: "BTS", claimed, found });
                    }
                    (self.open.batch, self.open.id) = (false, String::new());
                }
                Some(Begins::FileEnd) => {
                    if self.open.batch {
                        return fault(Hl7Fault::NoTrailer { trailer: "BTS" });
                    }
                    let found = if self.open.batches > 0 { self.open.batches } else { self.open.messages };
                    if let Some(claimed) = claimed(line).filter(|claimed| *claimed != found) {
                        return fault(Hl7Fault::Count { trailer: "FTS", claimed, found });
                    }
                    self.open = Open::default();
                }
                None => {
                    let row = self.input.count();
                    while let Some((_, whole)) = self.next_of_part()? {
                        self.input.pass(whole, 1);
                    }
                    self.mark();
                    return Err(Error::new(Place { row, ..at }, Hl7Fault::Stray.into()));
                }
            }
        }
    }

    /// The message whose MSH was passed last.
    fn message(&mut self, at: Place, length: usize, whole: usize) -> Result<Option<Record<'_>>, Error> {
        let place = Place { row: self.input.count(), ..at };
        self.text.clear();
        self.text.push_str(trim(self.input.passed(whole).get(..length).unwrap_or_default()));
        self.rest_of_message()?;
        self.mark();
        if Message::parse(&self.text).is_err() {
            return Err(Error::new(place, Hl7Fault::Message.into()));
        }
        self.json.clear();
        self.json.push('{');
        if !self.open.id.is_empty() {
            write::member("batch", &self.open.id, &mut self.json);
        }
        write::member("message", &self.text, &mut self.json);
        self.json.push('}');
        Ok(Some(Record { place, body: Body::Json(&self.json) }))
    }

    /// Looks at the next line, unless something else begins there.
    fn next_of_part(&mut self) -> Result<Option<(usize, usize)>, Error> {
        let line = self.input.peek_line()?;
        let goes_on = |(length, _): &(usize, usize)| {
            begins(trim(self.input.rest().get(..*length).unwrap_or_default())).is_none()
        };
        Ok(line.filter(goes_on))
    }

    /// Goes past the lines up to where something else begins, and adds them to the message.
    fn rest_of_message(&mut self) -> Result<(), Error> {
        while let Some((length, whole)) = self.next_of_part()? {
            let line = trim(self.input.rest().get(..length).unwrap_or_default());
            if !line.is_empty() {
                self.text.push('\r');
                self.text.push_str(line);
            }
            if self.text.len() > self.limit {
                return Err(self.input.error(Fault::TooLong { limit: self.limit, quoted: false }));
            }
            self.input.pass(whole, 1);
        }
        Ok(())
    }

    fn next_line(&mut self) -> Result<Option<(Place, usize, usize)>, Error> {
        while let Some((place, length, whole)) = self.input.next_line()? {
            if !trim(self.input.passed(whole).get(..length).unwrap_or_default()).is_empty() {
                return Ok(Some((place, length, whole)));
            }
        }
        Ok(None)
    }

    fn mark(&mut self) {
        self.input.mark();
        self.marked = self.open.clone();
    }

    fn end(&self) -> Result<Option<Record<'_>>, Error> {
        let trailer = match (self.open.batch, self.open.file) {
            (true, _) => "BTS",
            (_, true) => "FTS",
            _ => return Ok(None),
        };
        Err(self.input.error(Hl7Fault::NoTrailer { trailer }))
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let memory = Memory::Envelope(self.input.charset(), self.marked.remember());
        Checkpoint { place: self.input.marked(), memory }
    }
}

impl Open {
    fn remember(&self) -> Vec<String> {
        let Self { file, batch, id, messages, batches } = self;
        vec![file.to_string(), batch.to_string(), id.clone(), messages.to_string(), batches.to_string()]
    }

    fn recall(kept: &[String]) -> Self {
        let text = |at: usize| kept.get(at).map(String::as_str).unwrap_or_default();
        Self {
            file: text(0) == "true",
            batch: text(1) == "true",
            id: text(2).to_owned(),
            messages: text(3).parse().unwrap_or_default(),
            batches: text(4).parse().unwrap_or_default(),
        }
    }
}

/// What a line begins: a header, whose separator can be any punctuation, or a trailer.
fn begins(line: &str) -> Option<Begins> {
    let (name, rest) = line.split_at_checked(3)?;
    let separated = rest.bytes().next().is_some_and(|b| b.is_ascii_punctuation());
    match name {
        "MSH" if separated => Some(Begins::Message),
        "FHS" if separated => Some(Begins::File),
        "BHS" if separated => Some(Begins::Batch),
        "BTS" if separated || rest.is_empty() => Some(Begins::BatchEnd),
        "FTS" if separated || rest.is_empty() => Some(Begins::FileEnd),
        _ => None,
    }
}

/// Part `n` of a line, cut at its own separator: BTS-1 is 1, BHS-11 is 10.
fn field(line: &str, n: usize) -> &str {
    let separator = line.chars().nth(3).unwrap_or('|');
    line.split(separator).nth(n).unwrap_or_default()
}

/// BTS-1 or FTS-1, where it is a number.
fn claimed(line: &str) -> Option<u64> {
    field(line, 1).trim().parse().ok()
}

/// Without the framing of MLLP and indentation. Blanks at the end may be data.
fn trim(line: &str) -> &str {
    let framing = ['\u{b}', '\u{1c}', '\0'];
    line.trim_start_matches([' ', '\t']).trim_start_matches(framing).trim_end_matches(framing)
}

/// MSH-18 of the first message.
fn declared(head: &[u8]) -> Result<Option<Charset>, Fault> {
    let first = batch::split(head).find_map(|part| match part {
        batch::Part::Message(lines) => Some(lines),
        _ => None,
    });
    let name = first.map(|lines| String::from_utf8_lossy(lines.field(18)).into_owned()).unwrap_or_default();
    if name.is_empty() {
        return Ok(None);
    }
    let known = Declared::from_msh18(&name).and_then(|declared| charset::named(declared.iana()));
    known.map(Some).ok_or(Fault::DeclaredCharset)
}
