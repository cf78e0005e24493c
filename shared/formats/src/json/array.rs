//! One JSON document that holds an array of records, at its top or at a path of member names.

use std::io::Read;

use bridge_core::feed::Charset;
use serde::de::IgnoredAny;

use super::scan::{self, Value};
use crate::{
    error::{Error, Fault, JsonFault},
    input::{Input, declares_nothing},
    limits::Limits,
    place::{Checkpoint, Memory, Place},
    record::{Body, Record},
};

/// What a checkpoint of a bundle says once its type is known.
const IS_BUNDLE: &str = "Bundle";

/// The elements of the array.
pub(crate) struct Elements<R> {
    input: Input<R>,
    /// Member names down to the array.
    path: Vec<String>,
    /// The document is a FHIR Bundle, and must say so.
    must_be_bundle: bool,
    is_bundle: bool,
    is_first: bool,
    depth: usize,
    limit: usize,
}

impl<R: Read> Elements<R> {
    pub(crate) fn open(
        source: R,
        charset: Charset,
        path: &str,
        must_be_bundle: bool,
        limits: Limits,
    ) -> Result<Self, Error> {
        let input = Input::open(source, charset, declares_nothing, limits.record_bytes)?;
        let mut elements = Self::new(input, path, must_be_bundle, limits);
        elements.go_down()?;
        elements.input.mark();
        Ok(elements)
    }

    pub(crate) fn resume(
        source: R,
        checkpoint: Checkpoint,
        path: &str,
        must_be_bundle: bool,
        limits: Limits,
    ) -> Self {
        let charset = checkpoint.memory.charset();
        let input = Input::resume(source, charset, checkpoint.place, limits.record_bytes);
        let mut elements = Self::new(input, path, must_be_bundle, limits);
        elements.is_first = checkpoint.place.row == 0;
        elements.is_bundle = matches!(checkpoint.memory, Memory::Envelope(_, known) if !known.is_empty());
        elements
    }

    fn new(input: Input<R>, path: &str, must_be_bundle: bool, limits: Limits) -> Self {
        let path = path.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        let (depth, limit) = (limits.depth, limits.record_bytes);
        Self { input, path, must_be_bundle, is_bundle: false, is_first: true, depth, limit }
    }

    /// From the top of the document to the first element.
    fn go_down(&mut self) -> Result<(), Error> {
        for level in 0..self.path.len() {
            self.expect(b'{', "an object")?;
            if !self.members(level, true)? {
                return Err(self.input.error(JsonFault::NoArray { path: self.path.join(".") }));
            }
        }
        self.expect(b'[', "an array")
    }

    /// From the end of the array to the end of the document.
    fn go_up(&mut self) -> Result<(), Error> {
        for level in (0..self.path.len()).rev() {
            match self.token()? {
                Some(b',') => {
                    self.expect(b',', "a comma")?;
                    if self.members(level, false)? {
                        return Err(self.input.error(JsonFault::TwoArrays { path: self.path.join(".") }));
                    }
                }
                _ => self.expect(b'}', "a comma or the end of the object")?,
            }
        }
        if self.token()?.is_some() {
            return Err(self.expected("nothing more"));
        }
        if self.must_be_bundle && !self.is_bundle {
            return Err(self.input.error(JsonFault::NotABundle));
        }
        Ok(())
    }

    /// Goes past members of an object up to the one that is on the path; `false`: the object ends without it.
    fn members(&mut self, level: usize, mut may_be_empty: bool) -> Result<bool, Error> {
        loop {
            if may_be_empty && self.token()? == Some(b'}') {
                self.expect(b'}', "the end of the object")?;
                return Ok(false);
            }
            may_be_empty = false;
            if self.token()? != Some(b'"') {
                return Err(self.expected("the name of a member"));
            }
            let name: String = self.read_value()?;
            self.expect(b':', "a colon")?;
            if self.path.get(level).is_some_and(|step| *step == name) {
                return Ok(true);
            }
            self.token()?;
            if self.must_be_bundle && level == 0 && name == "resourceType" {
                let found: String = self.read_value()?;
                if found != IS_BUNDLE {
                    return Err(self.input.error(JsonFault::NotABundle));
                }
                self.is_bundle = true;
            } else {
                self.read_value::<IgnoredAny>()?;
            }
            match self.token()? {
                Some(b',') => self.expect(b',', "a comma")?,
                _ => {
                    self.expect(b'}', "a comma or the end of the object")?;
                    return Ok(false);
                }
            }
        }
    }

