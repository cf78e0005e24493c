//! Writes JSON straight into a byte buffer: members in the order they are written, nothing built beside it.
//!
//! Knows JSON, not FHIR, except for one rule: FHIR allows no empty object, array or string, so what turns out empty is
//! taken back, its name included. That is what lets a mapping open an array before it knows whether anything goes in.

use uuid::Uuid;

/// A JSON document being written. Every method appends one member (or element) and keeps the commas right.
#[derive(Debug, Default)]
pub(crate) struct Json {
    out: Vec<u8>,
}

impl Json {
    pub(crate) fn reusing(mut out: Vec<u8>) -> Self {
        out.clear();
        Self { out }
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.out
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// Room taken so far; [`Json::since`] tells whether something was written after it.
    pub(crate) fn mark(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn since(&self, mark: usize) -> bool {
        self.out.len() > mark
    }

    /// The document itself: one object.
    #[inline]
    pub(crate) fn document(&mut self, write: impl FnOnce(&mut Self)) {
        self.out.push(b'{');
        write(self);
        self.out.push(b'}');
    }

    /// A member that is an object. Tells whether it was kept.
    #[inline]
    pub(crate) fn object(&mut self, key: &str, write: impl FnOnce(&mut Self)) -> bool {
        let before = self.out.len();
        self.key(key);
        self.enclosed(before, b'{', b'}', write)
    }

    /// A member that is an array; its elements are written with [`Json::item`] or [`Json::element`].
    #[inline]
    pub(crate) fn array(&mut self, key: &str, write: impl FnOnce(&mut Self)) -> bool {
        let before = self.out.len();
        self.key(key);
        self.enclosed(before, b'[', b']', write)
    }

    /// An element that is an object.
    #[inline]
    pub(crate) fn item(&mut self, write: impl FnOnce(&mut Self)) -> bool {
        let before = self.out.len();
        self.comma();
        self.enclosed(before, b'{', b'}', write)
    }

    /// An element that is a string.
    pub(crate) fn element(&mut self, text: &str) {
        if !text.is_empty() {
            self.comma();
            self.quoted(text);
        }
    }

    /// An array of one object, as FHIR asks for where v2 has one value.
    #[inline]
    pub(crate) fn one(&mut self, key: &str, write: impl FnOnce(&mut Self)) -> bool {
        self.array(key, |w| {
            w.item(write);
        })
    }

    /// An element of `extension`; nothing, when `write` writes nothing: an extension says something (ext-1).
    #[inline]
    pub(crate) fn extension(&mut self, url: &str, write: impl FnOnce(&mut Self)) -> bool {
        let before = self.out.len();
        self.comma();
        self.out.push(b'{');
        self.code("url", url);
        let inside = self.out.len();
        write(self);
        let kept = self.out.len() > inside;
        if kept {
            self.out.push(b'}');
        } else {
            self.out.truncate(before);
        }
        kept
    }

    /// An `extension` array of one.
    #[inline]
    pub(crate) fn one_extension(&mut self, url: &str, write: impl FnOnce(&mut Self)) -> bool {
        self.array("extension", |w| {
            w.extension(url, write);
        })
    }

    /// A member that is a string.
    #[inline]
    pub(crate) fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            self.key(key);
            self.quoted(text);
        }
    }

    /// A member that is a string put together from pieces.
    pub(crate) fn joined(&mut self, key: &str, pieces: &[&str]) {
        if pieces.iter().any(|p| !p.is_empty()) {
            self.key(key);
            self.out.push(b'"');
            for piece in pieces {
                self.escaped(piece);
            }
            self.out.push(b'"');
        }
    }

    /// A member that is a string known to need no escape: our own codes and URLs.
    #[inline]
    pub(crate) fn code(&mut self, key: &str, code: &str) {
        self.key(key);
        self.out.push(b'"');
        self.out.extend_from_slice(code.as_bytes());
        self.out.push(b'"');
    }

    /// A member whose JSON is given: numbers and booleans.
    #[inline]
    pub(crate) fn literal(&mut self, key: &str, json: &str) {
        self.key(key);
        self.out.extend_from_slice(json.as_bytes());
    }

    #[inline]
    pub(crate) fn boolean(&mut self, key: &str, value: bool) {
        self.literal(key, if value { "true" } else { "false" });
    }

    /// A reference to a resource: `{"reference": "Type/id"}`.
    #[inline]
    pub(crate) fn reference(&mut self, key: &str, kind: &str, id: Uuid) {
        self.object(key, |w| w.reference_member(kind, id));
    }

    /// The `reference` member alone, for an object that says more.
    #[inline]
    pub(crate) fn reference_member(&mut self, kind: &str, id: Uuid) {
        self.key("reference");
        self.out.push(b'"');
        self.out.extend_from_slice(kind.as_bytes());
        self.out.push(b'/');
        self.uuid(id);
        self.out.push(b'"');
    }

