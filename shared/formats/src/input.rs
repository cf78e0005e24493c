//! The window onto a file: text that has been read and not yet passed, and where it stands.
//!
//! Every reader works on `rest()`, asks for `more()` when it ends too early, and `pass()`es what it is done with. What
//! is held is one record and one read.

use std::io::{self, Read};

use bridge_core::feed::Charset;
use memchr::memchr2;

use crate::{
    charset::{self, Reading},
    error::{Error, Fault},
    place::Place,
};

/// Bytes that are asked for at once.
const READ: usize = 64 << 10;
/// How far a format may look for what a file says of its character set.
const HEAD: usize = 4 << 10;

/// Finds in the first bytes what the format itself declares.
pub(crate) type Declares = fn(&[u8]) -> Result<Option<Charset>, Fault>;

/// Most formats declare nothing.
pub(crate) fn declares_nothing(_: &[u8]) -> Result<Option<Charset>, Fault> {
    Ok(None)
}

pub(crate) struct Input<R> {
    source: R,
    reading: Reading,
    raw: Vec<u8>,
    text: String,
    /// Of `text`, what is passed.
    start: usize,
    ended: bool,
    /// Found ahead of `rest()`; told when that is used up.
    ahead: Option<Fault>,
    place: Place,
    mark: Place,
    limit: usize,
}

impl<R: Read> Input<R> {
    /// Looks at the beginning of a file.
    pub(crate) fn open(
        mut source: R,
        charset: Charset,
        declares: Declares,
        limit: usize,
    ) -> Result<Self, Error> {
        let at_start = |fault| Error::new(Place::START, fault);
        let mut head = Vec::with_capacity(HEAD);
        let read = source.by_ref().take(HEAD as u64).read_to_end(&mut head);
        read.map_err(|e| at_start(Fault::Read(e)))?;
        let mark = charset::byte_order_mark(&head);
        let (charset, skip) = match (charset, mark) {
            (Charset::Auto, Some(found)) => found,
            (Charset::Auto, None) => (declares(&head).map_err(at_start)?.unwrap_or(Charset::Utf8), 0),
            (declared, Some((found, length))) if declared == found => (declared, length),
            // In these two characters of their own begin with such bytes, but no file does.
            (declared, Some((found, _))) => return Err(at_start(Fault::ByteOrderMark { found, declared })),
            (declared, None) => (declared, 0),
        };
        let mut input = Self::from(source, charset, Place::START, limit);
        input.place.offset = skip as u64;
        input.ended = head.len() < HEAD;
        input.take_in(head.get(skip..).unwrap_or_default());
        Ok(input)
    }

    /// Goes on at `place`.
    pub(crate) fn resume(source: R, charset: Charset, place: Place, limit: usize) -> Self {
        Self::from(source, charset, place, limit)
    }

    fn from(source: R, charset: Charset, place: Place, limit: usize) -> Self {
        Self {
            source,
            reading: Reading::new(charset),
            raw: vec![0; READ],
            text: String::new(),
            start: 0,
            ended: false,
            ahead: None,
            place,
            mark: place,
            limit,
        }
    }

    fn take_in(&mut self, bytes: &[u8]) {
        if self.reading.read(bytes, self.ended, &mut self.text).is_err() {
            let offset = self.place.offset + self.reading.stored_bytes(self.rest());
            self.ahead = Some(Fault::Charset { offset, charset: self.reading.charset() });
            self.ended = true;
        }
    }

