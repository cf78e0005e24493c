//! Changed messages: what was parsed, with some values replaced and segments added or removed.

use std::{borrow::Cow, ops::Range};

use super::{Content, SegmentBuilder, builder::encode};
use crate::{
    delimiters::Delimiters,
    error::{Error, WriteFault},
    location::{Location, SegmentName},
    message::{MSH, Message},
};

/// Changes to a parsed message. What is not changed comes out byte for byte as it came in: line breaks,
/// strays, trailing separators, framing left around the message and all.
///
/// ```
/// use bridge_hl7v2::{Message, write::Editor};
///
/// let message = Message::parse("MSH|^~\\&|A\nPID|1||4711|\n")?;
/// let mut edit = Editor::new(&message);
/// edit.set(&"PID-3[2].4".parse()?, "NORTH")?;
/// assert_eq!(edit.finish()?, b"MSH|^~\\&|A\nPID|1||4711~^^^NORTH|\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Editor<'m> {
    message: &'m Message<'m>,
    lines: Vec<Line<'m>>,
}

/// A segment and what stands between it and the next one: its line break, blank lines, strays.
struct Line<'m> {
    name: SegmentName,
    text: Cow<'m, str>,
    gap: Cow<'m, str>,
}

impl<'m> Editor<'m> {
    /// Begins with the message as it is.
    pub fn new(message: &'m Message<'m>) -> Self {
        let spans = &message.index().segments;
        let ends = spans.iter().skip(1).map(|s| s.start as usize).chain([message.text().len()]);
        let line = |(span, next): (&crate::message::Span, usize)| {
            let (start, end) = (span.start as usize, span.end as usize);
            let text = &message.text()[start..end];
            let name = SegmentName::at_start(text.as_bytes()).unwrap_or(MSH);
            Line { name, text: text.into(), gap: message.text()[end..next].into() }
        };
        Self { message, lines: spans.iter().zip(ends).map(line).collect() }
    }

    /// Puts `content` at a place, in the stead of all that stood there. Separators before it are added as
    /// needed. A field without a repetition means the whole field.
    ///
    /// # Errors
    /// [`Error::Write`] when there is no such segment, the place names a segment only or one of the delimiter
    /// fields, or the content cannot be written with the message's delimiters.
    pub fn set<'c>(&mut self, place: &Location, content: impl Into<Content<'c>>) -> Result<&mut Self, Error> {
        let delimiters = *self.message.delimiters();
        let mut written = String::new();
        content.into().write(&mut written, &delimiters, *place)?;
        let line = self.line(place)?;
        let mut text = line.text.to_string();
        let range = make_room(&mut text, line.name == MSH, place, &delimiters)?;
        text.replace_range(range, &written);
        line.text = text.into();
        Ok(self)
    }

    /// Removes a segment and its line break. What else stood behind it, such as strays, stays.
    ///
    /// # Errors
    /// [`Error::Write`] when there is no such segment, or it is MSH.
    pub fn remove(&mut self, place: &Location) -> Result<&mut Self, Error> {
        let at = self.position(place)?;
        if at == 0 {
            return Err(Error::Write { location: *place, fault: WriteFault::Header });
        }
        let removed = self.lines.remove(at);
        let rest =
            removed.gap.strip_prefix("\r\n").or_else(|| removed.gap.strip_prefix(['\r', '\n'])).unwrap_or("");
        self.lines[at - 1].gap.to_mut().push_str(rest);
        Ok(self)
    }

    /// Inserts a segment behind another one.
    ///
    /// # Errors
    /// [`Error::Write`] when there is no such segment, the new one is an MSH, or it cannot be written with
    /// the message's delimiters.
    pub fn insert_after(
        &mut self,
        place: &Location,
        segment: &SegmentBuilder<'_>,
    ) -> Result<&mut Self, Error> {
        let at = self.position(place)?;
        let name = segment.name();
        let before = self.lines[..=at].iter().filter(|l| l.name == name).count();
        let new = Location::segment(name, u32::try_from(before + 1).unwrap_or(u32::MAX));
        if name == MSH {
            return Err(Error::Write { location: new, fault: WriteFault::SecondHeader });
        }
        let mut text = String::new();
        segment.write(&mut text, self.message.delimiters(), new)?;
        let line_break = self.line_break();
        let gap = std::mem::replace(&mut self.lines[at].gap, line_break.into());
        // The last segment of a message may stand without a line break; the new last one then does, too.
        self.lines.insert(at + 1, Line { name, text: text.into(), gap });
        Ok(self)
    }

    /// The bytes of the changed message, in the character set it was read in.
    ///
    /// # Errors
    /// [`Error::Write`] when new text holds a character that set does not have.
    pub fn finish(&self) -> Result<Vec<u8>, Error> {
        let mut text = String::with_capacity(self.message.text().len() + 64);
        for line in &self.lines {
            text.push_str(&line.text);
            text.push_str(&line.gap);
        }
        let (before, after) = self.message.around();
        Ok([before, &encode(text, self.message.charset())?, after].concat())
    }

    fn line(&mut self, place: &Location) -> Result<&mut Line<'m>, Error> {
        let at = self.position(place)?;
        Ok(&mut self.lines[at])
    }

    fn position(&self, place: &Location) -> Result<usize, Error> {
        let nth = usize::try_from(place.occurrence).ok().and_then(|n| n.checked_sub(1));
        let mut named = self.lines.iter().enumerate().filter(|(_, l)| l.name == place.segment);
        let found = nth.and_then(|n| named.nth(n));
        found.map(|(at, _)| at).ok_or(Error::Write { location: *place, fault: WriteFault::NoSuchSegment })
    }

    /// How this message ends its segments; CR when nothing shows it.
    fn line_break(&self) -> &'static str {
        match self.lines.first().map(|l| l.gap.as_bytes()) {
            Some([b'\r', b'\n', ..]) => "\r\n",
            Some([b'\n', ..]) => "\n",
            _ => "\r",
        }
    }
}

