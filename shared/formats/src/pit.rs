//! Australian pathology reports (PIT): lines of a code of three digits, a blank and text. 001 to 099 say what the file
//! is and index it, 100 to 399 are reports, 999 ends the file.

use std::io::Read;

use bridge_core::feed::Charset;

use crate::{
    error::{Error, Fault, PitFault},
    input::{Input, declares_nothing},
    limits::Limits,
    place::{Checkpoint, Memory, Place},
    record::{Body, Record},
    write,
};

const END: u16 = 999;

/// Reports, each with the head of its file: `{"file": [{"code": "001", "text": "…"}, …], "lines": [{"code": "100",
/// "text": "…"}, …]}`. A report begins where codes 100 to 109 (the patient) come after others.
pub(crate) struct Reports<R> {
    input: Input<R>,
    /// The lines before the first report, as JSON.
    head: String,
    json: String,
    limit: usize,
}

impl<R: Read> Reports<R> {
    pub(crate) fn open(source: R, charset: Charset, limits: Limits) -> Result<Self, Error> {
        let mut input = Input::open(source, charset, declares_nothing, limits.record_bytes)?;
        let mut head = String::new();
        while let Some((length, whole)) = input.peek_line()? {
            let line = input.rest().get(..length).unwrap_or_default();
            let place = input.place();
            if !line.trim().is_empty() {
                let (code, text) = cut(line).ok_or_else(|| Error::new(place, PitFault::Line.into()))?;
                if number(code) >= 100 {
                    break;
                }
                push(code, text, &mut head);
            }
            if head.len() > limits.record_bytes {
                let limit = limits.record_bytes;
                return Err(Error::new(place, Fault::TooLong { limit, quoted: false }));
            }
            input.pass(whole, 1);
        }
        input.mark();
        Ok(Self { input, head, json: String::new(), limit: limits.record_bytes })
    }

    pub(crate) fn resume(source: R, checkpoint: Checkpoint, limits: Limits) -> Self {
        let charset = checkpoint.memory.charset();
        let input = Input::resume(source, charset, checkpoint.place, limits.record_bytes);
        let head = match checkpoint.memory {
            Memory::Envelope(_, kept) => kept.into_iter().next().unwrap_or_default(),
            _ => String::new(),
        };
        Self { input, head, json: String::new(), limit: limits.record_bytes }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        self.json.clear();
        let mut begun: Option<Place> = None;
        let mut fault = None;
        // The lines of a report's patient come first; then a line of a patient begins the next.
        let mut beyond_patient = false;
        while let Some((length, whole)) = self.input.peek_line()? {
            let line = self.input.rest().get(..length).unwrap_or_default();
            if line.trim_matches(['\u{1a}', ' ']).is_empty() {
                self.input.pass(whole, 1);
                continue;
            }
            let code = cut(line).map(|(code, text)| (number(code), code, text));
            match code {
                Some((END, ..)) if begun.is_none() => return self.end(whole),
                Some((END, ..)) => break,
                Some((100..=109, ..)) if beyond_patient => break,
                Some((100..=109, ..)) => {}
                _ => beyond_patient = true,
            }
            if begun.is_none() {
                self.json.push_str("{\"file\":[");
                self.json.push_str(&self.head);
                self.json.push_str("],\"lines\":[");
            }
            match code {
                Some((_, code, text)) => push(code, text, &mut self.json),
                None => fault = fault.or(Some(PitFault::Line)),
            }
            let place = self.input.place();
            if begun.is_none() {
                begun = Some(Place { row: self.input.count(), ..place });
            }
            self.input.pass(whole, 1);
            if self.json.len() > self.limit {
                return Err(Error::new(place, Fault::TooLong { limit: self.limit, quoted: false }));
            }
        }
        let Some(place) = begun else { return Err(self.input.error(PitFault::NoEnd)) };
        self.json.push_str("]}");
        self.input.mark();
        match fault {
            Some(fault) => Err(Error::new(place, fault.into())),
            None => Ok(Some(Record { place, body: Body::Json(&self.json) })),
        }
    }

    /// Line 999, and nothing after it.
    fn end(&mut self, whole: usize) -> Result<Option<Record<'_>>, Error> {
        self.input.pass(whole, 1);
        match self.input.next_line()? {
            Some((place, ..)) => Err(Error::new(place, PitFault::AfterEnd.into())),
            None => Ok(None),
        }
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let memory = Memory::Envelope(self.input.charset(), vec![self.head.clone()]);
        Checkpoint { place: self.input.marked(), memory }
    }
}

/// Code and text of a line.
fn cut(line: &str) -> Option<(&str, &str)> {
    let (code, rest) = line.split_at_checked(3)?;
    let text = if rest.is_empty() { rest } else { rest.strip_prefix(' ')? };
    code.bytes().all(|b| b.is_ascii_digit()).then_some((code, text))
}

fn number(code: &str) -> u16 {
    code.parse().unwrap_or_default()
}

fn push(code: &str, text: &str, out: &mut String) {
    if !out.is_empty() {
        write::comma(out);
    }
    out.push('{');
    write::member("code", code, out);
    write::member("text", text.trim_end(), out);
    out.push('}');
}
