//! XML 1.0: the elements at a path become JSON, one after the other.
//!
//! quick-xml reads events; nothing is fetched, declared or expanded. An element becomes
//! * its text, when it has neither attributes nor elements in it;
//! * an object otherwise: `@name` for attributes, `#text` for text between elements, and the elements by name, as a
//!   list where a name comes more than once. The record itself is always an object.
//!
//! Prefixes of namespaces are left out, and so are the attributes that declare them.

mod element;
mod source;

use std::io::Read;

use bridge_core::feed::Charset;
use quick_xml::{Reader, events::Event};

use crate::{
    charset,
    error::{Error, Fault, XmlFault},
    input::Input,
    limits::Limits,
    place::{Checkpoint, Memory, Place},
    record::{Body, Record},
};
use element::Element;
use source::Source;

/// The elements at a path.
pub(crate) struct Elements<R: Read> {
    reader: Reader<Source<R>>,
    path: Vec<String>,
    /// How many elements of the path are open.
    open: usize,
    /// The names of what is open that is not on the path.
    aside: usize,
    root_seen: bool,
    buffer: Vec<u8>,
    json: String,
    limits: Limits,
}

impl<R: Read> Elements<R> {
    pub(crate) fn open(source: R, charset: Charset, path: &str, limits: Limits) -> Result<Self, Error> {
        let input = Input::open(source, charset, declared, limits.record_bytes)?;
        Ok(Self::new(input, path, 0, limits))
    }

    pub(crate) fn resume(source: R, checkpoint: &Checkpoint, path: &str, limits: Limits) -> Self {
        let charset = checkpoint.memory.charset();
        let input = Input::resume(source, charset, checkpoint.place, limits.record_bytes);
        let open = match checkpoint.place.row {
            0 => 0,
            _ => path.split('/').filter(|step| !step.is_empty()).count().saturating_sub(1),
        };
        Self::new(input, path, open, limits)
    }

    fn new(mut input: Input<R>, path: &str, open: usize, limits: Limits) -> Self {
        input.mark();
        let mut reader = Reader::from_reader(Source::new(input, limits.record_bytes));
        let config = reader.config_mut();
        // After a checkpoint, elements end that this reader has not seen begin. Names are compared here.
        config.allow_unmatched_ends = true;
        config.check_end_names = true;
        config.expand_empty_elements = true;
        let path = path.split('/').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        Self {
            reader,
            path,
            open,
            aside: 0,
            root_seen: open > 0,
            buffer: Vec::new(),
            json: String::new(),
            limits,
        }
    }

    fn input(&mut self) -> &mut Input<R> {
        self.reader.get_mut().input()
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        self.json.clear();
        self.reader.get_mut().begin();
        let Some(place) = self.find()? else { return Ok(None) };
        self.input().mark();
        Ok(Some(Record { place, body: Body::Json(&self.json) }))
    }