impl std::fmt::Debug for Editor<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.lines.iter().map(|l| l.name)).finish()
    }
}

/// The highest number a value can be written at: a mistyped place must not grow a message by gigabytes.
const MAX_NUMBER: u32 = 9_999;

/// The range of `place` in the text of its segment, after adding the separators it takes to have one.
fn make_room(
    text: &mut String,
    header: bool,
    place: &Location,
    delimiters: &Delimiters,
) -> Result<Range<usize>, Error> {
    let fault = |fault| Error::Write { location: *place, fault };
    let field = place.field.ok_or(fault(WriteFault::NotAPlace))?;
    let numbers = [place.field, place.repetition, place.component, place.subcomponent];
    if numbers.into_iter().flatten().any(|n| !(1..=MAX_NUMBER).contains(&n)) {
        return Err(fault(WriteFault::NotAPlace));
    }
    if header && field <= 2 {
        return Err(fault(WriteFault::Header));
    }
    let whole = 0..text.len();
    // Field n is piece n + 1 of the segment, as the name is the first; in MSH the separator itself is field
    // 1.
    let mut range = piece(text, whole, delimiters.field, if header { field } else { field + 1 });
    let levels = [
        (place.repetition, delimiters.repetition),
        (place.component, Some(delimiters.component)),
        (place.subcomponent, delimiters.subcomponent),
    ];
    for (n, separator) in levels {
        range = match (n, separator) {
            (None, _) => return Ok(range),
            (Some(1), None) => range,
            (Some(_), None) => return Err(fault(WriteFault::NoSeparator)),
            (Some(n), Some(separator)) => piece(text, range, separator, n),
        };
    }
    Ok(range)
}

/// The `n`-th, from 1 on, of the pieces that `separator` cuts `range` of `text` into.
fn piece(text: &mut String, range: Range<usize>, separator: u8, n: u32) -> Range<usize> {
    let mut start = range.start;
    let mut left = n - 1;
    for at in memchr::memchr_iter(separator, &text.as_bytes()[range.clone()]) {
        let at = range.start + at;
        if left == 0 {
            return start..at;
        }
        left -= 1;
        start = at + 1;
    }
    if left == 0 {
        return start..range.end;
    }
    let missing = String::from(char::from(separator)).repeat(left as usize);
    text.insert_str(range.end, &missing);
    let end = range.end + missing.len();
    end..end
}