    pub(crate) fn id(&mut self, key: &str, id: Uuid) {
        self.key(key);
        self.out.push(b'"');
        self.uuid(id);
        self.out.push(b'"');
    }

    /// Appends a finished JSON value as an element.
    pub(crate) fn raw_element(&mut self, json: &[u8]) {
        self.comma();
        self.out.extend_from_slice(json);
    }

    /// Appends a finished member, its name included.
    pub(crate) fn raw_member(&mut self, json: &[u8]) {
        if !json.is_empty() {
            self.comma();
            self.out.extend_from_slice(json);
        }
    }

    /// Inside a string opened by the caller.
    pub(crate) fn push(&mut self, plain: &[u8]) {
        self.out.extend_from_slice(plain);
    }

    #[inline]
    pub(crate) fn key(&mut self, key: &str) {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn uuid(&mut self, id: Uuid) {
        self.out.extend_from_slice(&hyphenated(id));
    }

    #[inline]
    fn enclosed(&mut self, before: usize, open: u8, close: u8, write: impl FnOnce(&mut Self)) -> bool {
        self.out.push(open);
        let inside = self.out.len();
        write(self);
        let kept = self.out.len() > inside;
        if kept {
            self.out.push(close);
        } else {
            self.out.truncate(before);
        }
        kept
    }

    #[inline]
    fn comma(&mut self) {
        if !matches!(self.out.last(), None | Some(b'{' | b'[')) {
            self.out.push(b',');
        }
    }

    fn quoted(&mut self, text: &str) {
        self.out.push(b'"');
        self.escaped(text);
        self.out.push(b'"');
    }

    /// RFC 8259 §7: quotation mark, reverse solidus and control characters.
    pub(crate) fn escaped(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let (mut done, mut at) = (0, plain(bytes, 0));
        while let Some(byte) = bytes.get(at) {
            if !NEEDS_ESCAPE[usize::from(*byte)] {
                at += 1;
                continue;
            }
            self.out.extend_from_slice(&bytes[done..at]);
            done = at + 1;
            at = plain(bytes, done);
            match byte {
                b'"' => self.out.extend_from_slice(b"\\\""),
                b'\\' => self.out.extend_from_slice(b"\\\\"),
                b'\n' => self.out.extend_from_slice(b"\\n"),
                b'\r' => self.out.extend_from_slice(b"\\r"),
                b'\t' => self.out.extend_from_slice(b"\\t"),
                _ => {
                    const HEX: &[u8; 16] = b"0123456789abcdef";
                    let (high, low) = (HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]);
                    self.out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
                }
            }
        }
        self.out.extend_from_slice(&bytes[done..]);
    }
}

/// How far `bytes` need no escape, from `at` on and in whole words: text is mostly so.
fn plain(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const TOPS: u64 = u64::from_le_bytes([0x80; 8]);
    let (words, _) = bytes[at..].as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        // The top bit of each byte that is less than a space, a quotation mark or a reverse solidus; more than those
        // only after one of them.
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let is = |byte: u8| {
            let differs = word ^ (ONES * u64::from(byte));
            differs.wrapping_sub(ONES) & !differs
        };
        if (control | is(b'"') | is(b'\\')) & TOPS != 0 {
            break;
        }
        at += 8;
    }
    at
}

/// The 36 characters of an id.
pub(crate) fn hyphenated(id: Uuid) -> [u8; 36] {
    const AT: [usize; 16] = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];
    let mut text = [b'-'; 36];
    for (byte, at) in id.as_bytes().iter().zip(AT) {
        [text[at], text[at + 1]] = PAIRS[usize::from(*byte)];
    }
    text
}

/// Two hexadecimal digits for each byte.
const PAIRS: [[u8; 2]; 256] = {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [HEX[byte >> 4], HEX[byte & 15]];
        byte += 1;
    }
    pairs
};

const NEEDS_ESCAPE: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn written(write: impl FnOnce(&mut Json)) -> String {
        let mut json = Json::default();
        json.document(write);
        String::from_utf8(json.into_bytes()).unwrap()
    }

    #[test]
    fn what_is_empty_is_taken_back() {
        let text = written(|w| {
            w.text("a", "");
            w.object("b", |w| {
                w.array("c", |w| {
                    w.item(|_| {});
                });
            });
            w.text("d", "kept");
            w.one("e", |w| w.boolean("f", true));
        });
        assert_eq!(text, r#"{"d":"kept","e":[{"f":true}]}"#);
    }

    proptest! {
        #[test]
        fn an_id_is_written_as_everybody_writes_it(id in any::<u128>()) {
            let id = Uuid::from_u128(id);
            prop_assert_eq!(String::from_utf8(hyphenated(id).to_vec()).unwrap(), id.to_string());
        }

        #[test]
        fn any_text_reads_back(text in any::<String>()) {
            let read: Value = serde_json::from_str(&written(|w| w.text("a", &text))).unwrap();
            prop_assert_eq!(read.get("a").and_then(Value::as_str).unwrap_or(""), text);
        }
    }
}
