//! One segment of a message, and the trait of its typed views.

use std::fmt;

use crate::{
    location::{Location, SegmentName},
    message::{MSH, Message},
    value::{Field, Path},
};

/// A segment. Cheap to copy; `Debug` prints its place and size, never content.
#[derive(Clone, Copy)]
pub struct Segment<'m> {
    message: &'m Message<'m>,
    position: u32,
    name: SegmentName,
}

impl<'m> Segment<'m> {
    #[inline]
    pub(crate) fn new(message: &'m Message<'m>, position: usize) -> Self {
        let start = message.index().segments[position].start as usize;
        let name = SegmentName::at_start(&message.text().as_bytes()[start..]).unwrap_or(MSH);
        // Positions are fewer than bytes, and those fit 32 bits.
        Self { message, position: u32::try_from(position).unwrap_or(u32::MAX), name }
    }

    /// Its name, for example `PID`.
    pub fn name(self) -> SegmentName {
        self.name
    }

    /// The segment as it came, without its line break.
    pub fn raw(self) -> &'m str {
        let span = self.message.index().segments[self.position()];
        &self.message.text()[span.start as usize..span.end as usize]
    }

    /// The message it belongs to.
    pub fn message(self) -> &'m Message<'m> {
        self.message
    }

    /// Its 0-based position in the message.
    pub fn position(self) -> usize {
        self.position as usize
    }

    /// Its place, for example `OBX[3]`. The first call on a message counts the occurrences of all its
    /// segments.
    pub fn location(self) -> Location {
        self.message.locate(self.position())
    }

    /// Number of the last field written, empty or not. MSH-1 and MSH-2 count.
    pub fn field_count(self) -> usize {
        self.starts().len() + usize::from(self.is_header())
    }

    /// Field `n`, from 1 on; 0 is the segment name. A field that is not there is empty.
    ///
    /// In MSH field 1 is the field separator itself and field 2 the encoding characters; they are never cut
    /// and never decoded.
    #[inline]
    pub fn field(self, n: u32) -> Field<'m> {
        let span = self.message.index().segments[self.position()];
        let header = self.is_header();
        let (start, end) = match n {
            0 => (span.start, span.start + 3),
            1 if header => (span.start + 3, span.start + 4),
            _ => {
                let at = n as usize - 1 - usize::from(header);
                let starts = self.starts();
                let end = starts.get(at + 1).map_or(span.end, |next| *next - 1);
                starts.get(at).map_or((span.end, span.end), |start| (*start, end))
            }
        };
        Field::new(self.message, start, end, Path::field(self.position, n))
    }

    /// MSH, which is first and only there: its separator counts as a field.
    fn is_header(self) -> bool {
        self.position == 0
    }

    /// All fields from 1 on, empty ones too.
    pub fn fields(self) -> impl DoubleEndedIterator<Item = Field<'m>> + Clone {
        // A segment has fewer fields than bytes, and those fit 32 bits.
        (1..=u32::try_from(self.field_count()).unwrap_or(u32::MAX)).map(move |n| self.field(n))
    }

    /// This segment as a typed view, when it has that name.
    pub fn view<S: SegmentView<'m>>(self) -> Option<S> {
        S::of(self)
    }

    /// Where its fields begin in the text.
    #[inline]
    fn starts(self) -> &'m [u32] {
        let index = self.message.index();
        let first = index.segments[self.position()].position as usize;
        let next =
            index.segments.get(self.position() + 1).map_or(index.fields.len(), |s| s.position as usize);
        &index.fields[first..next]
    }
}

impl fmt::Debug for Segment<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} fields", self.location(), self.field_count())
    }
}

/// A typed view of the segments of one name: a name and a type for each field.
pub trait SegmentView<'m>: Copy + Sized {
    /// The name of the segments it views.
    const NAME: SegmentName;

    /// Views `segment`, when it has that name.
    fn of(segment: Segment<'m>) -> Option<Self>;

    /// The segment behind the view: fields it does not name, its place, its raw text.
    fn segment(self) -> Segment<'m>;
}
