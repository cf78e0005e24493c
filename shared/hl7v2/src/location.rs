//! Places in a message, written the way people say them: `PID-3[2].1.2`, `OBX[3]-5`.
//!
//! A place holds no content, so it may stand in a log line or an error.

use std::{fmt, str::FromStr};

/// The three characters that name a segment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentName([u8; 3]);

impl SegmentName {
    /// From three characters, the first an upper-case letter, the others upper-case letters or digits.
    pub const fn new(name: &str) -> Option<Self> {
        match *name.as_bytes() {
            [a, b, c] if Self::is_valid([a, b, c]) => Some(Self([a, b, c])),
            _ => None,
        }
    }

    /// A name written in this crate.
    pub(crate) const fn literal(name: [u8; 3]) -> Self {
        Self(name)
    }

    const fn is_valid(name: [u8; 3]) -> bool {
        name[0].is_ascii_uppercase()
            && (name[1].is_ascii_uppercase() || name[1].is_ascii_digit())
            && (name[2].is_ascii_uppercase() || name[2].is_ascii_digit())
    }

    /// The name at the beginning of `line`, when one stands there.
    pub(crate) fn at_start(line: &[u8]) -> Option<Self> {
        let name = *line.first_chunk::<3>()?;
        Self::is_valid(name).then_some(Self(name))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// A site's own segment, which the standard leaves undefined: its name begins with `Z` (v2.5.1 §2.11).
    pub const fn is_site_defined(self) -> bool {
        self.0[0] == b'Z'
    }

    /// MSH, FHS or BHS: the segments whose first two fields are the delimiters themselves.
    pub(crate) fn is_header(self) -> bool {
        matches!(&self.0, b"MSH" | b"FHS" | b"BHS")
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq<str> for SegmentName {
    fn eq(&self, other: &str) -> bool {
        self.0 == *other.as_bytes()
    }
}

impl PartialEq<&str> for SegmentName {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

/// A place in a message. Every number counts from 1; `None` means the place is the whole of what stands left
/// of it: `PID-3` is the field with all its repetitions, `PID-3[1]` its first repetition.
///
/// Written `SEG[occurrence]-field[repetition].component.subcomponent`. `[1]` is left out after the segment
/// name, and after the field when a component follows. Read with `-` or `.` before the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Location {
    /// The segment's name.
    pub segment: SegmentName,
    /// Which of the segments of that name.
    pub occurrence: u32,
    /// Field number; in MSH, 1 is the field separator and 2 the encoding characters.
    pub field: Option<u32>,
    /// Repetition of the field.
    pub repetition: Option<u32>,
    /// Component of the repetition.
    pub component: Option<u32>,
    /// Subcomponent of the component.
    pub subcomponent: Option<u32>,
}

impl Location {
    /// The `occurrence`-th segment of that name.
    pub const fn segment(segment: SegmentName, occurrence: u32) -> Self {
        Self { segment, occurrence, field: None, repetition: None, component: None, subcomponent: None }
    }

    /// Field `n` of this segment.
    pub const fn field(self, n: u32) -> Self {
        Self { field: Some(n), repetition: None, component: None, subcomponent: None, ..self }
    }

    /// Repetition `n` of this field.
    pub const fn repetition(self, n: u32) -> Self {
        Self { repetition: Some(n), component: None, subcomponent: None, ..self }
    }

    /// Component `n` of this repetition (the first one, when none is named).
    pub const fn component(self, n: u32) -> Self {
        let repetition = if self.repetition.is_some() { self.repetition } else { Some(1) };
        Self { repetition, component: Some(n), subcomponent: None, ..self }
    }

    /// Subcomponent `n` of this component.
    pub const fn subcomponent(self, n: u32) -> Self {
        Self { subcomponent: Some(n), ..self }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.segment)?;
        if self.occurrence != 1 {
            write!(f, "[{}]", self.occurrence)?;
        }
        let Some(field) = self.field else { return Ok(()) };
        write!(f, "-{field}")?;
        match (self.repetition, self.component) {
            (Some(1), Some(_)) | (None, _) => {}
            (Some(n), _) => write!(f, "[{n}]")?,
        }
        if let Some(n) = self.component {
            write!(f, ".{n}")?;
        }
        if let Some(n) = self.subcomponent {
            write!(f, ".{n}")?;
        }
        Ok(())
    }
}

/// The text is not a place in a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a place in a message (example: PID-3[2].1)")]
pub struct NotALocation(String);

impl FromStr for Location {
    type Err = NotALocation;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| NotALocation(text.chars().take(40).collect()))
    }
}

