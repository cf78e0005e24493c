//! One JSON object a line: NDJSON, and the bulk data of FHIR (HL7 FHIR Bulk Data Access 2.0.0 §3.2).

use std::io::Read;

use bridge_core::feed::Charset;

use crate::{
    error::{Error, JsonFault},
    input::{Input, declares_nothing},
    limits::Limits,
    place::{Checkpoint, Memory, Place},
    record::{Body, Record},
};

/// Lines that are JSON objects. Blank lines are passed over.
pub(crate) struct Lines<R> {
    input: Input<R>,
    is_fhir: bool,
    depth: usize,
}

impl<R: Read> Lines<R> {
    pub(crate) fn open(source: R, charset: Charset, is_fhir: bool, limits: Limits) -> Result<Self, Error> {
        let mut input = Input::open(source, charset, declares_nothing, limits.record_bytes)?;
        input.mark();
        Ok(Self { input, is_fhir, depth: limits.depth })
    }

    pub(crate) fn resume(source: R, checkpoint: &Checkpoint, is_fhir: bool, limits: Limits) -> Self {
        let charset = checkpoint.memory.charset();
        let input = Input::resume(source, charset, checkpoint.place, limits.record_bytes);
        Self { input, is_fhir, depth: limits.depth }
    }

    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        let Some((place, length, whole)) = self.input.next_line()? else { return Ok(None) };
        let place = Place { row: self.input.count(), ..place };
        self.input.mark();
        let line = self.input.passed(whole).get(..length).unwrap_or_default();
        let indent = super::scan::blank(line).0;
        let text = line.get(indent..).unwrap_or_default().trim_end_matches([' ', '\t']);
        if super::scan::value(text, true, self.depth) == super::scan::Value::TooDeep {
            return Err(Error::new(place, JsonFault::RecordTooDeep { limit: self.depth }.into()));
        }
        super::check(text, place, self.is_fhir)?;
        Ok(Some(Record { place, body: Body::Json(text) }))
    }

    pub(crate) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { place: self.input.marked(), memory: Memory::Nothing(self.input.charset()) }
    }
}
