//! What stands in a segment: fields, their repetitions, and the parts of those.
//!
//! Nothing is cut or decoded before it is asked for, and reading allocates only to replace escape sequences.

use std::{borrow::Cow, fmt, ops::Range};

use memchr::memchr_iter;

use crate::{
    error::Error,
    escape,
    location::Location,
    message::Message,
    time::{Dtm, Tm},
};

/// Where a value stands. 0 means "not that deep".
#[derive(Clone, Copy)]
pub(crate) struct Path {
    segment: usize,
    field: u32,
    repetition: u32,
    component: u32,
    subcomponent: u32,
}

impl Path {
    pub(crate) fn field(segment: usize, field: u32) -> Self {
        Self { segment, field, repetition: 0, component: 0, subcomponent: 0 }
    }
}

/// A field: one value, or several separated by the repetition separator.
#[derive(Clone, Copy)]
pub struct Field<'m>(Value<'m>);

impl<'m> Field<'m> {
    pub(crate) fn new(message: &'m Message<'m>, raw: &'m str, path: Path, literal: bool) -> Self {
        Self(Value { message, raw, path, literal })
    }

    /// The field as it came: separators and escapes untouched.
    pub fn raw(self) -> &'m str {
        self.0.raw
    }

    /// The whole field with its escapes decoded and its separators as they are.
    pub fn text(self) -> Cow<'m, str> {
        self.0.text()
    }

    /// Nothing stands there: the sender says nothing about this field.
    pub fn is_empty(self) -> bool {
        self.0.raw.is_empty()
    }

    /// It is `""`: the sender says to remove the value (v2.5.1 §2.5.3).
    pub fn is_null(self) -> bool {
        self.0.is_null()
    }

    /// Its repetitions, at least one, empty ones too.
    pub fn repetitions(self) -> Pieces<'m> {
        Pieces::new(self.0)
    }

    /// Repetition `n`, from 1 on; empty when there is none.
    pub fn repetition(self, n: u32) -> Value<'m> {
        self.0.piece(n)
    }

    /// The repetitions that are not empty. A null stays: it says something.
    pub fn filled(self) -> impl Iterator<Item = Value<'m>> + Clone {
        self.repetitions().filter(|v| !v.is_empty())
    }

    /// The first repetition that is not empty; for a field that holds one value.
    pub fn first(self) -> Value<'m> {
        self.filled().next().unwrap_or_else(|| self.repetition(1))
    }

    /// Component `n` of [`Field::first`].
    pub fn component(self, n: u32) -> Value<'m> {
        self.first().component(n)
    }

    /// Its place, for example `PID-3`.
    pub fn location(self) -> Location {
        self.0.location()
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A piece of a field: a repetition, a component or a subcomponent. Cheap to copy; it knows its place. `Debug` prints
/// place and size, never content.
///
/// A repetition's parts are components, a component's parts are subcomponents, so a data type reads the same
/// wherever it stands: HD is three components in MSH-3 and three subcomponents in CX-4. What has no separator in it
/// is its own first part.
#[derive(Clone, Copy)]
pub struct Value<'m> {
    message: &'m Message<'m>,
    raw: &'m str,
    path: Path,
    /// MSH-1 and MSH-2, which hold the delimiters and are not cut by them.
    literal: bool,
}

