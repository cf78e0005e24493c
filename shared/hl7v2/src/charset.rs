//! Character sets: what MSH-18 declares (HL7 table 0211), and what to do when it is silent.
//!
//! Converts whole messages. All sets read here agree with ASCII below 128, so delimiters and MSH-18 itself
//! can be found before the set is known.

mod reading;
#[cfg(feature = "serde")]
mod setting;

use std::{borrow::Cow, fmt};

use encoding_rs::Encoding;

pub use reading::{Reading, Undeclared};

/// A character set a message can be read from and written in.
///
/// ISO 8859-1 and -9 are read as Windows-1252 and -1254: the codes 128–159, which those standards leave to
/// control characters nobody sends, are quotes and dashes typed on a Windows machine (WHATWG Encoding §4.2
/// does the same).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "String", into = "String")
)]
#[non_exhaustive]
pub enum Charset {
    /// US-ASCII.
    Ascii,
    /// Unicode in UTF-8.
    Utf8,
    /// Western European.
    Iso8859_1,
    /// Central European.
    Iso8859_2,
    /// South European.
    Iso8859_3,
    /// North European.
    Iso8859_4,
    /// Cyrillic.
    Iso8859_5,
    /// Arabic.
    Iso8859_6,
    /// Greek.
    Iso8859_7,
    /// Hebrew.
    Iso8859_8,
    /// Turkish.
    Iso8859_9,
    /// Western European with the euro sign.
    Iso8859_15,
    /// Western European as Windows writes it.
    Windows1252,
}

/// A set with its names in HL7 table 0211 (Windows-1252 is not in it) and at IANA, and the WHATWG encoding it
/// is read by.
struct Entry(Charset, &'static str, &'static str, &'static Encoding);

const SETS: [Entry; 13] = [
    Entry(Charset::Ascii, "ASCII", "us-ascii", encoding_rs::UTF_8),
    Entry(Charset::Utf8, "UNICODE UTF-8", "utf-8", encoding_rs::UTF_8),
    Entry(Charset::Iso8859_1, "8859/1", "iso-8859-1", encoding_rs::WINDOWS_1252),
    Entry(Charset::Iso8859_2, "8859/2", "iso-8859-2", encoding_rs::ISO_8859_2),
    Entry(Charset::Iso8859_3, "8859/3", "iso-8859-3", encoding_rs::ISO_8859_3),
    Entry(Charset::Iso8859_4, "8859/4", "iso-8859-4", encoding_rs::ISO_8859_4),
    Entry(Charset::Iso8859_5, "8859/5", "iso-8859-5", encoding_rs::ISO_8859_5),
    Entry(Charset::Iso8859_6, "8859/6", "iso-8859-6", encoding_rs::ISO_8859_6),
    Entry(Charset::Iso8859_7, "8859/7", "iso-8859-7", encoding_rs::ISO_8859_7),
    Entry(Charset::Iso8859_8, "8859/8", "iso-8859-8", encoding_rs::ISO_8859_8),
    Entry(Charset::Iso8859_9, "8859/9", "iso-8859-9", encoding_rs::WINDOWS_1254),
    Entry(Charset::Iso8859_15, "8859/15", "iso-8859-15", encoding_rs::ISO_8859_15),
    Entry(Charset::Windows1252, "WINDOWS-1252", "windows-1252", encoding_rs::WINDOWS_1252),
];

impl Charset {
    /// What MSH-18 says, as senders write it: the names of table 0211 and the common spellings of IANA's
    /// (`UTF-8`, `ISO-8859-1`, `ISO8859-1`, `CP1252`). `None` when it is none of the sets read here.
    pub fn from_msh18(name: &str) -> Option<Self> {
        if let Some(entry) = SETS.iter().find(|e| e.1 == name) {
            return Some(entry.0);
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
                SETS.iter().find(|e| e.1.strip_prefix("8859/") == Some(part))?.0
            }
        })
    }

    /// The name to write in MSH-18.
    pub fn msh18(self) -> &'static str {
        self.entry().1
    }

    /// The name at IANA, in lower case; what configuration uses.
    pub fn iana(self) -> &'static str {
        self.entry().2
    }

    fn entry(self) -> &'static Entry {
        SETS.iter().find(|e| e.0 == self).unwrap_or(&SETS[1])
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
        let encoding = self.entry().3;
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
        let encoding = self.entry().3;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_of_table_0211_and_of_iana() {
        for Entry(set, name, iana, _) in SETS {
            assert_eq!(Charset::from_msh18(name), Some(set), "{name}");
            assert_eq!(Charset::from_msh18(iana), Some(set), "{iana}");
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
    fn every_byte_a_set_can_read_is_written_back_the_same() {
        for Entry(set, name, ..) in SETS {
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
