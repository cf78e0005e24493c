//! What can be wrong with HL7 v2 bytes. A message says where, never what stood there: the value may be PHI.

use crate::{charset::Charset, location::Location, time::TimeFault};

/// Why bytes were refused, or a value could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The first segment is no header, so nothing says how the message is delimited.
    #[error("no MSH: the message begins with {found} at byte {offset}")]
    NoHeader {
        /// What stands there instead.
        found: Instead,
        /// Bytes before it (byte order mark, blank lines, framing).
        offset: usize,
    },
    /// MSH-1 or MSH-2 (or their like in FHS and BHS) cannot be used.
    #[error("{segment}-{}: {fault}", fault.field())]
    Header {
        /// `MSH`, `FHS` or `BHS`.
        segment: &'static str,
        /// What is wrong.
        fault: HeaderFault,
    },
    /// A second MSH inside one message: the sender ran two messages together.
    #[error("segment {segment} is a second MSH: split the batch before parsing")]
    SecondHeader {
        /// 1-based position of that segment in the message.
        segment: usize,
    },
    /// The message is larger than offsets of 32 bits can reach.
    #[error("the message has {size} bytes; 4 GiB is the limit")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
    },
    /// The bytes are not valid in the character set they were read as.
    #[error("{location}: byte {offset} is not valid {charset}")]
    Charset {
        /// The field it stands in, as near as it can be told.
        location: Location,
        /// Offset in the message, in bytes.
        offset: usize,
        /// The character set: declared in MSH-18, or the caller's setting.
        charset: Charset,
    },
    /// The message is not ASCII and nothing says what it is.
    #[error("{location}: byte {offset} is not ASCII, and {why}")]
    CharsetUnknown {
        /// The field it stands in, as near as it can be told.
        location: Location,
        /// Offset in the message, in bytes.
        offset: usize,
        /// What MSH-18 says.
        why: UnknownCharset,
    },
    /// Something cannot be written.
    #[error("{location}: {fault}")]
    Write {
        /// Where it was to be written.
        location: Location,
        /// Why it cannot.
        fault: WriteFault,
    },
    /// A message holds the byte that ends an MLLP frame.
    #[error("byte {offset} would end the MLLP frame inside the message")]
    Unframeable {
        /// Offset of the byte in the message.
        offset: usize,
    },
    /// A message is no acknowledgment that can be read.
    #[error("{location}: {fault}")]
    Answer {
        /// Where.
        location: Location,
        /// What is wrong.
        fault: AnswerFault,
    },
    /// A date or time is not one.
    #[error("{location}: {fault}")]
    Time {
        /// Where it stands.
        location: Location,
        /// Which part of it is wrong.
        fault: TimeFault,
    },
}

/// What was found where MSH should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Instead {
    /// No bytes, or blanks only.
    Nothing,
    /// FHS or BHS: a batch, which [`crate::batch`] takes apart.
    Batch,
    /// Another segment: MSH is missing, or not first.
    OtherSegment,
    /// Something that is no HL7 v2 segment.
    NoSegment,
}

impl std::fmt::Display for Instead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "nothing",
            Self::Batch => "a batch header (split the batch before parsing)",
            Self::OtherSegment => "another segment",
            Self::NoSegment => "something that is no segment",
        })
    }
}

/// What is wrong with the delimiters of a header segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeaderFault {
    /// MSH-1 is missing, a letter, a digit, a space or a control character.
    #[error("the field separator must be punctuation")]
    FieldSeparator,
    /// MSH-2 is empty.
    #[error("no encoding characters")]
    NoEncodingCharacters,
    /// MSH-2 has more than five characters.
    #[error("more than five encoding characters")]
    TooManyEncodingCharacters,
    /// A character of MSH-2 is a letter, a digit, a space, a control character or not ASCII.
    #[error("encoding characters must be ASCII punctuation")]
    EncodingCharacter,
    /// One character stands for two delimiters.
    #[error("one character is given for two delimiters")]
    RepeatedDelimiter,
}

impl HeaderFault {
    /// The number of the field at fault.
    pub(crate) fn field(&self) -> u8 {
        if *self == Self::FieldSeparator { 1 } else { 2 }
    }
}

/// Why the character set of a message that is not ASCII is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownCharset {
    /// MSH-18 is empty, and the caller's setting is to refuse.
    #[error("MSH-18 declares no character set")]
    Undeclared,
    /// MSH-18 says ASCII, and the caller's setting is to refuse.
    #[error("MSH-18 declares ASCII")]
    DeclaredAscii,
    /// MSH-18 names a character set that is not read here.
    #[error("MSH-18 names a character set that is not supported")]
    Unsupported,
}

/// Why something cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteFault {
    /// The text needs an escape sequence, and MSH-2 names no escape character.
    #[error("the text needs an escape, and MSH-2 names no escape character")]
    NoEscape,
    /// The place or the content needs a separator MSH-2 does not name, or is deeper than a subcomponent.
    #[error("there is no separator for parts here")]
    NoSeparator,
    /// A character is not in the character set of the message.
    #[error("a character is not in {0}")]
    NotInCharset(Charset),
    /// The place names a segment and no field, or a number below 1 or above 9999.
    #[error("no value can be put there")]
    NotAPlace,
    /// The message has no such segment.
    #[error("there is no such segment")]
    NoSuchSegment,
    /// The delimiters of a message, and its MSH as a whole, cannot be replaced.
    #[error("the header and its delimiters stay")]
    Header,
    /// A message has one MSH.
    #[error("a message has one MSH")]
    SecondHeader,
}

/// Why a message is no acknowledgment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerFault {
    /// It has no MSA.
    #[error("the answer has no such segment")]
    NoMsa,
    /// MSA-1 is none of the codes of table 0008.
    #[error("no acknowledgment code of table 0008")]
    UnknownCode,
}
