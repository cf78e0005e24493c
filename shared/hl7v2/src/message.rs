//! A message and the index over it: where its segments and fields begin. Nothing deeper is cut before it is
//! asked for.

mod index;

use std::{borrow::Cow, collections::HashMap, fmt, ops::Range, sync::OnceLock};

use self::index::Index;
pub(crate) use self::index::Span;
use crate::{
    charset::{Charset, Reading},
    delimiters::Delimiters,
    error::{Error, Instead},
    location::{Location, SegmentName},
    segment::{Segment, SegmentView},
    value::Value,
};

/// The header every message begins with.
pub(crate) const MSH: SegmentName = SegmentName::literal(*b"MSH");

/// A parsed message. It borrows the bytes it was parsed from; only a message in another character set than
/// ASCII or UTF-8 is copied, once, to be text.
///
/// Parsing is one pass and two allocations, however many fields there are. `Debug` prints the shape, never
/// content.
///
/// # Line breaks
/// CR, LF and CRLF end a segment. A segment begins with its name (three upper-case letters or digits, blanks may stand
/// before it) and the field separator, or is its name alone. A line that does not begin so is one of two things:
///
/// * **text the sender broke without an escape**, when it follows a field of OBX or NTE, or any field when the
///   break is a bare LF in a message whose segments end with CR. It stays in the field it stands in, line break
///   and all. There a name alone is a word of the text, unless a bare CR sets it off.
/// * **a stray** otherwise: kept out of every segment, listed by [`Message::strays`].
pub struct Message<'a> {
    source: &'a [u8],
    /// Where the text lies in `source`: what is before and after is framing and blank.
    body: Range<usize>,
    text: Cow<'a, str>,
    charset: Charset,
    delimiters: Delimiters,
    index: Index,
    /// Which of its name each segment is; counted when the first place is asked for.
    occurrences: OnceLock<Box<[u32]>>,
}

impl<'a> Message<'a> {
    /// Parses one message, its character set read as the default [`Reading`] says.
    ///
    /// Before MSH a byte order mark, blanks and an MLLP start byte are passed over, after the last segment
    /// blanks and MLLP end bytes.
    ///
    /// # Errors
    /// When there is no MSH at the front, its delimiters cannot be used, there is a second MSH, or the bytes
    /// are not valid in their character set. Nothing else is refused: segments may be truncated, reordered
    /// and unknown.
    pub fn parse<B: AsRef<[u8]> + ?Sized>(bytes: &'a B) -> Result<Self, Error> {
        Self::parse_as(bytes, Reading::default())
    }

    /// Parses one message, its character set read as `reading` says.
    ///
    /// # Errors
    /// See [`Message::parse`].
    pub fn parse_as<B: AsRef<[u8]> + ?Sized>(bytes: &'a B, reading: Reading) -> Result<Self, Error> {
        let source = bytes.as_ref();
        let body = body(source);
        let message = &source[body.clone()];
        check_header(message, body.start)?;
        let delimiters = Delimiters::of_header("MSH", message)?;
        let (text, charset) = reading.decode(message)?;
        if u32::try_from(text.len()).is_err() {
            return Err(Error::TooLarge { size: text.len() });
        }
        let index = Index::of(text.as_bytes(), delimiters.field)?;
        let occurrences = OnceLock::new();
        let mut parsed = Self { source, body, text, charset: Charset::Utf8, delimiters, index, occurrences };
        parsed.charset =
            charset.unwrap_or_else(|| reading.of_ascii(parsed.header().field(18).repetition(1).raw()));
        Ok(parsed)
    }

