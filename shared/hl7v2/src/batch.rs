//! Files of many messages: FHS/BHS batches (HL7 v2.5.1 §2.10.3), and files that just hold one message after
//! the other.
//!
//! Cuts, and counts what the trailers claim; reads nothing inside the messages. Works on bytes, as each
//! message may be in a character set of its own.

use crate::{
    delimiters::Delimiters,
    error::Error,
    location::SegmentName,
    mllp::{END, START},
};

/// Cuts a file into its parts, in the order they stand there. CR, LF and CRLF end lines; a byte order mark,
/// indentation and MLLP framing around messages are passed over.
///
/// ```
/// use bridge_hl7v2::{Message, batch::{self, Part}};
///
/// let file = b"FHS|^~\\&|LAB\rBHS|^~\\&|LAB\rMSH|^~\\&|LAB|||||||1\rPID|1\rMSH|^~\\&|LAB|||||||2\rBTS|2\rFTS|1\r";
/// for part in batch::split(file) {
///     match part {
///         Part::Message(lines) => assert_eq!(Message::parse(lines.bytes)?.header().field(3).raw(), "LAB"),
///         Part::BatchEnd(count) | Part::FileEnd(count) => assert!(count.agrees()),
///         Part::File(_) | Part::Batch(_) => {}
///         Part::Stray(lines) => panic!("line {} is no message", lines.line),
///     }
/// }
/// # Ok::<(), bridge_hl7v2::Error>(())
/// ```
pub fn split(file: &[u8]) -> Split<'_> {
    let rest = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    Split { file: rest, rest, line: 1, separator: b'|', messages: 0, batches: 0 }
}

/// A part of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// FHS: the file begins.
    File(Lines<'a>),
    /// BHS: a batch begins.
    Batch(Lines<'a>),
    /// A message, from its MSH to the line before the next part.
    Message(Lines<'a>),
    /// BTS: the batch ends. The count is of its messages.
    BatchEnd(Count),
    /// FTS: the file ends. The count is of its batches, or of its messages when it has no batches.
    FileEnd(Count),
    /// Lines that are in no message.
    Stray(Lines<'a>),
}

/// Where a part stands in the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Lines<'a> {
    /// Its bytes, without blank lines at the end.
    pub bytes: &'a [u8],
    /// Its first line, counted from 1.
    pub line: usize,
}

impl<'a> Lines<'a> {
    /// Field `n` of a header segment, as it came: 1 is the separator, 11 the control id of the file or batch.
    /// Empty when there is none.
    pub fn field(&self, n: usize) -> &'a [u8] {
        let end = memchr::memchr2(b'\r', b'\n', self.bytes).unwrap_or(self.bytes.len());
        let line = &self.bytes[..end];
        let (Some(separator), Some(at)) = (line.get(3..4), n.checked_sub(1)) else { return b"" };
        match at {
            0 => separator,
            at => line.split(|b| *b == separator[0]).nth(at).unwrap_or_default(),
        }
    }

    /// The delimiters a header segment declares.
    ///
    /// # Errors
    /// [`Error::Header`] when they cannot be used.
    pub fn delimiters(&self) -> Result<Delimiters, Error> {
        let name = match self.bytes.first() {
            Some(b'F') => "FHS",
            Some(b'B') => "BHS",
            _ => "MSH",
        };
        Delimiters::of_header(name, self.bytes)
    }
}

impl std::fmt::Debug for Lines<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes from line {} on", self.bytes.len(), self.line)
    }
}

/// What a trailer claims, and what was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The line of the trailer, counted from 1.
    pub line: usize,
    /// BTS-1 or FTS-1; `None` when it is empty or no number.
    pub claimed: Option<u64>,
    /// How many there were.
    pub found: u64,
}

impl Count {
    /// The claim is right, or there is none.
    pub fn agrees(&self) -> bool {
        self.claimed.is_none_or(|claimed| claimed == self.found)
    }
}

/// The parts of a file. Made by [`split`].
#[derive(Debug, Clone)]
pub struct Split<'a> {
    file: &'a [u8],
    rest: &'a [u8],
    /// The number of the first line of `rest`.
    line: usize,
    /// Of the last header: trailers have none of their own.
    separator: u8,
    /// Since the last BHS, or in the file when there is none.
    messages: u64,
    batches: u64,
}

