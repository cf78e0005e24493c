//! What stands in a segment: fields, their repetitions, and the parts of those.
//!
//! Nothing is cut or decoded before it is asked for, and reading allocates only to replace escape sequences.

use std::{borrow::Cow, fmt, ops::Range};

use crate::{
    error::Error,
    escape,
    location::Location,
    message::Message,
    scan::find,
    time::{Dtm, Tm},
};

/// Where a value stands; 0 means "not that deep". Small, because values are copied at every step: numbers
/// above 65,535 are kept as 65,535, which only a printed place can show.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    segment: u32,
    field: u16,
    repetition: u16,
    component: u16,
    subcomponent: u16,
}

impl Path {
    pub(crate) fn field(segment: u32, field: u32) -> Self {
        Self { segment, field: narrow(field), repetition: 0, component: 0, subcomponent: 0 }
    }
}

fn narrow(n: u32) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// A field: one value, or several separated by the repetition separator.
#[derive(Clone, Copy)]
pub struct Field<'m>(Value<'m>);

impl<'m> Field<'m> {
    /// Bytes `start..end` of the message's text.
    #[inline]
    pub(crate) fn new(message: &'m Message<'m>, start: u32, end: u32, path: Path) -> Self {
        Self(Value { message, start, end, path })
    }

    /// The field as it came: separators and escapes untouched.
    #[inline]
    pub fn raw(self) -> &'m str {
        self.0.raw()
    }

    /// The whole field with its escapes decoded and its separators as they are.
    pub fn text(self) -> Cow<'m, str> {
        self.0.text()
    }

    /// Nothing stands there: the sender says nothing about this field.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
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

/// A piece of a field: a repetition, a component or a subcomponent. Cheap to copy; it knows its place.
/// `Debug` prints place and size, never content.
///
/// A repetition's parts are components, a component's parts are subcomponents, so a data type reads the same
/// wherever it stands: HD is three components in MSH-3 and three subcomponents in CX-4. What has no separator
/// in it is its own first part.
#[derive(Clone, Copy)]
pub struct Value<'m> {
    message: &'m Message<'m>,
    /// Its bytes in the text of the message.
    start: u32,
    end: u32,
    path: Path,
}

