//! One row of delimited text (RFC 4180), cut in place.
//!
//! The `csv` crate is lenient where a bridge must not be: an open quote swallows the rest of the file, and text after a
//! closing quote is glued on. Both are errors here, with their place. For everything else it is the yardstick of the
//! tests and of the benchmark.

use memchr::{memchr, memchr2};

use crate::{record::Field, words::first_of};

/// The characters a file is written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    /// Blanks around fields don't belong to them.
    pub(crate) trim: bool,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scan {
    /// A whole row: its length with its end, and the line breaks in it.
    Row { length: usize, lines: u64 },
    /// The text ends before the row does.
    More { quoted: bool },
    /// The text at `at` follows a closing quote and is no delimiter.
    AfterQuote { at: usize },
}

impl Dialect {
    /// Cuts the first row of `text` into `fields`. `last`: nothing comes after `text`.
    pub(crate) fn scan(&self, text: &str, last: bool, fields: &mut Vec<Field>) -> Scan {
        let bytes = text.as_bytes();
        fields.clear();
        let mut lines = 0;
        let mut at = 0;
        loop {
            let opening = if self.trim { skip_blanks(bytes, at, self.delimiter) } else { at };
            let is_quoted = self.quote.is_some() && bytes.get(opening).copied() == self.quote;
            let (field, after) = match self.quote.filter(|_| is_quoted) {
                Some(quote) => match quoted(bytes, opening + 1, quote, last) {
                    Some(field) => {
                        lines += breaks(bytes.get(field.start..field.end).unwrap_or_default());
                        let after = field.end + 1;
                        (field, if self.trim { skip_blanks(bytes, after, self.delimiter) } else { after })
                    }
                    None => return Scan::More { quoted: true },
                },
                None => {
                    let found =
                        bytes.get(at..).and_then(|rest| first_of([self.delimiter, b'\n', b'\r'], rest));
                    let end = match found {
                        Some(length) => at + length,
                        None if last => bytes.len(),
                        None => return Scan::More { quoted: false },
                    };
                    let trimmed = if self.trim { trim(bytes, opening, end) } else { (at, end) };
                    (Field { start: trimmed.0, end: trimmed.1, doubled: false }, end)
                }
            };
            fields.push(field);
            match (bytes.get(after), bytes.get(after + 1)) {
                (Some(b), _) if *b == self.delimiter => at = after + 1,
                (Some(b'\n'), _) => return Scan::Row { length: after + 1, lines: lines + 1 },
                (Some(b'\r'), Some(b'\n')) => return Scan::Row { length: after + 2, lines: lines + 1 },
                (Some(b'\r'), None) if !last => return Scan::More { quoted: false },
                (Some(b'\r'), _) => return Scan::Row { length: after + 1, lines: lines + 1 },
                (None, _) if last => return Scan::Row { length: after, lines },
                (None, _) => return Scan::More { quoted: false },
                (Some(_), _) => return Scan::AfterQuote { at: after },
            }
        }
    }
}

/// The field whose opening quote stands before `start`. `None`: its end is not in sight.
fn quoted(bytes: &[u8], start: usize, quote: u8, last: bool) -> Option<Field> {
    let mut doubled = false;
    let mut from = start;
    loop {
        let end = from + memchr(quote, bytes.get(from..)?)?;
        match bytes.get(end + 1) {
            Some(next) if *next == quote => {
                doubled = true;
                from = end + 2;
            }
            None if !last => return None,
            _ => return Some(Field { start, end, doubled }),
        }
    }
}

/// Line breaks inside a quoted field: LF, CR LF or CR.
pub(super) fn breaks(bytes: &[u8]) -> u64 {
    if memchr2(b'\n', b'\r', bytes).is_none() {
        return 0;
    }
    let lone = |at: usize| bytes.get(at + 1) != Some(&b'\n');
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    (feeds + memchr::memchr_iter(b'\r', bytes).filter(|at| lone(*at)).count()) as u64
}

fn skip_blanks(bytes: &[u8], from: usize, delimiter: u8) -> usize {
    let blank = |b: &&u8| matches!(**b, b' ' | b'\t') && **b != delimiter;
    from + bytes.get(from..).unwrap_or_default().iter().take_while(blank).count()
}

fn trim(bytes: &[u8], start: usize, end: usize) -> (usize, usize) {
    let start = start.min(end);
    let field = bytes.get(start..end).unwrap_or_default();
    let blanks = field.iter().rev().take_while(|b| matches!(**b, b' ' | b'\t')).count();
    (start, end - blanks)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMA: Dialect = Dialect { delimiter: b',', quote: Some(b'"'), trim: false };

    fn cut(dialect: Dialect, text: &str, last: bool) -> (Scan, Vec<&str>) {
        let mut fields = Vec::new();
        let scan = dialect.scan(text, last, &mut fields);
        (scan, fields.iter().map(|f| &text[f.start..f.end]).collect())
    }

    #[test]
    fn fields_are_cut_where_they_end() {
        let row = |length, lines| Scan::Row { length, lines };
        for (text, scan, fields) in [
            ("a,b\nc", row(4, 1), vec!["a", "b"]),
            ("a,b\r\nc", row(5, 1), vec!["a", "b"]),
            ("a,b\rc", row(4, 1), vec!["a", "b"]),
            ("a,\n", row(3, 1), vec!["a", ""]),
            (",", row(1, 0), vec!["", ""]),
            ("\"a\nb\",c", row(7, 1), vec!["a\nb", "c"]),
            ("\"a\r\n\rb\"", row(7, 2), vec!["a\r\n\rb"]),
            ("\"a\"\"b\",\"\"", row(9, 0), vec!["a\"\"b", ""]),
            ("a\"b,c", row(5, 0), vec!["a\"b", "c"]),
            (" a , b", row(6, 0), vec![" a ", " b"]),
        ] {
            assert_eq!(cut(COMMA, text, true), (scan, fields), "{text:?}");
        }
    }

    #[test]
    fn a_row_that_may_go_on_waits() {
        for (text, quoted) in
            [("", false), ("a,b", false), ("a\r", false), ("\"a", true), ("\"a\"", true), ("\"a\"\"", true)]
        {
            assert_eq!(cut(COMMA, text, false).0, Scan::More { quoted }, "{text:?}");
        }
        assert_eq!(cut(COMMA, "\"a\"\"b", true).0, Scan::More { quoted: true }, "never closed");
    }

    #[test]
    fn text_after_a_closing_quote_is_an_error() {
        assert_eq!(cut(COMMA, "x,\"a\"b,c\n", true).0, Scan::AfterQuote { at: 5 });
        let trimming = Dialect { trim: true, ..COMMA };
        assert_eq!(cut(trimming, " a ,  \"b \" , \n", true).1, ["a", "b ", ""]);
        let plain = Dialect { quote: None, ..COMMA };
        assert_eq!(cut(plain, "\"a\",b", true).1, ["\"a\"", "b"]);
    }
}