    /// The bytes the message was parsed from, all of them.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.source
    }

    /// The message as text, from MSH on, escapes untouched. [`Value::span`] counts in it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The character set the message was read in.
    pub fn charset(&self) -> Charset {
        self.charset
    }

    /// MSH-1 and MSH-2.
    pub fn delimiters(&self) -> &Delimiters {
        &self.delimiters
    }

    /// The MSH segment, which every message has.
    pub fn header(&self) -> Segment<'_> {
        Segment::new(self, 0)
    }

    /// All segments in the order they came.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Segment<'_>> + ExactSizeIterator + Clone {
        (0..self.segment_count()).map(|i| Segment::new(self, i))
    }

    /// How many segments there are.
    pub fn segment_count(&self) -> usize {
        self.index.segments.len()
    }

    /// The segment at a 0-based position in the message.
    pub fn segment(&self, position: usize) -> Option<Segment<'_>> {
        (position < self.segment_count()).then(|| Segment::new(self, position))
    }

    /// The segments of one name, for example `OBX`.
    pub fn named<'m>(&'m self, name: &str) -> impl Iterator<Item = Segment<'m>> + Clone + use<'m, 'a> {
        let name = SegmentName::new(name);
        self.segments().filter(move |s| Some(s.name()) == name)
    }

    /// The first segment of a kind, typed: `message.first::<Pid>()`.
    pub fn first<'m, S: SegmentView<'m>>(&'m self) -> Option<S> {
        self.all().next()
    }

    /// All segments of a kind, typed: `message.all::<Obx>()`.
    pub fn all<'m, S: SegmentView<'m>>(&'m self) -> impl Iterator<Item = S> + use<'m, 'a, S> {
        self.segments().filter_map(S::of)
    }

    /// What stands at a place; `None` when there is no such segment or the place names a segment only. A
    /// place that names no repetition means the first one.
    pub fn at(&self, place: &Location) -> Option<Value<'_>> {
        let nth = usize::try_from(place.occurrence).ok()?.checked_sub(1)?;
        let segment = self.segments().filter(|s| s.name() == place.segment).nth(nth)?;
        let repetition = segment.field(place.field?).repetition(place.repetition.unwrap_or(1));
        let Some(component) = place.component else { return Some(repetition) };
        let component = repetition.component(component);
        Some(place.subcomponent.map_or(component, |n| component.subcomponent(n)))
    }

    /// Lines that are no segment and belong to none, in the order they came.
    pub fn strays(&self) -> impl ExactSizeIterator<Item = Stray<'_>> + Clone {
        self.index.strays.iter().map(|s| Stray {
            raw: &self.text[s.start as usize..s.end as usize],
            position: s.position as usize,
        })
    }

    /// The name and the 1-based occurrence of a segment.
    pub(crate) fn locate(&self, position: usize) -> Location {
        let counted = self.occurrences.get_or_init(|| {
            let mut seen = HashMap::new();
            let count = |s: Segment<'_>| *seen.entry(s.name()).and_modify(|n| *n += 1).or_insert(1_u32);
            self.segments().map(count).collect()
        });
        Location::segment(Segment::new(self, position).name(), counted.get(position).copied().unwrap_or(1))
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }

    /// What stands in the source before and after the text.
    pub(crate) fn around(&self) -> (&'a [u8], &'a [u8]) {
        (&self.source[..self.body.start], &self.source[self.body.end..])
    }
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("bytes", &self.source.len())
            .field("charset", &self.charset)
            .field("segments", &self.segments().map(Segment::name).collect::<Vec<_>>())
            .field("strays", &self.index.strays.len())
            .finish()
    }
}

/// A line that is no segment.
#[derive(Clone, Copy)]
pub struct Stray<'m> {
    raw: &'m str,
    position: usize,
}

impl<'m> Stray<'m> {
    /// The line as it came.
    pub fn raw(&self) -> &'m str {
        self.raw
    }

    /// How many segments stand before it.
    pub fn position(&self) -> usize {
        self.position
    }
}

impl fmt::Debug for Stray<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stray line of {} bytes after segment {}", self.raw.len(), self.position)
    }
}

/// The message without what transports leave around it.
fn body(source: &[u8]) -> Range<usize> {
    const BOM: &[u8] = b"\xef\xbb\xbf";
    const START: u8 = 0x0b;
    const END: u8 = 0x1c;
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | &START);
    let mut start = if source.starts_with(BOM) { BOM.len() } else { 0 };
    start += source[start..].iter().take_while(|b| blank(b)).count();
    if source[start..].starts_with(BOM) {
        start += BOM.len();
    }
    // Blanks after the last segment matter to nobody, but trailing spaces in front of them may be data.
    let trailing =
        source[start..].iter().rev().take_while(|b| matches!(**b, b'\r' | b'\n' | END | 0)).count();
    start..source.len() - trailing
}

fn check_header(message: &[u8], offset: usize) -> Result<(), Error> {
    let found = match SegmentName::at_start(message) {
        Some(name) if name == MSH => return Ok(()),
        Some(name) if name.is_header() => Instead::Batch,
        Some(_) => Instead::OtherSegment,
        None if message.is_empty() => Instead::Nothing,
        None => Instead::NoSegment,
    };
    Err(Error::NoHeader { found, offset })
}
