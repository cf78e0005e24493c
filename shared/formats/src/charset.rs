//! Character sets: bytes as they are stored become UTF-8, a piece at a time, and no byte is guessed.

use bridge_core::feed::Charset;
use encoding_rs::{Decoder, DecoderResult, Encoding};

/// The code page of the first PCs (IBM 437), bytes 128 to 255.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// How many bytes a piece of text takes in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Utf8,
    OneByte,
    Utf16,
}

/// Bytes into text. What is left of a character at the end of a piece waits for the next.
pub(crate) struct Reading {
    charset: Charset,
    width: Width,
    way: Way,
}

enum Way {
    /// What an incomplete character left over: three bytes at most.
    Utf8(Vec<u8>),
    Latin1,
    Table(Vec<char>),
    Encoding(Box<Decoder>),
}

/// A byte that is not in the character set: how many bytes of the piece are good text before it.
#[derive(Debug)]
pub(crate) struct Invalid;

impl Reading {
    /// `charset` is any but [`Charset::Auto`], which is read as UTF-8.
    pub(crate) fn new(charset: Charset) -> Self {
        let by = |encoding: &'static Encoding| {
            Way::Encoding(Box::new(encoding.new_decoder_without_bom_handling()))
        };
        let (width, way) = match charset {
            Charset::Auto | Charset::Utf8 => (Width::Utf8, Way::Utf8(Vec::new())),
            Charset::Utf16Le => (Width::Utf16, by(encoding_rs::UTF_16LE)),
            Charset::Utf16Be => (Width::Utf16, by(encoding_rs::UTF_16BE)),
            Charset::Iso8859_1 => (Width::OneByte, Way::Latin1),
            Charset::Iso8859_15 => (Width::OneByte, by(encoding_rs::ISO_8859_15)),
            Charset::Windows1252 => (Width::OneByte, by(encoding_rs::WINDOWS_1252)),
            Charset::Cp437 => (Width::OneByte, Way::Table(CP437.chars().collect())),
        };
        let charset = if charset == Charset::Auto { Charset::Utf8 } else { charset };
        Self { charset, width, way }
    }

    pub(crate) fn charset(&self) -> Charset {
        self.charset
    }

    /// Appends what `bytes` say to `text`. With `last`, nothing may be left over.
    pub(crate) fn read(&mut self, bytes: &[u8], last: bool, text: &mut String) -> Result<(), Invalid> {
        match &mut self.way {
            Way::Utf8(rest) => utf8(rest, bytes, last, text),
            Way::Latin1 => {
                push_bytes(bytes, text, char::from);
                Ok(())
            }
            Way::Table(table) => {
                push_bytes(bytes, text, |b| {
                    table.get(usize::from(b) - 128).copied().unwrap_or(char::REPLACEMENT_CHARACTER)
                });
                Ok(())
            }
            Way::Encoding(decoder) => decode(decoder, bytes, last, text),
        }
    }

    /// How many bytes of the file `text` came from.
    pub(crate) fn stored_bytes(&self, text: &str) -> u64 {
        let bytes = match self.width {
            Width::Utf8 => text.len(),
            Width::OneByte => text.chars().count(),
            Width::Utf16 => 2 * text.chars().map(char::len_utf16).sum::<usize>(),
        };
        bytes as u64
    }
}

/// Runs of ASCII go over as they are.
fn push_bytes(mut bytes: &[u8], text: &mut String, above: impl Fn(u8) -> char) {
    while let Some(first) = bytes.first() {
        let ascii = bytes.iter().take_while(|b| b.is_ascii()).count();
        match bytes.get(..ascii).map(std::str::from_utf8) {
            Some(Ok(run)) if ascii > 0 => {
                text.push_str(run);
                bytes = bytes.get(ascii..).unwrap_or_default();
            }
            _ => {
                text.push(above(*first));
                bytes = bytes.get(1..).unwrap_or_default();
            }
        }
    }
}

fn utf8(rest: &mut Vec<u8>, mut bytes: &[u8], last: bool, text: &mut String) -> Result<(), Invalid> {
    // A character that the last piece began.
    while !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(whole) => {
                text.push_str(whole);
                rest.clear();
            }
            Err(e) if e.error_len().is_some() => return Err(Invalid),
            Err(_) => match bytes.split_first() {
                Some((next, after)) => {
                    rest.push(*next);
                    bytes = after;
                }
                None => return if last { Err(Invalid) } else { Ok(()) },
            },
        }
    }
    match std::str::from_utf8(bytes) {
        Ok(piece) => text.push_str(piece),
        Err(e) => {
            let (good, after) = bytes.split_at(e.valid_up_to());
            if let Ok(piece) = std::str::from_utf8(good) {
                text.push_str(piece);
            }
            if last || e.error_len().is_some() {
                return Err(Invalid);
            }
            rest.extend_from_slice(after);
        }
    }
    Ok(())
}