    /// Reads up to the end of the next record, and writes it to `json`. `None` at the end of the document.
    fn find(&mut self) -> Result<Option<Place>, Error> {
        loop {
            self.buffer.clear();
            let place = self.input().place();
            let event = self.reader.read_event_into(&mut self.buffer);
            let event = match event {
                Ok(event) => event,
                Err(error) => return Err(self.reader.get_mut().error(place, &error)),
            };
            let fault = |fault: XmlFault| Error::new(place, fault.into());
            match event {
                Event::Start(start) if self.aside > 0 => {
                    let _ = start;
                    self.aside += 1;
                    if self.aside + self.open > self.limits.depth {
                        return Err(fault(XmlFault::TooDeep { limit: self.limits.depth }));
                    }
                }
                Event::Start(start) => {
                    let is_step =
                        self.path.get(self.open).is_some_and(|step| *step == *start.local_name().as_ref());
                    if self.open == 0 && (self.root_seen || !is_step) {
                        let expected = self.path.first().cloned().unwrap_or_default();
                        return Err(fault(XmlFault::Root { expected }));
                    }
                    self.root_seen = true;
                    if !is_step {
                        self.aside = 1;
                        continue;
                    }
                    if self.open + 1 < self.path.len() {
                        self.open += 1;
                        continue;
                    }
                    let record = Element::begin(&start, self.limits.columns).map_err(fault)?;
                    let row = self.input().count();
                    let place = Place { row, ..place };
                    self.record(record, place)?;
                    return Ok(Some(place));
                }
                Event::End(_) if self.aside > 0 => self.aside -= 1,
                Event::End(end) => {
                    let step = self.open.checked_sub(1).and_then(|last| self.path.get(last));
                    if step.is_none_or(|step| *step != *end.local_name().as_ref()) {
                        return Err(fault(XmlFault::NotWellFormed(
                            "an end tag does not match its start tag",
                        )));
                    }
                    self.open -= 1;
                }
                Event::Eof if self.open > 0 || self.aside > 0 || !self.root_seen => {
                    return Err(Error::new(place, Fault::Truncated("the document")));
                }
                Event::Eof => return Ok(None),
                Event::DocType(_) => return Err(fault(XmlFault::Doctype)),
                // Between records: nothing of it is anybody's.
                Event::GeneralRef(name) => {
                    element::resolve(&name).map_err(fault)?;
                }
                Event::Text(_) | Event::CData(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
                Event::Empty(_) => {}
            }
        }
    }

    /// Reads the record whose start tag has been read.
    fn record(&mut self, record: Element, place: Place) -> Result<(), Error> {
        let mut open = vec![record];
        let fault = |fault: XmlFault| Error::new(place, fault.into());
        loop {
            self.buffer.clear();
            let at = self.input().place();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => {
                    return Err(self.reader.get_mut().error(Place { row: place.row, ..at }, &error));
                }
            };
            let Some(innermost) = open.last_mut() else { return Ok(()) };
            match event {
                Event::Start(start) => {
                    let element = Element::begin(&start, self.limits.columns).map_err(fault)?;
                    open.push(element);
                    if open.len() > self.limits.depth {
                        return Err(fault(XmlFault::TooDeep { limit: self.limits.depth }));
                    }
                }
                Event::End(_) => {
                    let Some(ended) = open.pop() else { return Ok(()) };
                    match open.last_mut() {
                        Some(parent) => parent.take(ended, self.limits.columns).map_err(fault)?,
                        None => {
                            ended.write_object(&mut self.json);
                            return Ok(());
                        }
                    }
                }
                Event::Text(text) => innermost.text(&text.xml10_content()),
                Event::CData(text) => innermost.text(&text.xml10_content()),
                Event::GeneralRef(name) => innermost.character(element::resolve(&name).map_err(fault)?),
                Event::Eof => return Err(Error::new(place, Fault::Truncated("an element"))),
                Event::DocType(_) => return Err(fault(XmlFault::Doctype)),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Empty(_) => {}
            }
        }
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        let input = self.reader.get_ref().input_ref();
        Checkpoint { place: input.marked(), memory: Memory::Nothing(input.charset()) }
    }
}

/// The `encoding` of an XML declaration (XML 1.0 §2.8, §4.3.3).
fn declared(head: &[u8]) -> Result<Option<Charset>, Fault> {
    let Some(end) = memchr::memmem::find(head, b"?>").filter(|_| head.starts_with(b"<?xml")) else {
        return Ok(None);
    };
    let declaration = String::from_utf8_lossy(head.get(..end).unwrap_or_default()).into_owned();
    let Some((_, after)) = declaration.split_once("encoding") else { return Ok(None) };
    let value = after.trim_start().strip_prefix('=').map(str::trim_start).unwrap_or_default();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let name = quote.and_then(|quote| value.get(1..)?.split(quote).next());
    name.and_then(charset::named).map(Some).ok_or(Fault::DeclaredCharset)
}
