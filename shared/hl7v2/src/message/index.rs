//! The one pass over a message's bytes. Offsets are 32 bits wide: half the memory, and no message is 4 GiB.

use memchr::memchr3_iter;

use super::MSH;
use crate::{error::Error, location::SegmentName};

/// Where segments and fields begin and end.
pub(crate) struct Index {
    pub(crate) segments: Vec<Span>,
    /// Where each field begins: for all segments, one list.
    pub(crate) fields: Vec<u32>,
    pub(crate) strays: Vec<Span>,
}

/// A line: bytes `start..end`.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// For a segment, where its fields begin in [`Index::fields`]; for a stray, how many segments stand
    /// before it.
    pub(crate) position: u32,
}

impl Index {
    /// Indexes `text`, which begins with MSH and fits 32-bit offsets.
    pub(crate) fn of(text: &[u8], separator: u8) -> Result<Self, Error> {
        // One field in eight bytes is dense; a message with one large field should not reserve for many.
        let fields = Vec::with_capacity((text.len() / 8).clamp(32, 1 << 14));
        let segments = Vec::with_capacity((text.len() / 64).clamp(8, 1 << 12));
        let mut index = Self { segments, fields, strays: Vec::new() };
        let mut line = Line { start: 0, first: 0, name: Some(MSH) };
        let mut own_break = None;
        // Breaks before this offset belong to a run of breaks and blanks that has been dealt with.
        let mut seen = 0;
        for at in memchr3_iter(separator, b'\r', b'\n', text) {
            let found = text[at];
            if found == separator {
                index.fields.push(narrow(at + 1));
                continue;
            }
            if at < seen {
                continue;
            }
            let own_break = *own_break.get_or_insert(found);
            seen = at + text[at..].iter().take_while(|b| matches!(b, b'\r' | b'\n' | b' ' | b'\t')).count();
            if seen == text.len() {
                index.close(line, at);
                return Ok(index);
            }
            // The standard ends segments with CR and nothing else, so there a bare LF is data.
            let bare_lf = found == b'\n' && own_break == b'\r';
            let bare_cr = found == b'\r' && text.get(at + 1) != Some(&b'\n');
            let goes_on = line.first < index.fields.len() && (bare_lf || line.holds_text());
            let name = match head(text, seen, separator) {
                Head::Segment(name) => Some(name),
                Head::NameAlone(name) if bare_cr || !goes_on => Some(name),
                Head::NameAlone(_) | Head::Other if goes_on => continue,
                Head::NameAlone(_) | Head::Other => None,
            };
            index.close(line, at);
            if name == Some(MSH) {
                return Err(Error::SecondHeader { segment: index.segments.len() + 1 });
            }
            line = Line { start: seen, first: index.fields.len(), name };
        }
        index.close(line, text.len());
        Ok(index)
    }

    fn close(&mut self, line: Line, end: usize) {
        let span =
            |position| Span { start: narrow(line.start), end: narrow(end), position: narrow(position) };
        if line.name.is_some() {
            self.segments.push(span(line.first));
        } else {
            self.fields.truncate(line.first);
            self.strays.push(span(self.segments.len()));
        }
    }
}

/// The line being read.
#[derive(Clone, Copy)]
struct Line {
    start: usize,
    /// How many fields stand before it.
    first: usize,
    /// None for a stray.
    name: Option<SegmentName>,
}

impl Line {
    /// OBX and NTE carry free text, where a line without a segment name is text its sender did not escape.
    fn holds_text(&self) -> bool {
        self.name.is_some_and(|n| n == "OBX" || n == "NTE")
    }
}

/// What a line begins with.
enum Head {
    /// A segment name and the field separator.
    Segment(SegmentName),
    /// A segment name that is the whole line: a segment without fields, or a word in capitals.
    NameAlone(SegmentName),
    Other,
}

fn head(text: &[u8], at: usize, separator: u8) -> Head {
    let line = &text[at..];
    match (SegmentName::at_start(line), line.get(3)) {
        (Some(name), Some(b)) if *b == separator => Head::Segment(name),
        (Some(name), None | Some(b'\r' | b'\n')) => Head::NameAlone(name),
        _ => Head::Other,
    }
}

/// The caller has checked that the text fits.
#[expect(clippy::cast_possible_truncation, reason = "offsets of a text that fits 32-bit offsets")]
fn narrow(offset: usize) -> u32 {
    offset as u32
}
