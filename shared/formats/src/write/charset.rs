//! Text into the bytes of a character set: the reverse of how they are read, by the same table.

use std::collections::HashMap;

use bridge_core::feed::Charset;

use super::{Unwritable, WriteFault};
use crate::charset::Reading;

/// How text becomes bytes.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    charset: Charset,
    /// What bytes above 127 stand for, in sets of one byte.
    above: HashMap<char, u8>,
}

impl Encoder {
    /// [`Charset::Auto`] is written as UTF-8.
    pub(super) fn new(charset: Charset) -> Self {
        let is_unicode =
            matches!(charset, Charset::Auto | Charset::Utf8 | Charset::Utf16Le | Charset::Utf16Be);
        let charset = if charset == Charset::Auto { Charset::Utf8 } else { charset };
        let mut above = HashMap::new();
        for byte in (128..=255).filter(|_| !is_unicode) {
            let mut text = String::new();
            if Reading::new(charset).read(&[byte], true, &mut text).is_ok()
                && let Some(character) = text.chars().next()
            {
                above.entry(character).or_insert(byte);
            }
        }
        Self { charset, above }
    }

    pub(super) const fn charset(&self) -> Charset {
        self.charset
    }

    /// The mark in front of UTF-16, by which programs know it.
    pub(super) fn mark(&self, out: &mut Vec<u8>) {
        match self.charset {
            Charset::Utf16Le => out.extend([0xff, 0xfe]),
            Charset::Utf16Be => out.extend([0xfe, 0xff]),
            _ => {}
        }
    }

    /// Whether every character of `text` is in the set.
    pub(super) fn check(&self, text: &str, place: impl FnOnce() -> String) -> Result<(), Unwritable> {
        let known = |c: char| c.is_ascii() || self.above.contains_key(&c);
        if self.above.is_empty() || text.chars().all(known) {
            return Ok(());
        }
        Err(WriteFault::Charset { charset: self.charset.name() }.at(place()))
    }

    /// Appends the bytes of `text`, all of whose characters have to be in the set.
    pub(super) fn encode(&self, text: &str, out: &mut Vec<u8>) -> Result<(), Unwritable> {
        match self.charset {
            Charset::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
            Charset::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            _ if self.above.is_empty() => out.extend_from_slice(text.as_bytes()),
            _ => {
                self.check(text, String::new)?;
                let byte = |c: char| {
                    u8::try_from(c).ok().filter(u8::is_ascii).or_else(|| self.above.get(&c).copied())
                };
                out.extend(text.chars().filter_map(byte));
            }
        }
        Ok(())
    }

    /// How many bytes `text` has.
    pub(super) fn length(&self, text: &str) -> usize {
        match self.charset {
            Charset::Utf16Le | Charset::Utf16Be => 2 * text.encode_utf16().count(),
            _ if self.above.is_empty() => text.len(),
            _ => text.chars().count(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_byte_of_every_set_comes_back() {
        for charset in [Charset::Iso8859_1, Charset::Iso8859_15, Charset::Windows1252, Charset::Cp437] {
            let (encoder, all) = (Encoder::new(charset), (0..=255).collect::<Vec<u8>>());
            let (mut text, mut bytes) = (String::new(), Vec::new());
            Reading::new(charset).read(&all, true, &mut text).unwrap();
            encoder.encode(&text, &mut bytes).unwrap();
            assert_eq!(bytes, all, "{charset:?}");
            assert_eq!(encoder.length(&text), 256);
        }
    }

    #[test]
    fn a_character_that_is_not_in_the_set_is_refused_and_nothing_stands_in_for_it() {
        let mut bytes = Vec::new();
        for (charset, text) in
            [(Charset::Iso8859_1, "€"), (Charset::Cp437, "Œ"), (Charset::Windows1252, "日")]
        {
            let error = Encoder::new(charset).encode(text, &mut bytes).unwrap_err();
            assert_eq!(error.fault, WriteFault::Charset { charset: charset.name() });
        }
        assert!(bytes.is_empty());
    }
}