fn decode(decoder: &mut Decoder, mut bytes: &[u8], last: bool, text: &mut String) -> Result<(), Invalid> {
    loop {
        let room =
            decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len() * 3 + 16);
        text.reserve(room);
        match decoder.decode_to_string_without_replacement(bytes, text, last) {
            (DecoderResult::InputEmpty, _) => return Ok(()),
            (DecoderResult::OutputFull, read) => bytes = bytes.get(read..).unwrap_or_default(),
            (DecoderResult::Malformed(..), _) => return Err(Invalid),
        }
    }
}

/// A byte order mark at the beginning of a file, and how long it is.
pub(crate) fn byte_order_mark(head: &[u8]) -> Option<(Charset, usize)> {
    match head {
        [0xef, 0xbb, 0xbf, ..] => Some((Charset::Utf8, 3)),
        [0xff, 0xfe, ..] => Some((Charset::Utf16Le, 2)),
        [0xfe, 0xff, ..] => Some((Charset::Utf16Be, 2)),
        _ => None,
    }
}

/// The set a file's own declaration names: `encoding` of an XML declaration (XML 1.0 §4.3.3), field 9206 of xDT.
pub(crate) fn named(name: &str) -> Option<Charset> {
    let of = [
        (Charset::Utf8, "utf-8"),
        (Charset::Utf8, "utf8"),
        (Charset::Utf8, "us-ascii"),
        (Charset::Utf16Le, "utf-16le"),
        (Charset::Utf16Be, "utf-16be"),
        (Charset::Iso8859_1, "iso-8859-1"),
        (Charset::Iso8859_1, "latin1"),
        (Charset::Iso8859_15, "iso-8859-15"),
        (Charset::Windows1252, "windows-1252"),
        (Charset::Windows1252, "cp1252"),
        (Charset::Cp437, "ibm437"),
        (Charset::Cp437, "cp437"),
    ];
    of.into_iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(charset, _)| charset)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pieces_of_any_size_give_the_same_text_and_the_bytes_it_came_from() {
        for (charset, bytes, text) in [
            (Charset::Utf8, "Zoë 日本 🦷".as_bytes().to_vec(), "Zoë 日本 🦷"),
            (Charset::Utf16Le, "Zoë 🦷".encode_utf16().flat_map(u16::to_le_bytes).collect(), "Zoë 🦷"),
            (Charset::Utf16Be, "Zoë 🦷".encode_utf16().flat_map(u16::to_be_bytes).collect(), "Zoë 🦷"),
            (Charset::Iso8859_1, b"Zo\xeb \x80".to_vec(), "Zoë \u{80}"),
            (Charset::Iso8859_15, b"Zo\xeb \xa4".to_vec(), "Zoë €"),
            (Charset::Windows1252, b"Zo\xeb \x80 \x96".to_vec(), "Zoë € –"),
            (Charset::Cp437, b"Zo\x89 M\x81ller \xe1".to_vec(), "Zoë Müller ß"),
        ] {
            for size in 1..=bytes.len() {
                let mut reading = Reading::new(charset);
                let mut read = String::new();
                for piece in bytes.chunks(size) {
                    reading.read(piece, false, &mut read).unwrap();
                }
                reading.read(b"", true, &mut read).unwrap();
                assert_eq!(read, text, "{charset:?} by {size}");
                assert_eq!(reading.stored_bytes(&read), bytes.len() as u64, "{charset:?}");
            }
        }
    }

    #[test]
    fn what_is_not_in_the_set_is_refused_after_the_text_before_it() {
        for (charset, bytes, before) in [
            (Charset::Utf8, b"ab\xff".as_slice(), "ab"),
            (Charset::Utf8, b"ab\xc3", "ab"),
            (Charset::Utf8, b"\xed\xa0\x80", ""),
            (Charset::Utf16Le, b"a\0\x00\xd8b\0", "a"),
            (Charset::Utf16Le, b"a\0b", "a"),
        ] {
            for size in 1..=bytes.len() {
                let mut reading = Reading::new(charset);
                let mut read = String::new();
                let mut all = bytes.chunks(size).map(|p| (p, false)).chain([(b"".as_slice(), true)]);
                assert!(all.any(|(piece, last)| reading.read(piece, last, &mut read).is_err()));
                assert_eq!(read, before, "{charset:?} by {size}");
            }
        }
    }

    #[test]
    fn code_page_437_has_its_128_characters() {
        assert_eq!(CP437.chars().count(), 128);
    }
}