impl<'m> Value<'m> {
    /// The value as it came: separators and escapes untouched.
    #[inline]
    pub fn raw(self) -> &'m str {
        &self.message.text()[self.start as usize..self.end as usize]
    }

    /// The value with its escape sequences (v2.5.1 §2.7) decoded. `""` reads as itself, and separators of
    /// lower levels stay as they are: right for text whose sender did not escape them.
    ///
    /// | sequence | becomes |
    /// |---|---|
    /// | `\F\ \S\ \T\ \R\ \E\ \P\` | the field, component, subcomponent, repetition, escape and truncation character |
    /// | `\Xdd..\` | the bytes of these hexadecimal digits, read in the message's character set |
    /// | `\.br\ \.ce\ \.sp<n>\` | a line break, `n` of them for `.sp` |
    /// | `\.sk<n>\` | `n` spaces |
    /// | `\H\ \N\ \.in..\ \.ti..\ \.fi\ \.nf\` | nothing: they only set how text looks |
    /// | `\Z..\ \C..\ \M..\` and hexadecimal that is no text | itself |
    ///
    /// An escape character that begins none of these is taken as text (`C:\temp`).
    pub fn text(self) -> Cow<'m, str> {
        if self.is_literal() {
            return Cow::Borrowed(self.raw());
        }
        escape::decode(self.raw(), self.message.delimiters(), self.message.charset())
    }

    /// Its text, when it is neither empty nor null.
    pub fn content(self) -> Option<Cow<'m, str>> {
        (!self.is_empty() && !self.is_null()).then(|| self.text())
    }

    /// Nothing stands there: the sender says nothing about this value.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// It is `""`: the sender says to remove the value (v2.5.1 §2.5.3).
    #[inline]
    pub fn is_null(self) -> bool {
        // Most values are told by their length alone.
        self.end - self.start == 2 && self.raw() == "\"\""
    }

    /// Part `n` from 1 on: a component of a repetition, a subcomponent of a component. Empty when there is
    /// none.
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
            _ => Self { start: self.end, ..self },
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
        let some = |n: u16| (n > 0).then_some(u32::from(n));
        let at = self.message.locate(self.path.segment as usize);
        Location {
            field: some(self.path.field),
            repetition: some(self.path.repetition),
            component: some(self.path.component),
            subcomponent: some(self.path.subcomponent),
            ..at
        }
    }

    /// The date or time stamp that stands here (DT, DTM, or TS with its legacy second component); `None` when
    /// it is empty or null.
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

    /// The whole number that stands here (SI, or NM without a fraction), sign allowed; `None` when it is
    /// none.
    pub fn integer(self) -> Option<i64> {
        self.raw().trim().parse().ok()
    }

    /// Its bytes in [`Message::text`].
    pub fn span(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// MSH-1 and MSH-2 hold the delimiters and are not cut by them.
    fn is_literal(self) -> bool {
        self.path.segment == 0 && self.path.field <= 2
    }

    #[inline]
    fn depth(self) -> Depth {
        match self.path {
            Path { subcomponent: 1.., .. } => Depth::Subcomponent,
            Path { component: 1.., .. } => Depth::Component,
            Path { repetition: 1.., .. } => Depth::Repetition,
            _ => Depth::Field,
        }
    }

    /// What cuts this value into the pieces one level down.
    #[inline]
    fn separator(self) -> Option<u8> {
        let delimiters = self.message.delimiters();
        match self.depth() {
            _ if self.is_literal() => None,
            Depth::Field => delimiters.repetition,
            Depth::Repetition => Some(delimiters.component),
            Depth::Component => delimiters.subcomponent,
            Depth::Subcomponent => None,
        }
    }

    /// The path of piece `n`, one level down.
    #[inline]
    fn path_of(self, n: u16) -> Path {
        match self.depth() {
            Depth::Field => Path { repetition: n, ..self.path },
            Depth::Repetition => Path { component: n, ..self.path },
            Depth::Component | Depth::Subcomponent => Path { subcomponent: n, ..self.path },
        }
    }

    fn piece(self, n: u32) -> Self {
        let path = self.path_of(narrow(n));
        let Some(separator) = self.separator().filter(|_| n > 0) else {
            let start = if n == 1 { self.start } else { self.end };
            return Self { start, path, ..self };
        };
        let mut start = self.start;
        for _ in 1..n {
            let Some(at) = self.find(separator, start) else { return Self { start: self.end, path, ..self } };
            start = at + 1;
        }
        Self { start, end: self.find(separator, start).unwrap_or(self.end), path, ..self }
    }

    /// The first `separator` from `start` on.
    #[inline]
    fn find(self, separator: u8, start: u32) -> Option<u32> {
        let bytes = &self.message.text().as_bytes()[start as usize..self.end as usize];
        // An offset in the text, and those fit 32 bits.
        find(separator, bytes).map(|at| start + at as u32)
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.location(), self.end - self.start)
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
    /// What is left of the whole.
    rest: Value<'m>,
    separator: Option<u8>,
    /// The last piece has been given.
    done: bool,
    number: u16,
}

impl<'m> Pieces<'m> {
    #[inline]
    fn new(whole: Value<'m>) -> Self {
        Self { rest: whole, separator: whole.separator(), done: false, number: 0 }
    }
}

impl<'m> Iterator for Pieces<'m> {
    type Item = Value<'m>;

    #[inline]
    fn next(&mut self) -> Option<Value<'m>> {
        if self.done {
            return None;
        }
        self.number = self.number.saturating_add(1);
        let rest = self.rest;
        let cut = self.separator.and_then(|separator| rest.find(separator, rest.start));
        match cut {
            Some(at) => self.rest.start = at + 1,
            None => self.done = true,
        }
        Some(Value { end: cut.unwrap_or(rest.end), path: rest.path_of(self.number), ..rest })
    }
}

impl std::iter::FusedIterator for Pieces<'_> {}