    /// Reads on; `false` at the end. At least doubles `rest()`, so that whoever begins again takes linear time.
    pub(crate) fn more(&mut self) -> Result<bool, Error> {
        self.text.drain(..self.start);
        self.start = 0;
        let had = self.text.len();
        if had > self.limit {
            return Err(self.too_long());
        }
        while !self.ended && self.text.len() <= (had * 2).min(self.limit) {
            let mut raw = std::mem::take(&mut self.raw);
            match self.source.read(&mut raw) {
                Ok(0) => {
                    self.ended = true;
                    self.take_in(b"");
                }
                Ok(n) => self.take_in(raw.get(..n).unwrap_or_default()),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.ahead = Some(Fault::Read(e));
                    self.ended = true;
                }
            }
            self.raw = raw;
        }
        if self.text.len() > had {
            return Ok(true);
        }
        match self.ahead.take() {
            Some(fault) => Err(self.error(fault)),
            None => Ok(false),
        }
    }

    /// Text that has been read and not passed.
    pub(crate) fn rest(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// `rest()` goes to the end of the file.
    pub(crate) fn is_last(&self) -> bool {
        self.ended && self.ahead.is_none()
    }

    /// Where `rest()` begins.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    pub(crate) fn charset(&self) -> Charset {
        self.reading.charset()
    }

    /// Goes past `length` bytes of `rest()` that hold `lines` line breaks, and gives them. They stay until `more()`.
    pub(crate) fn pass(&mut self, length: usize, lines: u64) -> &str {
        let end = (self.start + length).min(self.text.len());
        let passed = self.text.get(self.start..end).unwrap_or_default();
        self.place.offset += self.reading.stored_bytes(passed);
        self.place.line += lines;
        self.start = end;
        passed
    }

    /// What was passed last, `length` bytes of it.
    pub(crate) fn passed(&self, length: usize) -> &str {
        self.text.get(self.start.saturating_sub(length)..self.start).unwrap_or_default()
    }

    /// One more record: its number.
    pub(crate) fn count(&mut self) -> u64 {
        self.place.row += 1;
        self.place.row
    }

    /// Reading can go on here.
    pub(crate) fn mark(&mut self) {
        self.mark = self.place;
    }

    /// Where reading can go on.
    pub(crate) fn marked(&self) -> Place {
        self.mark
    }

    /// How many bytes of the file `text` takes.
    pub(crate) fn stored_bytes(&self, text: &str) -> u64 {
        self.reading.stored_bytes(text)
    }

    pub(crate) fn error(&self, fault: impl Into<Fault>) -> Error {
        Error::new(self.place, fault.into())
    }

    /// Looks at the next line: its length without and with its end (LF, CR LF or CR). `None` at the end.
    pub(crate) fn peek_line(&mut self) -> Result<Option<(usize, usize)>, Error> {
        let line = self.find_line()?;
        match line {
            Some((length, _)) if length > self.limit => Err(self.too_long()),
            line => Ok(line),
        }
    }

    /// What is longer than the limit, though it was read in one piece.
    pub(crate) fn too_long(&self) -> Error {
        self.error(Fault::TooLong { limit: self.limit, quoted: false })
    }

    fn find_line(&mut self) -> Result<Option<(usize, usize)>, Error> {
        let mut from = 0;
        loop {
            let rest = self.rest().as_bytes();
            let found = rest.get(from..).and_then(|unseen| memchr2(b'\n', b'\r', unseen));
            match found.map(|at| from + at) {
                Some(at) if rest.get(at) == Some(&b'\n') => return Ok(Some((at, at + 1))),
                Some(at) if rest.get(at + 1) == Some(&b'\n') => return Ok(Some((at, at + 2))),
                Some(at) if at + 1 < rest.len() || self.is_last() => return Ok(Some((at, at + 1))),
                Some(at) => from = at,
                None => from = rest.len(),
            }
            let length = rest.len();
            if !self.more()? {
                let ends_in_cr = from < length;
                return Ok(match length {
                    0 => None,
                    _ if ends_in_cr => Some((length - 1, length)),
                    _ => Some((length, length)),
                });
            }
        }
    }

    /// Goes past the next line that is not blank, and gives its length and the length of its end. `None` at the end.
    pub(crate) fn next_line(&mut self) -> Result<Option<(Place, usize, usize)>, Error> {
        while let Some((length, whole)) = self.peek_line()? {
            let place = self.place;
            let line = self.pass(whole, 1);
            let is_blank = line.as_bytes().iter().all(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0x1a));
            if !is_blank {
                return Ok(Some((place, length, whole)));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Gives a byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            into[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn lines(bytes: &[u8]) -> Vec<(u64, u64, String)> {
        let mut input = Input::open(Drip(bytes), Charset::Auto, declares_nothing, 1000).unwrap();
        let mut lines = Vec::new();
        while let Some((place, length, whole)) = input.next_line().unwrap() {
            lines.push((place.line, place.offset, input.passed(whole)[..length].to_owned()));
        }
        lines
    }

    #[test]
    fn lines_end_as_every_system_ends_them() {
        let expected = [(1, 0, "ab".to_owned()), (3, 4, "c".to_owned())];
        assert_eq!(lines(b"ab\n\nc\n"), expected);
        assert_eq!(lines(b"ab\r\rc"), expected);
        assert_eq!(lines(b"ab\r\n\r\nc\r\n")[1], (3, 6, "c".to_owned()));
        assert_eq!(lines(b"ab\r"), [(1, 0, "ab".to_owned())]);
        assert_eq!(lines(b""), []);
    }

    #[test]
    fn a_byte_order_mark_is_no_text_and_counts_as_bytes() {
        assert_eq!(lines(b"\xef\xbb\xbfa\nb"), [(1, 3, "a".into()), (2, 5, "b".into())]);
        assert_eq!(lines(b"\xff\xfea\0\n\0b\0"), [(1, 2, "a".into()), (2, 6, "b".into())]);
    }

    #[test]
    fn a_mark_that_contradicts_the_feed_is_refused() {
        let opened = Input::open(b"\xff\xfea\0".as_slice(), Charset::Utf8, declares_nothing, 9);
        assert!(matches!(opened.map(|_| ()).unwrap_err().fault, Fault::ByteOrderMark { .. }));
    }

    #[test]
    fn a_bad_byte_is_told_after_what_stands_before_it() {
        let mut input = Input::open(b"ab\ncd\xff".as_slice(), Charset::Utf8, declares_nothing, 99).unwrap();
        assert!(input.next_line().unwrap().is_some());
        let error = input.next_line().unwrap_err();
        assert!(matches!(error.fault, Fault::Charset { offset: 5, .. }), "{error}");
        assert_eq!(error.place.line, 2);
    }

    #[test]
    fn no_line_is_longer_than_the_limit() {
        let mut input = Input::open(io::repeat(b'x'), Charset::Utf8, declares_nothing, 100_000).unwrap();
        assert!(matches!(input.next_line().unwrap_err().fault, Fault::TooLong { limit: 100_000, .. }));
        assert!(input.text.len() < 400_000);
    }
}
