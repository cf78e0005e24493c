//! Which character set a message is read in.

use std::borrow::Cow;

use super::Charset;
use crate::{
    error::{Error, UnknownCharset},
    location::{self, Location},
    message::MSH,
};

/// How to read the bytes of a message: a connection's setting. As configuration (feature `serde`) it is
/// `always`, or `undeclared`, or nothing: `{ always: windows-1252 }`, `{ undeclared: utf-8-or-windows-1252
/// }`, `{ undeclared: refuse }`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(from = "super::setting::Setting", into = "super::setting::Setting"))]
pub enum Reading {
    /// As MSH-18 declares; a message that is not ASCII and declares nothing (or ASCII) is read as
    /// `undeclared` says.
    Declared {
        /// For messages that declare nothing.
        undeclared: Undeclared,
    },
    /// As this set, whatever MSH-18 says: for senders known to declare one set and send another.
    Always(Charset),
}

/// What a message is read as that is not ASCII and does not say what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
pub enum Undeclared {
    /// Refused, naming the first such byte: a wrong guess misspells a patient's name.
    Refuse,
    /// Read as this set.
    As(Charset),
    /// Read as UTF-8 when it is valid UTF-8 (which other text almost never is by chance), else as this set.
    Utf8Or(Charset),
}

impl Default for Reading {
    /// Undeclared means UTF-8, and what is not valid UTF-8 is refused.
    fn default() -> Self {
        Self::Declared { undeclared: Undeclared::As(Charset::Utf8) }
    }
}

impl Reading {
    /// Turns the bytes of one message, which begin with its MSH, into text. No set is told for ASCII, which
    /// reads the same in all of them.
    pub(crate) fn decode(self, message: &[u8]) -> Result<(Cow<'_, str>, Option<Charset>), Error> {
        let utf8 = std::str::from_utf8(message);
        if let Ok(text) = utf8
            && text.is_ascii()
        {
            return Ok((Cow::Borrowed(text), None));
        }
        let charset = self.choose(msh18(message), utf8.is_ok()).map_err(|why| refuse(message, why))?;
        match charset.decode(message) {
            Ok(text) => Ok((text, Some(charset))),
            Err(offset) => Err(Error::Charset { location: place(message, offset), offset, charset }),
        }
    }

    /// The set of a message that is all ASCII: what its hexadecimal escapes are read as.
    pub(crate) fn of_ascii(self, msh18: &str) -> Charset {
        self.choose(msh18.as_bytes(), true).unwrap_or(Charset::Utf8)
    }

    fn choose(self, msh18: &[u8], is_utf8: bool) -> Result<Charset, UnknownCharset> {
        let undeclared = match self {
            Self::Always(set) => return Ok(set),
            Self::Declared { undeclared } => undeclared,
        };
        let why = match std::str::from_utf8(msh18).map(str::trim) {
            Ok("" | "\"\"") => UnknownCharset::Undeclared,
            Ok(name) => match Charset::from_msh18(name) {
                Some(Charset::Ascii) => UnknownCharset::DeclaredAscii,
                Some(set) => return Ok(set),
                None => return Err(UnknownCharset::Unsupported),
            },
            Err(_) => return Err(UnknownCharset::Unsupported),
        };
        match undeclared {
            Undeclared::Refuse => Err(why),
            Undeclared::Utf8Or(_) if is_utf8 => Ok(Charset::Utf8),
            Undeclared::As(set) | Undeclared::Utf8Or(set) => Ok(set),
        }
    }
}

/// The first repetition of MSH-18 in a message that begins with its MSH. Further repetitions need the escapes
/// of ISO 2022, which are kept as they are.
fn msh18(message: &[u8]) -> &[u8] {
    let line = &message[..memchr::memchr2(b'\r', b'\n', message).unwrap_or(message.len())];
    let Some(&separator) = line.get(3) else { return &[] };
    let repetition = line.get(5).copied();
    let field = line.split(|b| *b == separator).nth(17).unwrap_or_default();
    field.split(|b| Some(*b) == repetition).next().unwrap_or_default()
}

