//! What goes into a field: text, null, or parts of parts. Knows no delimiters until it is written.

use std::borrow::Cow;

use crate::{
    delimiters::Delimiters,
    error::{Error, WriteFault},
    escape,
    location::Location,
};

/// The content of one field repetition, component or subcomponent.
///
/// Text converts into it, and so does an array of contents, whose items are the components (of a field) or
/// the subcomponents (of a component):
///
/// ```
/// use bridge_hl7v2::write::Content;
///
/// let plain: Content<'_> = "Testperson".into();
/// let cx = Content::default().with(1, "4711").with(4, ["NORTH", "1.2.3", "ISO"]).with(5, "MR");
/// ```
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Content<'a>(Kind<'a>);

#[derive(Clone, PartialEq, Eq, Default)]
enum Kind<'a> {
    #[default]
    Empty,
    Null,
    Text(Cow<'a, str>),
    Raw(Cow<'a, str>),
    Parts(Vec<Content<'a>>),
}

impl<'a> Content<'a> {
    /// HL7 null, written `""`: the receiver is to remove the value.
    pub fn null() -> Self {
        Self(Kind::Null)
    }

    /// Text, escaped when it is written. Empty text writes nothing.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self(Kind::Text(text.into()))
    }

    /// What another message had, written as it is: only right between messages of the same delimiters.
    pub fn raw(raw: impl Into<Cow<'a, str>>) -> Self {
        Self(Kind::Raw(raw.into()))
    }

    /// The same with part `n`, counted from 1, set. Content that was no list of parts becomes part 1. Number
    /// 0 sets nothing.
    #[must_use]
    pub fn with(mut self, n: usize, part: impl Into<Content<'a>>) -> Self {
        self.set(n, part);
        self
    }

    /// Sets part `n`, as [`Content::with`] does.
    pub fn set(&mut self, n: usize, part: impl Into<Content<'a>>) {
        let part = part.into();
        let Some(at) = n.checked_sub(1) else { return };
        if !matches!(self.0, Kind::Parts(_)) {
            let first = std::mem::take(self);
            self.0 = Kind::Parts(if first.is_empty() { Vec::new() } else { vec![first] });
        }
        if let Kind::Parts(parts) = &mut self.0 {
            if parts.len() <= at {
                parts.resize_with(at + 1, Self::default);
            }
            parts[at] = part;
        }
    }

    /// Writes nothing: no text, or no part with content.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Null => false,
            Kind::Text(text) | Kind::Raw(text) => text.is_empty(),
            Kind::Parts(parts) => parts.iter().all(Self::is_empty),
        }
    }

    /// Writes it to `out` at `place`, which says how deep it stands; trailing empty parts are left out.
    pub(crate) fn write(
        &self,
        out: &mut String,
        delimiters: &Delimiters,
        place: Location,
    ) -> Result<(), Error> {
        let fault = |fault| Err(Error::Write { location: place, fault });
        let parts = match &self.0 {
            Kind::Empty => return Ok(()),
            Kind::Null => {
                out.push_str("\"\"");
                return Ok(());
            }
            Kind::Raw(raw) => {
                out.push_str(raw);
                return Ok(());
            }
            Kind::Text(text) => {
                let Some(escaped) = escape::encode(text, delimiters) else {
                    return fault(WriteFault::NoEscape);
                };
                out.push_str(&escaped);
                return Ok(());
            }
            Kind::Parts(parts) => parts,
        };
        let separator = match (place.component, place.subcomponent) {
            (None, _) => Some(delimiters.component),
            (Some(_), None) => delimiters.subcomponent,
            (Some(_), Some(_)) => None,
        };
        let written = parts.iter().rposition(|p| !p.is_empty()).map_or(0, |last| last + 1);
        for (n, part) in (1..).zip(&parts[..written]) {
            if n > 1 {
                let Some(separator) = separator else { return fault(WriteFault::NoSeparator) };
                out.push(separator.into());
            }
            let place = match (place.component, place.subcomponent) {
                (None, _) => place.component(n),
                (Some(_), None) => place.subcomponent(n),
                (Some(_), Some(_)) => place,
            };
            part.write(out, delimiters, place)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match &self.0 {
            Kind::Empty => "empty",
            Kind::Null => "null",
            Kind::Text(_) => "text",
            Kind::Raw(_) => "raw",
            Kind::Parts(_) => "parts",
        })
    }
}

impl<'a> From<&'a str> for Content<'a> {
    fn from(text: &'a str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Content<'_> {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl<'a> From<Cow<'a, str>> for Content<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::text(text)
    }
}

impl<'a, T: Into<Content<'a>>> From<Option<T>> for Content<'a> {
    fn from(content: Option<T>) -> Self {
        content.map_or_else(Self::default, Into::into)
    }
}

impl<'a, T: Into<Content<'a>>> From<Vec<T>> for Content<'a> {
    fn from(parts: Vec<T>) -> Self {
        Self(Kind::Parts(parts.into_iter().map(Into::into).collect()))
    }
}

impl<'a, T: Into<Content<'a>>, const N: usize> From<[T; N]> for Content<'a> {
    fn from(parts: [T; N]) -> Self {
        Self(Kind::Parts(parts.into_iter().map(Into::into).collect()))
    }
}
