//! Character sets: MSH-18 (HL7 table 0211) and what to do when it is silent.
//!
//! Decides and converts whole messages. All sets read here agree with ASCII below 128, so delimiters and MSH-18 itself
//! can be found before the set is known.

use std::{borrow::Cow, fmt};

use encoding_rs::Encoding;

use crate::{
    error::{Error, UnknownCharset},
    location::{self, Location},
    message::MSH,
};

/// A character set a message can be read from and written in.
///
/// ISO 8859-1 and -9 are read as Windows-1252 and -1254: the codes 128–159, which those standards leave to control
/// characters nobody sends, are quotes and dashes typed on a Windows machine (WHATWG Encoding §4.2 does the same).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Charset {
    /// US-ASCII.
    #[cfg_attr(feature = "serde", serde(rename = "ascii"))]
    Ascii,
    /// Unicode in UTF-8.
    #[cfg_attr(feature = "serde", serde(rename = "utf-8"))]
    Utf8,
    /// Western European.
    #[cfg_attr(feature = "serde", serde(rename = "iso-8859-1"))]
    Iso8859_1,
    /// Central European.
    #[cfg_attr(feature = "serde", serde(rename = "iso-8859-2"))]
    Iso8859_2,
    /// South European.
    #[cfg_attr(feature = "serde", serde(rename = "iso-8859-3"))]
    Iso8859_3,
    /// North European.
    #[cfg_attr(feature = "serde", serde(rename = "iso-8859-4"))]
    Iso8859_4,
    /// Cyrillic.
    #[cfg_attr(feature = "serde", serde(rename = "iso-8859-5"))]
    Iso8859_5,
    /// Arabic.
    #[cfg_attr(feature = "serde", serde(rename = "iso-8859-6"))]
    Iso8859_6,
    /// Greek.
    #[cfg_attr(feature = "serde", serde(rename = "iso-8859-7"))]
    Iso8859_7,
    /// Hebrew.
    #[cfg_attr(feature = "serde", serde(rename = "iso-8859-8"))]
    Iso8859_8,
    /// Turkish.
    #[cfg_attr(feature = "serde", serde(rename = "iso-8859-9"))]
    Iso8859_9,
    /// Western European with the euro sign.
    #[cfg_attr(feature = "serde", serde(rename = "iso-8859-15"))]
    Iso8859_15,
    /// Western European as Windows writes it.
    #[cfg_attr(feature = "serde", serde(rename = "windows-1252"))]
    Windows1252,
}

/// Each set with its name in HL7 table 0211 (Windows-1252 is not in it) and with the WHATWG encoding it is read by.
const SETS: [(Charset, &str, &Encoding); 13] = [
    (Charset::Ascii, "ASCII", encoding_rs::UTF_8),
    (Charset::Utf8, "UNICODE UTF-8", encoding_rs::UTF_8),
    (Charset::Iso8859_1, "8859/1", encoding_rs::WINDOWS_1252),
    (Charset::Iso8859_2, "8859/2", encoding_rs::ISO_8859_2),
    (Charset::Iso8859_3, "8859/3", encoding_rs::ISO_8859_3),
    (Charset::Iso8859_4, "8859/4", encoding_rs::ISO_8859_4),
    (Charset::Iso8859_5, "8859/5", encoding_rs::ISO_8859_5),
    (Charset::Iso8859_6, "8859/6", encoding_rs::ISO_8859_6),
    (Charset::Iso8859_7, "8859/7", encoding_rs::ISO_8859_7),
    (Charset::Iso8859_8, "8859/8", encoding_rs::ISO_8859_8),
    (Charset::Iso8859_9, "8859/9", encoding_rs::WINDOWS_1254),
    (Charset::Iso8859_15, "8859/15", encoding_rs::ISO_8859_15),
    (Charset::Windows1252, "WINDOWS-1252", encoding_rs::WINDOWS_1252),
];

impl Charset {
    /// What MSH-18 says, as senders write it: the names of table 0211 and the common spellings of IANA's
    /// (`UTF-8`, `ISO-8859-1`, `ISO8859-1`, `CP1252`). `None` when it is none of the sets read here.
    pub fn from_msh18(name: &str) -> Option<Self> {
        if let Some((set, ..)) = SETS.iter().find(|(_, table, _)| *table == name) {
            return Some(*set);
        }
        let mut key: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        key.make_ascii_uppercase();
        let key = key.strip_prefix("ISO").unwrap_or(&key);
        Some(match key {
            "ASCII" | "USASCII" | "IR6" => Self::Ascii,
            "UNICODEUTF8" | "UTF8" | "UNICODE" => Self::Utf8,
            "WINDOWS1252" | "CP1252" | "1252" => Self::Windows1252,
            "LATIN1" => Self::Iso8859_1,
            _ => {
                let part = key.strip_prefix("8859")?;
                SETS.iter().find(|(_, table, _)| table.strip_prefix("8859/") == Some(part))?.0
            }
        })
    }