impl<'a> Iterator for Split<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let (first, line) = loop {
            let line = self.line;
            let taken = self.take_line()?;
            if !taken.iter().all(|b| is_blank(*b)) {
                break (taken, line);
            }
        };
        let name = begins(first, self.separator);
        if let Some(name) = name
            && name.is_header()
        {
            self.separator = trim_start(first)[3];
        }
        let mut end = first.len();
        if name.is_none_or(|n| n == "MSH") {
            // A message, and a run of strays, goes on to the line where something else begins.
            while let Some(next) = line_of(self.rest)
                && begins(next, self.separator).is_none()
            {
                end += next.len();
                self.take_line();
            }
        }
        // What has been taken lies in front of what is left.
        let taken = &self.file[self.file.len() - self.rest.len() - end..][..end];
        Some(self.part(name, Lines { bytes: trim_end(trim_start(taken)), line }))
    }
}

impl<'a> Split<'a> {
    fn take_line(&mut self) -> Option<&'a [u8]> {
        let line = line_of(self.rest)?;
        self.rest = &self.rest[line.len()..];
        self.line += 1;
        Some(line)
    }

    fn part(&mut self, name: Option<SegmentName>, lines: Lines<'a>) -> Part<'a> {
        // Fields count as in a header, where the separator is the first: BTS-1 and FTS-1 are number 2.
        let claimed = std::str::from_utf8(lines.field(2)).ok().and_then(|n| n.trim().parse().ok());
        let count = |found| Count { line: lines.line, claimed, found };
        match name.as_ref().map(SegmentName::as_str) {
            Some("FHS") => {
                (self.batches, self.messages) = (0, 0);
                Part::File(lines)
            }
            Some("BHS") => {
                self.batches += 1;
                self.messages = 0;
                Part::Batch(lines)
            }
            Some("MSH") => {
                self.messages += 1;
                Part::Message(lines)
            }
            Some("BTS") => Part::BatchEnd(count(self.messages)),
            Some("FTS") if self.batches == 0 => Part::FileEnd(count(self.messages)),
            Some("FTS") => Part::FileEnd(count(self.batches)),
            _ => Part::Stray(lines),
        }
    }
}

/// The first line of `bytes` with its line break; `None` at the end.
fn line_of(bytes: &[u8]) -> Option<&[u8]> {
    let end = match memchr::memchr2(b'\r', b'\n', bytes) {
        Some(at) if bytes[at..].starts_with(b"\r\n") => at + 2,
        Some(at) => at + 1,
        None => bytes.len(),
    };
    (end > 0).then(|| &bytes[..end])
}

/// What begins with this line, if anything does: a header segment, whose separator can be any, or a trailer.
fn begins(line: &[u8], separator: u8) -> Option<SegmentName> {
    let line = trim_start(line);
    let name = SegmentName::at_start(line)?;
    let after = line.get(3).copied();
    let ends = after.is_none_or(|b| b == separator || matches!(b, b'\r' | b'\n'));
    let header = name.is_header() && after.is_some_and(|b| b.is_ascii_punctuation());
    (header || ends && (name == "BTS" || name == "FTS")).then_some(name)
}

/// Blanks, and the framing bytes of MLLP.
fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0 | START | END)
}

fn trim_start(bytes: &[u8]) -> &[u8] {
    &bytes[bytes.iter().take_while(|b| is_blank(**b)).count()..]
}

