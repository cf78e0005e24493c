//! ANSI X12 (ASC X12.5 and X12.6): interchanges of functional groups of transaction sets. Separators are where ISA,
//! which has a fixed length, puts them; every control number and count is checked.

mod envelope;
mod tree;

use std::io::Read;

use bridge_core::feed::Charset;

use crate::{
    error::{Error, Fault, X12Fault},
    input::{Input, declares_nothing},
    limits::Limits,
    place::{Checkpoint, Memory, Place},
    record::{Body, Record},
};
use envelope::{Envelope, Separators};
use tree::Tree;

/// Transaction sets, each with what its envelopes say: `{"interchange": {…}, "group": {…}, "transaction": "837",
/// "control": "0001", "segments": [{"segment": "BHT", "elements": ["0019", …]}, {"segment": "HL", "elements": […],
/// "loop": […]}]}`.
///
/// An element is a string; a list of strings where it has components; `{"repeat": […]}` where it repeats. A segment
/// that begins a loop has what belongs to the loop in `loop`. An acknowledgment between groups (TA1) is a record, too.
pub(crate) struct Transactions<R> {
    input: Input<R>,
    envelope: Envelope,
    /// The envelope where reading can go on.
    marked: Vec<String>,
    json: String,
    limit: usize,
}

impl<R: Read> Transactions<R> {
    pub(crate) fn open(source: R, charset: Charset, limits: Limits) -> Result<Self, Error> {
        let mut input = Input::open(source, charset, declares_nothing, limits.record_bytes)?;
        input.mark();
        Ok(Self::new(input, Envelope::default(), limits))
    }

    pub(crate) fn resume(source: R, checkpoint: Checkpoint, limits: Limits) -> Self {
        let charset = checkpoint.memory.charset();
        let input = Input::resume(source, charset, checkpoint.place, limits.record_bytes);
        let envelope = match &checkpoint.memory {
            Memory::Envelope(_, kept) => Envelope::recall(kept),
            _ => Envelope::default(),
        };
        Self::new(input, envelope, limits)
    }

    fn new(input: Input<R>, envelope: Envelope, limits: Limits) -> Self {
        Self { input, marked: envelope.remember(), envelope, json: String::new(), limit: limits.record_bytes }
    }

    fn mark(&mut self) {
        self.input.mark();
        self.marked = self.envelope.remember();
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        loop {
            let Some((place, length)) = self.segment()? else {
                return match self.envelope.open_trailer() {
                    Some(missing) => Err(self.input.error(Fault::Truncated(missing))),
                    None => Ok(None),
                };
            };
            let text = self.input.passed(length);
            let fault = |fault: X12Fault| Error::new(place, fault.into());
            let Some(separators) = self.envelope.separators else { return Err(fault(X12Fault::NoIsa)) };
            let segment = separators.cut(text).map_err(fault)?;
            match segment.name {
                "ST" => {
                    self.envelope.begin_transaction().map_err(fault)?;
                    let row = self.input.count();
                    return self.transaction(Place { row, ..place }, length);
                }
                "TA1" => {
                    self.envelope.may_acknowledge().map_err(fault)?;
                    self.json.clear();
                    self.envelope.write(&mut self.json);
                    let mut tree = Tree::begin("TA1", "", &mut self.json);
                    tree.push(&segment).map_err(fault)?;
                    tree.end();
                    let row = self.input.count();
                    self.mark();
                    return Ok(Some(Record { place: Place { row, ..place }, body: Body::Json(&self.json) }));
                }
                _ => self.envelope.take(&segment, text).map_err(fault)?,
            }
        }
    }

    /// The transaction set whose ST, of `length` bytes, was passed last.
    fn transaction(&mut self, place: Place, length: usize) -> Result<Option<Record<'_>>, Error> {
        let fault = |fault: X12Fault| Error::new(place, fault.into());
        let Some(separators) = self.envelope.separators else { return Err(fault(X12Fault::NoIsa)) };
        let header = self.input.passed(length).to_owned();
        let header = separators.cut(&header).map_err(fault)?;
        let mut json = std::mem::take(&mut self.json);
        json.clear();
        self.envelope.write(&mut json);
        let mut tree = Tree::begin(header.element(1), header.element(2), &mut json);
        let mut count = 1_u64;
        let mut wrong = None;
        loop {
            let Some((_, length)) = self.segment()? else {
                return Err(Error::new(place, Fault::Truncated("a transaction set (SE is missing)")));
            };
            let segment = separators.cut(self.input.passed(length)).map_err(fault)?;
            count += 1;
            match segment.name {
                "SE" => {
                    let ended = envelope::trailer(&segment, "SE", "segments", count);
                    let same = envelope::same_control(&segment, header.element(2), "SE", "ST");
                    wrong = wrong.or(ended.and(same).err());
                    break;
                }
                "ISA" | "GS" | "ST" | "GE" | "IEA" => {
                    let found = envelope::known(segment.name);
                    return Err(fault(X12Fault::Order { found, expected: "SE" }));
                }
                _ => wrong = wrong.or(tree.push(&segment).err()),
            }
            if tree.length() > self.limit {
                return Err(Error::new(place, Fault::TooLong { limit: self.limit, quoted: false }));
            }
        }
        tree.end();
        self.json = json;
        self.mark();
        match wrong {
            Some(wrong) => Err(fault(wrong)),
            None => Ok(Some(Record { place, body: Body::Json(&self.json) })),
        }
    }

    /// Goes past the next segment: where it begins, and its length with its terminator. `None` at the end.
    fn segment(&mut self) -> Result<Option<(Place, usize)>, Error> {
        // Line breaks after terminators are layout.
        loop {
            let (length, lines) = crate::json::blank(self.input.rest());
            self.input.pass(length, lines);
            if !matches!(self.input.rest(), "" | "\u{1a}") {
                break;
            }
            if !self.input.more()? {
                return Ok(None);
            }
        }
        let place = self.input.place();
        if self.envelope.separators.is_none() {
            while self.input.rest().len() < envelope::ISA_LENGTH && self.input.more()? {}
            let isa = self.input.rest().get(..envelope::ISA_LENGTH);
            let separators = isa.ok_or(X12Fault::NoIsa).and_then(Separators::of_isa);
            self.envelope.separators = Some(separators.map_err(|fault| Error::new(place, fault.into()))?);
        }
        let terminator = self.envelope.separators.map_or(b'~', |separators| separators.segment);
        let mut from = 0;
        loop {
            let rest = self.input.rest().as_bytes();
            if let Some(at) = rest.get(from..).and_then(|unseen| memchr::memchr(terminator, unseen)) {
                let length = from + at + 1;
                let lines = crate::json::count_lines(self.input.rest().get(..length).unwrap_or_default());
                self.input.pass(length, lines);
                return Ok(Some((place, length)));
            }
            from = rest.len();
            if !self.input.more()? {
                return Err(self.input.error(Fault::Truncated("a segment")));
            }
        }
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let memory = Memory::Envelope(self.input.charset(), self.marked.clone());
        Checkpoint { place: self.input.marked(), memory }
    }
}