fn parse(text: &str) -> Option<Location> {
    let (name, mut rest) = text.split_at_checked(3)?;
    let name = SegmentName::new(name)?;
    let occurrence = index(&mut rest)?.unwrap_or(1);
    let mut at = Location::segment(name, occurrence);
    if rest.is_empty() {
        return Some(at);
    }
    rest = rest.strip_prefix(['-', '.'])?;
    at = at.field(number(&mut rest)?);
    if let Some(n) = index(&mut rest)? {
        at = at.repetition(n);
    }
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        at = at.component(number(&mut rest)?);
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            at = at.subcomponent(number(&mut rest)?);
        }
    }
    rest.is_empty().then_some(at)
}

/// A number from 1 on, taken off the front.
fn number(rest: &mut &str) -> Option<u32> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after;
    digits.parse().ok().filter(|n| *n > 0)
}

/// A number in brackets, taken off the front; `Some(None)` when there is no bracket.
fn index(rest: &mut &str) -> Option<Option<u32>> {
    let Some(after) = rest.strip_prefix('[') else { return Some(None) };
    *rest = after;
    let n = number(rest)?;
    *rest = rest.strip_prefix(']')?;
    Some(Some(n))
}

/// Where byte `offset` of a message lies, counted in raw bytes: good enough to point at, also when the bytes
/// could not be read as text. `None` when it lies before the first segment name.
pub(crate) fn of_offset(message: &[u8], offset: usize) -> Option<Location> {
    let separator = *message.get(3)?;
    let before = message.get(..offset)?;
    let start = memchr::memrchr2(b'\r', b'\n', before).map_or(0, |i| i + 1);
    let name = SegmentName::at_start(&message[start..])?;
    let occurrence =
        before.split(|b| matches!(b, b'\r' | b'\n')).filter(|l| SegmentName::at_start(l) == Some(name));
    // The line that holds the offset is in `before` only as far as the offset, so its name may be cut off.
    let occurrence = occurrence.count() + usize::from(offset < start + 3);
    let separators = memchr::memchr_iter(separator, &message[start..offset]).count();
    let field = separators + usize::from(start == 0);
    let at = Location::segment(name, u32::try_from(occurrence).ok()?);
    Some(if separators == 0 { at } else { at.field(u32::try_from(field).ok()?) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_printed_reads_back() {
        for text in
            ["PID", "OBX[3]", "PID-3", "PID-3[1]", "PID-3[2]", "PID-3.1", "PID-3[2].1.2", "OBX[12]-5[2].1"]
        {
            assert_eq!(text.parse::<Location>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_spellings_and_refusals() {
        assert_eq!("PID.5.1".parse::<Location>().unwrap().to_string(), "PID-5.1");
        assert_eq!("PID-3[1].4".parse::<Location>().unwrap().to_string(), "PID-3.4");
        for bad in [
            "",
            "PI",
            "pid-3",
            "PID-",
            "PID-0",
            "PID-3[0]",
            "PID-3[1",
            "PID-3.1.2.3",
            "PIDX-3",
            "PID-99999999999",
        ] {
            assert!(bad.parse::<Location>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_offset_is_named_by_segment_and_field() {
        let message = b"MSH|^~\\&|A\rOBX|1\rOBX|2|TX";
        let at = |offset| of_offset(message, offset).map(|l| l.to_string());
        assert_eq!(at(9).as_deref(), Some("MSH-3"));
        assert_eq!(at(15).as_deref(), Some("OBX-1"));
        assert_eq!(at(17).as_deref(), Some("OBX[2]"));
        assert_eq!(at(24).as_deref(), Some("OBX[2]-2"));
        assert_eq!(at(99), None);
    }
}