    /// Goes past white space; the byte after it, `None` at the end.
    fn token(&mut self) -> Result<Option<u8>, Error> {
        loop {
            let (length, lines) = scan::blank(self.input.rest());
            self.input.pass(length, lines);
            if let Some(b) = self.input.rest().as_bytes().first() {
                return Ok(Some(*b));
            }
            if !self.input.more()? {
                return Ok(None);
            }
        }
    }

    fn expect(&mut self, byte: u8, what: &'static str) -> Result<(), Error> {
        match self.token()? {
            Some(found) if found == byte => {
                self.input.pass(1, 0);
                Ok(())
            }
            Some(_) => Err(self.expected(what)),
            None => Err(self.input.error(Fault::Truncated("the document"))),
        }
    }

    fn expected(&self, expected: &'static str) -> Error {
        self.input.error(JsonFault::Expected { expected })
    }

    /// The length of the value that begins here, once all of it is in sight.
    fn value(&mut self) -> Result<usize, Error> {
        loop {
            match scan::value(self.input.rest(), self.input.is_last(), self.depth) {
                Value::Whole(0) => return Err(self.expected("a value")),
                Value::Whole(length) if length > self.limit => return Err(self.input.too_long()),
                Value::Whole(length) => return Ok(length),
                Value::TooDeep => return Err(self.input.error(JsonFault::TooDeep { limit: self.depth })),
                Value::More if self.input.more()? => {}
                // A number or a word at the very end: the next scan knows that it is the last.
                Value::More if self.input.is_last() && self.ends_bare() => {}
                Value::More => return Err(self.input.error(Fault::Truncated("a value"))),
            }
        }
    }

    /// What is left is one value without brackets or quotes.
    fn ends_bare(&self) -> bool {
        matches!(scan::value(self.input.rest(), true, self.depth), Value::Whole(_))
    }

    /// Reads and passes a value that is no record.
    fn read_value<T: for<'de> serde::Deserialize<'de>>(&mut self) -> Result<T, Error> {
        let length = self.value()?;
        let text = self.input.rest().get(..length).unwrap_or_default();
        let read = serde_json::from_str(text).map_err(|_| self.expected("valid JSON"))?;
        let lines = scan::lines(text);
        self.input.pass(length, lines);
        Ok(read)
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        let next = self.token()?;
        match next {
            Some(b']') => {
                self.input.pass(1, 0);
                self.go_up()?;
                return Ok(None);
            }
            Some(_) if self.is_first => {}
            Some(b',') => {
                self.expect(b',', "a comma")?;
                if self.token()? == Some(b']') {
                    return Err(self.expected("another record"));
                }
            }
            Some(_) => return Err(self.expected("a comma or the end of the array")),
            None => return Err(self.input.error(Fault::Truncated("the array"))),
        }
        self.is_first = false;
        self.token()?;
        let length = self.value()?;
        let place = Place { row: self.input.count(), ..self.input.place() };
        let lines = scan::lines(self.input.rest().get(..length).unwrap_or_default());
        self.input.pass(length, lines);
        self.input.mark();
        let text = self.input.passed(length);
        super::check(text, place, false)?;
        Ok(Some(Record { place, body: Body::Json(text) }))
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let known = if self.is_bundle { vec![IS_BUNDLE.to_owned()] } else { Vec::new() };
        Checkpoint { place: self.input.marked(), memory: Memory::Envelope(self.input.charset(), known) }
    }
}