fn refuse(message: &[u8], why: UnknownCharset) -> Error {
    let offset = message.iter().position(|b| !b.is_ascii()).unwrap_or(0);
    Error::CharsetUnknown { location: place(message, offset), offset, why }
}

fn place(message: &[u8], offset: usize) -> Location {
    location::of_offset(message, offset).unwrap_or(Location::segment(MSH, 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn message(msh18: &str, name: &[u8]) -> Vec<u8> {
        let mut bytes =
            format!("MSH|^~\\&|A|B|C|D|20240101||ADT^A01|1|P|2.5||||||{msh18}\rPID|1||||").into_bytes();
        bytes.extend_from_slice(name);
        bytes
    }

    fn read(reading: Reading, msh18: &str, name: &[u8]) -> Result<String, Error> {
        let bytes = message(msh18, name);
        let (text, _) = reading.decode(&bytes)?;
        Ok(text.rsplit('|').next().unwrap().to_owned())
    }

    #[test]
    fn declared_sets_are_obeyed() {
        let reading = Reading::default();
        assert_eq!(read(reading, "8859/1", b"M\xfcller").unwrap(), "Müller");
        assert_eq!(read(reading, "8859/1", b"O\x92Neill").unwrap(), "O\u{2019}Neill");
        assert_eq!(read(reading, "8859/2", b"\xa3ukasz").unwrap(), "Łukasz");
        assert_eq!(read(reading, "8859/5~ISO IR87", b"\xb8\xd2\xd0\xdd").unwrap(), "Иван");
        assert_eq!(read(reading, "8859/15", b"\xa4").unwrap(), "€");
        assert_eq!(read(reading, "UNICODE UTF-8", "Zoë".as_bytes()).unwrap(), "Zoë");
    }

    #[test]
    fn undeclared_follows_the_setting() {
        let latin = b"M\xfcller";
        let with = |undeclared| Reading::Declared { undeclared };
        for silent in ["", "ASCII"] {
            assert_eq!(read(with(Undeclared::As(Charset::Iso8859_1)), silent, latin).unwrap(), "Müller");
            let either = with(Undeclared::Utf8Or(Charset::Windows1252));
            assert_eq!(read(either, silent, latin).unwrap(), "Müller");
            assert_eq!(read(either, silent, "Müller".as_bytes()).unwrap(), "Müller");
        }
        let refused = read(with(Undeclared::Refuse), "", latin).unwrap_err();
        let offset = message("", latin).len() - 5;
        assert_eq!(
            refused.to_string(),
            format!("PID-5: byte {offset} is not ASCII, and MSH-18 declares no character set")
        );
        assert!(read(with(Undeclared::Refuse), "", b"Miller").is_ok());
    }

    #[test]
    fn what_contradicts_its_declaration_is_refused_with_its_place() {
        let offset = message("UNICODE UTF-8", b"").len() + 1;
        let error = read(Reading::default(), "UNICODE UTF-8", b"M\xfcller").unwrap_err();
        assert_eq!(error.to_string(), format!("PID-5: byte {offset} is not valid UNICODE UTF-8"));
        let error = read(Reading::default(), "ISO IR999", b"M\xfcller").unwrap_err();
        assert!(error.to_string().ends_with("MSH-18 names a character set that is not supported"), "{error}");
        // 0xD2 has no character in ISO 8859-7.
        assert!(read(Reading::default(), "8859/7", b"\xc1\xd2").is_err());
    }

    #[test]
    fn a_fixed_setting_wins_over_the_declaration() {
        assert_eq!(
            read(Reading::Always(Charset::Windows1252), "UNICODE UTF-8", b"M\xfcller").unwrap(),
            "Müller"
        );
    }
}
