//! New messages.

use std::collections::HashMap;

use super::Content;
use crate::{
    charset::Charset,
    delimiters::Delimiters,
    error::{Error, WriteFault},
    location::{self, Location, SegmentName},
    message::MSH,
};

/// A message being written.
///
/// ```
/// use bridge_hl7v2::{SegmentView, segments::Pid, write::{Content, MessageBuilder}};
///
/// let mut message = MessageBuilder::default();
/// message.header().set(3, "BRIDGE").set(9, ["ADT", "A31"]).set(10, "77").set(11, "P").set(12, "2.5.1");
/// message
///     .add(Pid::NAME)
///     .set(1, "1")
///     .push(3, Content::default().with(1, "4711").with(4, "NORTH"))
///     .push(3, ["123", "", "", "STATE", "DL"])
///     .set(5, ["Testperson", "Una & Co"])
///     .set(19, Content::null());
/// let bytes = message.build()?;
/// assert_eq!(
///     bytes,
///     b"MSH|^~\\&|BRIDGE||||||ADT^A31|77|P|2.5.1\rPID|1||4711^^^NORTH~123^^^STATE^DL||Testperson^Una \\T\\ Co||||||||||||||\"\"\r"
/// );
/// # Ok::<(), bridge_hl7v2::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MessageBuilder<'a> {
    delimiters: Delimiters,
    charset: Charset,
    header: SegmentBuilder<'a>,
    segments: Vec<SegmentBuilder<'a>>,
}

impl Default for MessageBuilder<'_> {
    /// With the delimiters `|^~\&`, in UTF-8.
    fn default() -> Self {
        Self::new(Delimiters::STANDARD, Charset::Utf8)
    }
}

impl<'a> MessageBuilder<'a> {
    /// With MSH-1 and MSH-2 from `delimiters`, to be written in `charset`.
    pub fn new(delimiters: Delimiters, charset: Charset) -> Self {
        Self { delimiters, charset, header: SegmentBuilder::new(MSH), segments: Vec::new() }
    }

    /// The MSH segment. Its fields 1 and 2 are the delimiters and cannot be set. MSH-18 is filled in when the
    /// message is not ASCII and it was not set.
    pub fn header(&mut self) -> &mut SegmentBuilder<'a> {
        &mut self.header
    }

    /// Adds a segment at the end.
    pub fn add(&mut self, name: SegmentName) -> &mut SegmentBuilder<'a> {
        self.append(SegmentBuilder::new(name))
    }

    /// Adds a segment that was built apart.
    pub fn append(&mut self, segment: SegmentBuilder<'a>) -> &mut SegmentBuilder<'a> {
        let at = self.segments.len();
        self.segments.push(segment);
        &mut self.segments[at]
    }

    /// The bytes of the message; every segment, the last one too, ends with CR.
    ///
    /// # Errors
    /// [`Error::Write`] with the place of what cannot be written: a second MSH, a character the character set
    /// lacks, or one that needs a delimiter the message does not have.
    pub fn build(&self) -> Result<Vec<u8>, Error> {
        let mut text = String::with_capacity(256);
        let mut seen = HashMap::new();
        for segment in std::iter::once(&self.header).chain(&self.segments) {
            let occurrence = seen.entry(segment.name).and_modify(|n| *n += 1).or_insert(1_u32);
            let place = Location::segment(segment.name, *occurrence);
            if place == Location::segment(MSH, 2) {
                return Err(Error::Write { location: place, fault: WriteFault::SecondHeader });
            }
            segment.write(&mut text, &self.delimiters, place)?;
            text.push('\r');
        }
        if !text.is_ascii() && self.header.is_empty(18) {
            let mut declared = self.clone();
            declared.header.set(18, self.charset.msh18());
            return declared.build();
        }
        encode(text, self.charset)
    }
}

/// Text to bytes; text that came out of a decoder goes back to the bytes it came from.
pub(super) fn encode(text: String, charset: Charset) -> Result<Vec<u8>, Error> {
    match charset.encode(&text) {
        Ok(std::borrow::Cow::Borrowed(_)) => Ok(text.into_bytes()),
        Ok(std::borrow::Cow::Owned(bytes)) => Ok(bytes),
        Err(offset) => {
            let location = location::of_offset(text.as_bytes(), offset).unwrap_or(Location::segment(MSH, 1));
            Err(Error::Write { location, fault: WriteFault::NotInCharset(charset) })
        }
    }
}

/// A segment being written. Fields that are not set, and trailing empty ones, are left out.
#[derive(Debug, Clone)]
pub struct SegmentBuilder<'a> {
    name: SegmentName,
    /// Each field's repetitions, field 1 first.
    fields: Vec<Vec<Content<'a>>>,
}

impl<'a> SegmentBuilder<'a> {
    /// A segment without fields.
    pub fn new(name: SegmentName) -> Self {
        Self { name, fields: Vec::new() }
    }

    /// Its name.
    pub fn name(&self) -> SegmentName {
        self.name
    }

    /// Sets field `n`, counted from 1, to one repetition. Field 0 sets nothing; in MSH nor do 1 and 2.
    pub fn set(&mut self, n: usize, content: impl Into<Content<'a>>) -> &mut Self {
        if let Some(field) = self.field(n) {
            *field = vec![content.into()];
        }
        self
    }

    /// Adds a repetition to field `n`.
    pub fn push(&mut self, n: usize, content: impl Into<Content<'a>>) -> &mut Self {
        if let Some(field) = self.field(n) {
            field.push(content.into());
        }
        self
    }

    /// Whether field `n` would be written empty.
    pub fn is_empty(&self, n: usize) -> bool {
        let field = n.checked_sub(1).and_then(|at| self.fields.get(at));
        field.is_none_or(|repetitions| repetitions.iter().all(Content::is_empty))
    }

    fn field(&mut self, n: usize) -> Option<&mut Vec<Content<'a>>> {
        let at = n.checked_sub(1)?;
        if at < 2 && self.name == MSH {
            return None;
        }
        if self.fields.len() <= at {
            self.fields.resize_with(at + 1, Vec::new);
        }
        self.fields.get_mut(at)
    }

    /// Writes the segment without its line break.
    pub(crate) fn write(
        &self,
        out: &mut String,
        delimiters: &Delimiters,
        place: Location,
    ) -> Result<(), Error> {
        out.push_str(self.name.as_str());
        let mut skipped = 0;
        if self.name == MSH {
            out.push(delimiters.field());
            out.push_str(&delimiters.encoding_characters());
            skipped = 2;
        }
        let last = (1..=self.fields.len()).rev().find(|n| !self.is_empty(*n)).unwrap_or(0);
        for (n, repetitions) in (1_u32..).zip(&self.fields[..last]).skip(skipped) {
            out.push(delimiters.field());
            let written = repetitions.iter().rposition(|r| !r.is_empty()).map_or(0, |at| at + 1);
            for (r, content) in (1_u32..).zip(&repetitions[..written]) {
                let place = place.field(n).repetition(r);
                if r > 1 {
                    let fault = Error::Write { location: place, fault: WriteFault::NoSeparator };
                    out.push(delimiters.repetition.ok_or(fault)?.into());
                }
                content.write(out, delimiters, place)?;
            }
        }
        Ok(())
    }
}
