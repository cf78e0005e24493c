//! The characters a message is cut by: MSH-1 and MSH-2 (HL7 v2.5.1 §2.5.4, v2.7 for the fifth one).
//!
//! Reads and checks them; cuts nothing itself.

use crate::error::{Error, HeaderFault};

/// The delimiters of one message. All are ASCII, printable, neither letter nor digit, and distinct.
///
/// MSH-2 may be short: a sender that uses no subcomponents may leave out the last characters, and what is
/// left out is `None` here and never cuts anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delimiters {
    pub(crate) field: u8,
    pub(crate) component: u8,
    pub(crate) repetition: Option<u8>,
    pub(crate) escape: Option<u8>,
    pub(crate) subcomponent: Option<u8>,
    pub(crate) truncation: Option<u8>,
}

impl Delimiters {
    /// The delimiters the standard recommends: `|^~\&`.
    pub const STANDARD: Self = Self {
        field: b'|',
        component: b'^',
        repetition: Some(b'~'),
        escape: Some(b'\\'),
        subcomponent: Some(b'&'),
        truncation: None,
    };

    /// From the field separator (MSH-1) and the encoding characters (MSH-2), for example `|` and `^~\&`.
    ///
    /// # Errors
    /// [`Error::Header`] when MSH-2 is empty or longer than five characters, or when a character is a letter,
    /// a digit, a space, a control character, not ASCII, or used twice.
    pub fn new(field: u8, encoding: &str) -> Result<Self, Error> {
        let fault = |fault| Err(Error::Header { segment: "MSH", fault });
        let encoding = encoding.as_bytes();
        if !field.is_ascii_punctuation() {
            return fault(HeaderFault::FieldSeparator);
        }
        if encoding.is_empty() {
            return fault(HeaderFault::NoEncodingCharacters);
        }
        if encoding.len() > 5 {
            return fault(HeaderFault::TooManyEncodingCharacters);
        }
        for (i, c) in encoding.iter().enumerate() {
            if !c.is_ascii_punctuation() {
                return fault(HeaderFault::EncodingCharacter);
            }
            if *c == field || encoding[..i].contains(c) {
                return fault(HeaderFault::RepeatedDelimiter);
            }
        }
        Ok(Self {
            field,
            component: encoding[0],
            repetition: encoding.get(1).copied(),
            escape: encoding.get(2).copied(),
            subcomponent: encoding.get(3).copied(),
            truncation: encoding.get(4).copied(),
        })
    }

    /// Reads them from the first line of a message or batch: `bytes` begins with a segment name and MSH-1.
    pub(crate) fn of_header(segment: &'static str, bytes: &[u8]) -> Result<Self, Error> {
        let fault = |fault| Error::Header { segment, fault };
        let Some((&field, rest)) = bytes.get(3..).and_then(<[u8]>::split_first) else {
            return Err(fault(HeaderFault::FieldSeparator));
        };
        let end = rest.iter().take(8).position(|c| *c == field || matches!(c, b'\r' | b'\n'));
        let encoding = &rest[..end.unwrap_or(rest.len().min(8))];
        // Not UTF-8 means a character that is not ASCII, which `new` would refuse as well.
        let encoding = std::str::from_utf8(encoding).map_err(|_| fault(HeaderFault::EncodingCharacter))?;
        Self::new(field, encoding).map_err(|e| match e {
            Error::Header { fault: found, .. } => fault(found),
            other => other,
        })
    }

    /// MSH-1, the field separator.
    pub fn field(&self) -> char {
        self.field.into()
    }

    /// MSH-2 as it is written, for example `^~\&`.
    pub fn encoding_characters(&self) -> String {
        [Some(self.component), self.repetition, self.escape, self.subcomponent, self.truncation]
            .into_iter()
            .map_while(|c| c.map(char::from))
            .collect()
    }
}

impl Default for Delimiters {
    fn default() -> Self {
        Self::STANDARD
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fault(field: u8, encoding: &str) -> HeaderFault {
        match Delimiters::new(field, encoding).unwrap_err() {
            Error::Header { fault, .. } => fault,
            other => panic!("unexpected {other}"),
        }
    }

    #[test]
    fn standard_is_what_new_reads() {
        assert_eq!(Delimiters::new(b'|', r"^~\&").unwrap(), Delimiters::STANDARD);
        assert_eq!(Delimiters::STANDARD.encoding_characters(), r"^~\&");
    }

    #[test]
    fn short_and_long_forms_of_msh2() {
        let short = Delimiters::new(b'|', "^~").unwrap();
        assert_eq!((short.escape, short.subcomponent), (None, None));
        assert_eq!(short.encoding_characters(), "^~");
        let v27 = Delimiters::new(b'|', r"^~\&#").unwrap();
        assert_eq!(v27.truncation, Some(b'#'));
        assert_eq!(v27.encoding_characters(), r"^~\&#");
    }

    #[test]
    fn each_bad_form_has_its_own_fault() {
        assert_eq!(fault(b'A', r"^~\&"), HeaderFault::FieldSeparator);
        assert_eq!(fault(b'|', ""), HeaderFault::NoEncodingCharacters);
        assert_eq!(fault(b'|', r"^~\&#!"), HeaderFault::TooManyEncodingCharacters);
        assert_eq!(fault(b'|', "^~\u{e9}"), HeaderFault::EncodingCharacter);
        assert_eq!(fault(b'|', "^~x"), HeaderFault::EncodingCharacter);
        assert_eq!(fault(b'|', "^^"), HeaderFault::RepeatedDelimiter);
        assert_eq!(fault(b'|', "^|"), HeaderFault::RepeatedDelimiter);
    }
}
