//! Escape sequences (HL7 v2.5.1 §2.7): text inside a value to text, and back.
//!
//! Works byte-wise on UTF-8 (an escape character is ASCII, so it never stands inside another character) and
//! allocates only when there is something to replace.

use std::borrow::Cow;

use crate::{charset::Charset, delimiters::Delimiters, scan::find};

/// Reads the escape sequences of `raw`, as the table at [`Value::text`](crate::Value::text) says.
pub(crate) fn decode<'t>(raw: &'t str, delimiters: &Delimiters, charset: Charset) -> Cow<'t, str> {
    let Some(escape) = delimiters.escape else { return Cow::Borrowed(raw) };
    let Some(first) = find(escape, raw.as_bytes()) else { return Cow::Borrowed(raw) };
    let mut text = String::with_capacity(raw.len());
    text.push_str(&raw[..first]);
    let mut rest = &raw[first..];
    // `rest` begins with an escape character at the head of each round.
    while let Some(close) = find(escape, &rest.as_bytes()[1..]).map(|i| i + 1) {
        let body = &rest[1..close];
        if sequence(body, delimiters, &mut text) {
            rest = &rest[close + 1..];
        } else if body.starts_with('X') {
            let (run, after) = hex_run(rest, escape, charset);
            text.push_str(&run);
            rest = after;
        } else if body.starts_with(['Z', 'C', 'M']) && !body.contains(' ') {
            text.push_str(&rest[..=close]);
            rest = &rest[close + 1..];
        } else {
            // No sequence: the escape character is text, and the one that seemed to close it may open
            // another.
            text.push_str(&rest[..close]);
            rest = &rest[close..];
            continue;
        }
        let Some(next) = find(escape, rest.as_bytes()) else { break };
        text.push_str(&rest[..next]);
        rest = &rest[next..];
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// Writes what `\body\` stands for; false when it is none of the sequences of fixed meaning.
fn sequence(body: &str, delimiters: &Delimiters, text: &mut String) -> bool {
    let delimiter = match body {
        "F" => Some(delimiters.field),
        "S" => Some(delimiters.component),
        "T" => delimiters.subcomponent,
        "R" => delimiters.repetition,
        "E" => delimiters.escape,
        "P" => delimiters.truncation,
        "H" | "N" => return true,
        _ => return body.strip_prefix('.').is_some_and(|command| format(command, text)),
    };
    if let Some(c) = delimiter {
        text.push(c.into());
    }
    delimiter.is_some()
}

/// Formatting commands of FT data (§2.7.6). Counts above 99 are no sequence: they would let a short message
/// grow into a huge text.
fn format(command: &str, text: &mut String) -> bool {
    let Some((name, argument)) = command.split_at_checked(2) else { return false };
    let argument = argument.trim();
    let digits = argument.strip_prefix('+').unwrap_or(argument);
    let count = match digits.len() {
        0 => Some(1),
        1 | 2 => digits.parse::<usize>().ok(),
        _ => None,
    };
    let repeat = match name.to_ascii_lowercase().as_str() {
        "br" | "ce" if argument.is_empty() => "\n",
        "sp" => "\n",
        "sk" => " ",
        "fi" | "nf" if argument.is_empty() => return true,
        "in" | "ti" => return argument.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-')),
        _ => return false,
    };
    let Some(count) = count else { return false };
    text.extend(std::iter::repeat_n(repeat, count));
    true
}

/// A run of `\X..\` sequences, read together (a sender may write each byte of one character as a sequence of
/// its own): its text, or itself when the bytes are none, and what follows it.
fn hex_run(rest: &str, escape: u8, charset: Charset) -> (Cow<'_, str>, &str) {
    let mut bytes = Vec::new();
    let mut after = rest;
    while let Some((body, tail)) = hex(after, escape) {
        bytes.extend(
            body.as_chunks::<2>().0.iter().filter_map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)),
        );
        after = tail;
    }
    if bytes.is_empty() {
        // Not hexadecimal at all: one sequence, kept.
        let end = find(escape, &rest.as_bytes()[1..]).map_or(rest.len(), |i| i + 2);
        return (Cow::Borrowed(&rest[..end]), &rest[end..]);
    }
    match charset.decode(&bytes) {
        Ok(text) => (Cow::Owned(text.into_owned()), after),
        Err(_) => (Cow::Borrowed(&rest[..rest.len() - after.len()]), after),
    }
}

/// One `\Xdd..\` at the front: its digits, and what follows.
fn hex(rest: &str, escape: u8) -> Option<(&[u8], &str)> {
    let bytes = rest.as_bytes();
    let [open, b'X', body @ ..] = bytes else { return None };
    if *open != escape {
        return None;
    }
    let end = find(escape, body)?;
    let digits = &body[..end];
    let valid = end > 0 && end % 2 == 0 && digits.iter().all(u8::is_ascii_hexdigit);
    valid.then(|| (digits, &rest[end + 3..]))
}