/// Without line breaks and framing at the end; spaces there may be data.
fn trim_end(bytes: &[u8]) -> &[u8] {
    let trailing = bytes.iter().rev().take_while(|b| matches!(**b, b'\r' | b'\n' | 0 | END)).count();
    &bytes[..bytes.len() - trailing]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each part as its kind, line and bytes.
    fn parts(file: &str) -> Vec<(&'static str, usize, String)> {
        let show = |part: Part<'_>| {
            let text = |l: Lines<'_>| (l.line, String::from_utf8_lossy(l.bytes).into_owned());
            let count = |c: Count| (c.line, format!("{:?} of {}", c.claimed, c.found));
            let (kind, (line, shown)) = match part {
                Part::File(l) => ("file", text(l)),
                Part::Batch(l) => ("batch", text(l)),
                Part::Message(l) => ("message", text(l)),
                Part::Stray(l) => ("stray", text(l)),
                Part::BatchEnd(c) => ("batch end", count(c)),
                Part::FileEnd(c) => ("file end", count(c)),
            };
            (kind, line, shown)
        };
        split(file.as_bytes()).map(show).collect()
    }

    fn part(kind: &'static str, line: usize, shown: &str) -> (&'static str, usize, String) {
        (kind, line, shown.to_owned())
    }

    #[test]
    fn batches_in_a_file() {
        let file = "FHS|^~\\&|A\rBHS|^~\\&|B\rMSH|1\rPID|1\rMSH|2\rBTS|2\rBHS|x\rMSH|3\rBTS|5|note\rFTS|2\r";
        assert_eq!(
            parts(file),
            [
                part("file", 1, "FHS|^~\\&|A"),
                part("batch", 2, "BHS|^~\\&|B"),
                part("message", 3, "MSH|1\rPID|1"),
                part("message", 5, "MSH|2"),
                part("batch end", 6, "Some(2) of 2"),
                part("batch", 7, "BHS|x"),
                part("message", 8, "MSH|3"),
                part("batch end", 9, "Some(5) of 1"),
                part("file end", 10, "Some(2) of 2"),
            ]
        );
    }

    #[test]
    fn counts_agree_or_not() {
        let count = |claimed| Count { line: 1, claimed, found: 2 };
        assert!(count(Some(2)).agrees() && count(None).agrees() && !count(Some(3)).agrees());
        assert_eq!(parts("MSH|1\nFTS|x\n")[1], part("file end", 2, "None of 1"));
        assert_eq!(parts("FHS|^\nMSH|1\nMSH|1\nFTS|2")[3], part("file end", 4, "Some(2) of 2"));
    }

    #[test]
    fn plain_lists_of_messages_with_every_line_ending() {
        for eol in ["\r", "\n", "\r\n"] {
            let file = ["", "MSH|1", "PID|1", "", "", "MSH#2", "PID#1", ""].join(eol);
            let first = ["MSH|1", "PID|1"].join(eol);
            let second = ["MSH#2", "PID#1"].join(eol);
            assert_eq!(parts(&file), [part("message", 2, &first), part("message", 6, &second)], "{eol:?}");
        }
    }

    #[test]
    fn byte_order_mark_indentation_and_framing_are_passed_over() {
        assert_eq!(parts("\u{feff}\n  MSH|1\n  PID|1\n"), [part("message", 2, "MSH|1\n  PID|1")]);
        let framed = "\x0bMSH|1\rPID|1\r\x1c\r\x0bMSH|2\r\x1c\r";
        assert_eq!(parts(framed), [part("message", 1, "MSH|1\rPID|1"), part("message", 4, "MSH|2")]);
    }

    #[test]
    fn what_is_in_no_message_is_told() {
        let file = "exported today\nby hand\nMSH|1\nMSHX\nBTS|1\nPID|1\n";
        assert_eq!(
            parts(file),
            [
                part("stray", 1, "exported today\nby hand"),
                part("message", 3, "MSH|1\nMSHX"),
                part("batch end", 5, "Some(1) of 1"),
                part("stray", 6, "PID|1"),
            ]
        );
        assert_eq!(parts(""), []);
        assert_eq!(parts("\n \r\n"), []);
    }

    #[test]
    fn a_trailer_uses_the_separator_of_its_header() {
        assert_eq!(parts("BHS#^~\\&\rMSH#1\rBTS#1\r")[2], part("batch end", 3, "Some(1) of 1"));
        assert_eq!(parts("MSH|1\rBTS#1\r").len(), 1, "another character after BTS makes it no trailer");
    }

    #[test]
    fn header_fields_and_delimiters() {
        let Some(Part::Batch(header)) = split(b"BHS|^~\\&|LAB|NORTH|||||||77\r").next() else {
            panic!("no batch")
        };
        assert_eq!(
            (header.field(1), header.field(2), header.field(3)),
            (&b"|"[..], &b"^~\\&"[..], &b"LAB"[..])
        );
        assert_eq!((header.field(11), header.field(99), header.field(0)), (&b"77"[..], &b""[..], &b""[..]));
        assert_eq!(header.delimiters(), Ok(Delimiters::STANDARD));
        let Some(Part::File(header)) = split(b"FHS|^^").next() else { panic!("no file") };
        assert!(header.delimiters().is_err_and(|e| e.to_string().starts_with("FHS-2: ")));
    }
}