    /// The name to write in MSH-18.
    pub fn msh18(self) -> &'static str {
        self.entry().1
    }

    fn entry(self) -> &'static (Self, &'static str, &'static Encoding) {
        SETS.iter().find(|(set, ..)| *set == self).unwrap_or(&SETS[1])
    }

    /// Reads `bytes`; on failure gives the offset of the first byte that is not valid.
    pub(crate) fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, usize> {
        if bytes.is_ascii() || matches!(self, Self::Ascii | Self::Utf8) {
            let text = std::str::from_utf8(bytes).map_err(|e| e.valid_up_to())?;
            return match text.bytes().position(|b| !b.is_ascii()).filter(|_| self == Self::Ascii) {
                Some(offset) => Err(offset),
                None => Ok(Cow::Borrowed(text)),
            };
        }
        let encoding = self.entry().2;
        encoding.decode_without_bom_handling_and_without_replacement(bytes).ok_or_else(|| {
            let invalid = |b: &u8| encoding.decode_without_bom_handling(std::slice::from_ref(b)).1;
            bytes.iter().position(invalid).unwrap_or(0)
        })
    }

    /// Writes `text`; on failure gives the offset in `text` of the first character the set does not have.
    pub(crate) fn encode(self, text: &str) -> Result<Cow<'_, [u8]>, usize> {
        if self == Self::Utf8 || text.is_ascii() {
            return Ok(Cow::Borrowed(text.as_bytes()));
        }
        let encoding = self.entry().2;
        if self != Self::Ascii {
            let (bytes, _, unmappable) = encoding.encode(text);
            if !unmappable {
                return Ok(bytes);
            }
        }
        let absent =
            |c: char| !c.is_ascii() && (self == Self::Ascii || encoding.encode(c.encode_utf8(&mut [0; 4])).2);
        Err(text.char_indices().find(|(_, c)| absent(*c)).map_or(0, |(offset, _)| offset))
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.msh18())
    }
}

/// How to read the bytes of a message: a connection's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Reading {
    /// As MSH-18 declares; a message that is not ASCII and declares nothing (or ASCII) is read as `undeclared` says.
    Declared {
        /// For messages that declare nothing.
        undeclared: Undeclared,
    },
    /// As this set, whatever MSH-18 says: for senders known to declare one set and send another.
    Always(Charset),
}

/// What a message is read as that is not ASCII and does not say what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
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
    /// Turns the bytes of one message, which begin with its MSH, into text. No set is told for ASCII, which reads the
    /// same in all of them.
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
            Ok("") => UnknownCharset::Undeclared,
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

/// The first repetition of MSH-18 in a message that begins with its MSH. Further repetitions need the escapes of
/// ISO 2022, which are kept as they are.
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
    fn names_of_table_0211_and_of_iana() {
        for (set, name, _) in SETS {
            assert_eq!(Charset::from_msh18(name), Some(set), "{name}");
        }
        for (name, set) in [
            ("UTF-8", Charset::Utf8),
            ("ISO-8859-1", Charset::Iso8859_1),
            ("ISO8859-15", Charset::Iso8859_15),
            ("iso_8859-2", Charset::Iso8859_2),
            ("cp1252", Charset::Windows1252),
        ] {
            assert_eq!(Charset::from_msh18(name), Some(set), "{name}");
        }
        assert_eq!(Charset::from_msh18("ISO IR87"), None);
        assert_eq!(Charset::from_msh18("8859/99"), None);
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

    #[test]
    fn every_byte_a_set_can_read_is_written_back_the_same() {
        for (set, name, _) in SETS {
            for byte in 0..=255_u8 {
                if let Ok(text) = set.decode(&[byte]) {
                    assert_eq!(set.encode(&text).unwrap().as_ref(), [byte], "{name} {byte}");
                }
            }
        }
    }

    #[test]
    fn a_character_the_set_lacks_is_reported_by_offset() {
        assert_eq!(Charset::Iso8859_1.encode("Zoë 日"), Err(5));
        assert_eq!(Charset::Ascii.encode("Zoë"), Err(2));
        assert!(Charset::Utf8.encode("日").is_ok());
    }
}