fn digit(c: u8) -> Option<u8> {
    char::from(c).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Writes `text` so that [`decode`] gives it back: delimiters as their letters, a line feed as `\.br\`, other
/// control characters in hexadecimal (a raw carriage return would end the segment, a raw 0x1C the MLLP
/// frame).
///
/// `None` when a character needs an escape and the message has no escape character.
pub(crate) fn encode<'t>(text: &'t str, delimiters: &Delimiters) -> Option<Cow<'t, str>> {
    let special = |b: u8| letter(b, delimiters).is_some() || b < 0x20 && b != b'\t' || b == 0x7f;
    let Some(first) = text.bytes().position(special) else { return Some(Cow::Borrowed(text)) };
    let escape = char::from(delimiters.escape?);
    let mut out = String::with_capacity(text.len() + 8);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        let code = match u8::try_from(c) {
            Ok(b) if special(b) => b,
            _ => {
                out.push(c);
                continue;
            }
        };
        out.push(escape);
        match letter(code, delimiters) {
            Some(letter) => out.push(letter),
            // Where the dot is a delimiter, it would cut the sequence.
            None if code == b'\n' && letter(b'.', delimiters).is_none() => out.push_str(".br"),
            None => {
                out.push('X');
                out.extend([code >> 4, code & 15].map(|d| char::from(b"0123456789ABCDEF"[usize::from(d)])));
            }
        }
        out.push(escape);
    }
    Some(Cow::Owned(out))
}

fn letter(b: u8, d: &Delimiters) -> Option<char> {
    // The truncation character needs no escape: it means something only at the end of a truncated value.
    let pairs = [
        (Some(d.field), 'F'),
        (Some(d.component), 'S'),
        (d.subcomponent, 'T'),
        (d.repetition, 'R'),
        (d.escape, 'E'),
    ];
    pairs.into_iter().find(|(c, _)| *c == Some(b)).map(|(_, letter)| letter)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn read(raw: &str) -> Cow<'_, str> {
        decode(raw, &Delimiters::STANDARD, Charset::Utf8)
    }

    #[test]
    fn nothing_to_replace_allocates_nothing() {
        assert!(matches!(read("Ångström & co"), Cow::Borrowed(_)));
        assert!(matches!(encode("Ångström, co", &Delimiters::STANDARD), Some(Cow::Borrowed(_))));
    }

    #[test]
    fn every_sequence() {
        for (raw, text) in [
            (r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f"),
            (r"\H\bold\N\ plain", "bold plain"),
            (r"one\.br\two\.BR\three", "one\ntwo\nthree"),
            (r"one\.sp\two\.sp2\three\.sp+1\four\.ce\five", "one\ntwo\n\nthree\nfour\nfive"),
            (r"a\.sk3\b\.in+4\c\.ti-2\d\.fi\e\.nf\f", "a   bcdef"),
            (r"\X41\\X4243\", "ABC"),
            (r"Zo\XC3AB\ and Zo\XC3\\XAB\", "Zoë and Zoë"),
            (r"Zoë\T\Müller", "Zoë&Müller"),
        ] {
            assert_eq!(read(raw), text, "{raw}");
        }
    }

    #[test]
    fn unknown_and_broken_sequences_are_kept() {
        for raw in [
            r"\Zsite\",
            r"\C2842\",
            r"\M2442\",
            r"\X4\",
            r"\X\",
            r"\XZZ\",
            r"\XFF\",
            r"C:\temp\new",
            r"\",
            r"a\",
            r"\\",
            r"\.xx\",
            r"\.sp999999999\",
            r"\.\",
            r"\Q\",
            r"\f\",
            r"\X41",
            r"\X41\\X4\",
        ] {
            // The one that mixes a good with a bad sequence reads only the good one.
            let expected = if raw == r"\X41\\X4\" { r"A\X4\" } else { raw };
            assert_eq!(read(raw), expected, "{raw}");
        }
    }

    #[test]
    fn a_stray_escape_character_does_not_swallow_the_next_sequence() {
        assert_eq!(read(r"C:\ then\.br\next"), "C:\\ then\nnext");
        assert_eq!(read(r"a\b\T\c"), r"a\b&c");
    }

    #[test]
    fn hexadecimal_is_read_in_the_charset_of_the_message() {
        assert_eq!(decode(r"M\XFC\ller", &Delimiters::STANDARD, Charset::Iso8859_1), "Müller");
        assert_eq!(decode(r"M\XFC\ller", &Delimiters::STANDARD, Charset::Utf8), r"M\XFC\ller");
    }

    #[test]
    fn custom_delimiters() {
        let d = Delimiters::new(b'#', "!@%*").unwrap();
        assert_eq!(decode(r"a%F%b%S%c%T%d%R%e%E%f\T\", &d, Charset::Utf8), r"a#b!c*d@e%f\T\");
        assert_eq!(encode(r"a#b|c", &d).unwrap(), r"a%F%b|c");
        let without = Delimiters::new(b'|', "^~").unwrap();
        assert_eq!(decode(r"a\T\b", &without, Charset::Utf8), r"a\T\b");
        assert_eq!(encode("a|b", &without), None);
        let dotted = Delimiters::new(b'|', "^.~&").unwrap();
        assert_eq!(encode("a\nb.c", &dotted).unwrap(), "a~X0A~b~R~c");
        assert_eq!(decode("a~X0A~b~R~c", &dotted, Charset::Utf8), "a\nb.c");
    }

    #[test]
    fn line_ends_and_framing_bytes_never_stay_raw() {
        assert_eq!(encode("a\r\nb\x0b\x1c", &Delimiters::STANDARD).unwrap(), r"a\X0D\\.br\b\X0B\\X1C\");
    }

    proptest! {
        #[test]
        fn encoding_then_decoding_is_the_identity(text in any::<String>()) {
            let d = Delimiters::STANDARD;
            let raw = encode(&text, &d).unwrap();
            prop_assert!(!raw.bytes().any(|b| matches!(b, b'|' | b'^' | b'~' | b'&' | b'\r' | b'\n' | 0x1c)));
            prop_assert_eq!(decode(&raw, &d, Charset::Utf8), text.as_str());
        }

        #[test]
        fn decoding_never_panics(raw in r"[\\XFSTREHN.brspkZ0-9A-Fé日 ]{0,40}", latin in any::<bool>()) {
            let charset = if latin { Charset::Windows1252 } else { Charset::Utf8 };
            decode(&raw, &Delimiters::STANDARD, charset);
        }
    }
}