impl<'m> Value<'m> {
    /// The value as it came: separators and escapes untouched.
    pub fn raw(self) -> &'m str {
        self.raw
    }

    /// The value with its escapes decoded (see [`crate::escape`](mod@crate) for the sequences); `""` reads as itself.
    /// Separators of lower levels stay as they are: right for text whose sender did not escape them.
    pub fn text(self) -> Cow<'m, str> {
        if self.literal {
            return Cow::Borrowed(self.raw);
        }
        escape::decode(self.raw, self.message.delimiters(), self.message.charset())
    }

    /// Its text, when it is neither empty nor null.
    pub fn content(self) -> Option<Cow<'m, str>> {
        (!self.is_empty() && !self.is_null()).then(|| self.text())
    }

    /// Nothing stands there: the sender says nothing about this value.
    pub fn is_empty(self) -> bool {
        self.raw.is_empty()
    }

    /// It is `""`: the sender says to remove the value (v2.5.1 §2.5.3).
    pub fn is_null(self) -> bool {
        self.raw == "\"\""
    }

    /// Part `n` from 1 on: a component of a repetition, a subcomponent of a component. Empty when there is none.
    pub fn part(self, n: u32) -> Self {
        self.piece(n)
    }

    /// All its parts, at least one.
    pub fn parts(self) -> Pieces<'m> {
        Pieces::new(self)
    }

    /// Component `n`. A component is its own first component.
    pub fn component(self, n: u32) -> Self {
        match self.depth() {
            Depth::Repetition => self.piece(n),
            _ if n == 1 => self,
            _ => self.at(self.path, ""),
        }
    }

    /// Subcomponent `n`: of this component, or of the first component of a repetition.
    pub fn subcomponent(self, n: u32) -> Self {
        match self.depth() {
            Depth::Repetition => self.piece(1).piece(n),
            _ => self.piece(n),
        }
    }

    /// Its place, for example `PID-3[2].1.2`.
    pub fn location(self) -> Location {
        let some = |n: u32| (n > 0).then_some(n);
        let at = self.message.locate(self.path.segment);
        Location {
            field: some(self.path.field),
            repetition: some(self.path.repetition),
            component: some(self.path.component),
            subcomponent: some(self.path.subcomponent),
            ..at
        }
    }

    /// The date or time stamp that stands here (DT, DTM, or TS with its legacy second component); `None` when it is
    /// empty or null.
    ///
    /// # Errors
    /// [`Error::Time`] with the place and the part that is wrong.
    pub fn dtm(self) -> Result<Option<Dtm>, Error> {
        let stamp = self.part(1);
        let Some(text) = stamp.content() else { return Ok(None) };
        text.parse().map(Some).map_err(|fault| Error::Time { location: self.location(), fault })
    }

    /// The time of day that stands here (TM); `None` when it is empty or null.
    ///
    /// # Errors
    /// [`Error::Time`] with the place and the part that is wrong.
    pub fn tm(self) -> Result<Option<Tm>, Error> {
        let Some(text) = self.content() else { return Ok(None) };
        text.parse().map(Some).map_err(|fault| Error::Time { location: self.location(), fault })
    }

    /// The whole number that stands here (SI, or NM without a fraction), sign allowed; `None` when it is none.
    pub fn integer(self) -> Option<i64> {
        self.raw.trim().parse().ok()
    }

    /// Its bytes in [`Message::text`].
    pub fn span(self) -> Range<usize> {
        let start = self.raw.as_ptr().addr().saturating_sub(self.message.text().as_ptr().addr());
        start..start + self.raw.len()
    }

    fn depth(self) -> Depth {
        match self.path {
            Path { subcomponent: 1.., .. } => Depth::Subcomponent,
            Path { component: 1.., .. } => Depth::Component,
            Path { repetition: 1.., .. } => Depth::Repetition,
            _ => Depth::Field,
        }
    }

    /// What cuts this value into the pieces one level down.
    fn separator(self) -> Option<u8> {
        let delimiters = self.message.delimiters();
        match self.depth() {
            _ if self.literal => None,
            Depth::Field => delimiters.repetition,
            Depth::Repetition => Some(delimiters.component),
            Depth::Component => delimiters.subcomponent,
            Depth::Subcomponent => None,
        }
    }

    /// The path of piece `n`, one level down.
    fn path_of(self, n: u32) -> Path {
        match self.depth() {
            Depth::Field => Path { repetition: n, ..self.path },
            Depth::Repetition => Path { component: n, ..self.path },
            Depth::Component | Depth::Subcomponent => Path { subcomponent: n, ..self.path },
        }
    }

    fn piece(self, n: u32) -> Self {
        let raw = match (n, self.separator()) {
            (0, _) => "",
            (1, None) => self.raw,
            (_, None) => "",
            (_, Some(separator)) => {
                let mut start = 0;
                let mut left = n;
                let mut cuts = memchr_iter(separator, self.raw.as_bytes());
                loop {
                    let cut = cuts.next();
                    left -= 1;
                    match cut {
                        _ if left == 0 => break &self.raw[start..cut.unwrap_or(self.raw.len())],
                        Some(at) => start = at + 1,
                        None => break &self.raw[self.raw.len()..],
                    }
                }
            }
        };
        self.at(self.path_of(n), raw)
    }

    fn at(self, path: Path, raw: &'m str) -> Self {
        Self { path, raw, ..self }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.location(), self.raw.len())
    }
}

enum Depth {
    Field,
    Repetition,
    Component,
    Subcomponent,
}

/// The pieces of a field (its repetitions) or of a value (its parts), in order.
#[derive(Debug, Clone)]
pub struct Pieces<'m> {
    whole: Value<'m>,
    separator: Option<u8>,
    /// Where the next piece begins; `None` when the last one has been given.
    next: Option<usize>,
    number: u32,
}

impl<'m> Pieces<'m> {
    fn new(whole: Value<'m>) -> Self {
        Self { whole, separator: whole.separator(), next: Some(0), number: 0 }
    }
}

impl<'m> Iterator for Pieces<'m> {
    type Item = Value<'m>;

    fn next(&mut self) -> Option<Value<'m>> {
        let rest = &self.whole.raw[self.next?..];
        let cut = self.separator.and_then(|s| memchr::memchr(s, rest.as_bytes()));
        self.next = cut.and_then(|at| Some(self.next? + at + 1));
        self.number += 1;
        Some(self.whole.at(self.whole.path_of(self.number), &rest[..cut.unwrap_or(rest.len())]))
    }
}

impl std::iter::FusedIterator for Pieces<'_> {}
