//! What can be wrong with a file. A message says where, never what stood there: the value may be PHI.

use std::io;

use bridge_core::feed::Charset;

use crate::place::Place;

/// Why a record, or the file, can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{place}{}: {fault}", Column(.column))]
pub struct Error {
    /// Where: for a record, where it begins, unless the fault is known more exactly.
    pub place: Place,
    /// The column: its name as configuration or header say, or its number counted from 1. Empty when it is no column.
    pub column: String,
    /// What is wrong.
    #[source]
    pub fault: Fault,
}

/// `, column X`, or nothing.
struct Column<'a>(&'a str);

impl std::fmt::Display for Column<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ", column {}", self.0) }
    }
}

impl Error {
    pub(crate) fn new(place: Place, fault: Fault) -> Self {
        Self { place, column: String::new(), fault }
    }

    pub(crate) fn in_column(mut self, column: impl Into<String>) -> Self {
        self.column = column.into();
        self
    }

    /// Only this record is bad: the reader has passed it, and the next call gives what follows. Otherwise the rest of
    /// the file can't be trusted, and every further call gives the end.
    pub fn spares_the_rest(&self) -> bool {
        self.fault.spares_the_rest()
    }
}

/// What is wrong with a record or a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes could not be had.
    #[error("the file can't be read: {0}")]
    Read(#[source] io::Error),
    /// A byte, or a pair of them, that the character set does not have.
    #[error("byte {offset} of the file is not valid {}: declare the character set it is in", charset.name())]
    Charset {
        /// Bytes of the file before it.
        offset: u64,
        /// The set it was read as.
        charset: Charset,
    },
    /// A byte order mark that belongs to another character set than the one declared.
    #[error("the byte order mark is that of {}, and the feed declares {}", found.name(), declared.name())]
    ByteOrderMark {
        /// The set whose mark it is.
        found: Charset,
        /// The set the feed declares.
        declared: Charset,
    },
    /// A character set that a file declares itself, and that is not read here or is not the feed's.
    #[error("the file declares a character set that can't be read here: name one in the feed")]
    DeclaredCharset,
    /// One record is longer than the limit.
    #[error("the record is longer than the limit of {limit} bytes{}", hint(*quoted))]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
        /// A quote was open.
        quoted: bool,
    },
    /// The file ended inside something.
    #[error("the file ends inside {0}: it is cut short")]
    Truncated(&'static str),
    /// Delimited text.
    #[error(transparent)]
    Csv(#[from] CsvFault),
    /// JSON.
    #[error(transparent)]
    Json(#[from] JsonFault),
    /// XML.
    #[error(transparent)]
    Xml(#[from] XmlFault),
    /// Columns of fixed width.
    #[error("the line has {found} characters, and the layout needs {needed}")]
    Width {
        /// Its characters.
        found: usize,
        /// Up to the end of the last column that must be there.
        needed: usize,
    },
    /// xDT.
    #[error(transparent)]
    Xdt(#[from] XdtFault),
    /// PIT.
    #[error(transparent)]
    Pit(#[from] PitFault),
    /// X12.
    #[error(transparent)]
    X12(#[from] X12Fault),
    /// HL7 v2 batches.
    #[error(transparent)]
    Hl7(#[from] Hl7Fault),
}

fn hint(quoted: bool) -> &'static str {
    if quoted { " (a quote is opened and never closed)" } else { "" }
}

impl Fault {
    fn spares_the_rest(&self) -> bool {
        match self {
            Self::Read(_)
            | Self::Charset { .. }
            | Self::ByteOrderMark { .. }
            | Self::DeclaredCharset
            | Self::TooLong { .. }
            | Self::Truncated(_) => false,
            Self::Csv(fault) => matches!(fault, CsvFault::Fields { .. } | CsvFault::AfterQuote),
            Self::Json(fault) => matches!(
                fault,
                JsonFault::Line { .. }
                    | JsonFault::NotAnObject
                    | JsonFault::NoType
                    | JsonFault::RecordTooDeep { .. }
            ),
            Self::Xml(_) => false,
            Self::Width { .. } => true,
            Self::Xdt(fault) => !matches!(fault, XdtFault::NoHeader),
            Self::Pit(fault) => matches!(fault, PitFault::Line),
            Self::X12(fault) => fault.is_of_one_transaction(),
            Self::Hl7(fault) => matches!(fault, Hl7Fault::Stray | Hl7Fault::Message),
        }
    }
}

/// What is wrong with delimited text (RFC 4180).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CsvFault {
    /// The file has no header.
    #[error("there is no header: the file is empty")]
    NoHeader,
    /// A header names a column twice.
    #[error("the header has this column twice (columns {first} and {second})")]
    RepeatedColumn {
        /// Counted from 1.
        first: usize,
        /// Counted from 1.
        second: usize,
    },
    /// More columns than the limit.
    #[error("there are more than {limit} columns")]
    TooManyColumns {
        /// The limit.
        limit: usize,
    },
    /// A row has more or fewer fields than there are columns.
    #[error("the row has {found} fields, and there are {columns} columns")]
    Fields {
        /// Its fields.
        found: usize,
        /// The columns.
        columns: usize,
    },
    /// Something other than a delimiter follows a closing quote.
    #[error("something follows the closing quote of a field: a quote inside a field is written twice")]
    AfterQuote,
    /// The trailer counts other rows than there were.
    #[error("the trailer counts {claimed} rows, and there were {found}")]
    Count {
        /// What the trailer says.
        claimed: u64,
        /// What there was.
        found: u64,
    },
    /// There should have been a trailer.
    #[error("the trailer is missing: the file is cut short")]
    NoTrailer,
    /// Rows after the trailer.
    #[error("a row follows the trailer")]
    AfterTrailer,
}

/// What is wrong with JSON (RFC 8259).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JsonFault {
    /// A line, or an element, is no JSON.
    #[error("no valid JSON at character {column} of line {line}")]
    Line {
        /// The line of the file, counted from 1.
        line: u64,
        /// The byte in that line, counted from 1.
        column: usize,
    },
    /// What is around the records is no JSON.
    #[error("{expected} was expected here")]
    Expected {
        /// What should stand there.
        expected: &'static str,
    },
    /// A record is something else than an object.
    #[error("a record must be a JSON object")]
    NotAnObject,
    /// A record on a line is deeper than the limit.
    #[error("the record is nested deeper than {limit}")]
    RecordTooDeep {
        /// The limit.
        limit: usize,
    },
    /// The document is deeper than the limit.
    #[error("nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// The document has no array at the path.
    #[error("there is no array at `{path}`")]
    NoArray {
        /// The path of the feed.
        path: String,
    },
    /// The document has the array at the path twice.
    #[error("there are two arrays at `{path}`")]
    TwoArrays {
        /// The path of the feed.
        path: String,
    },
    /// A FHIR Bundle was expected.
    #[error("the document's resourceType is not Bundle")]
    NotABundle,
    /// A FHIR resource without a type.
    #[error("the resource has no resourceType")]
    NoType,
}

/// What is wrong with XML 1.0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlFault {
    /// Not well-formed.
    #[error("the XML is not well-formed: {0}")]
    NotWellFormed(&'static str),
    /// A document type declaration: nothing of ours needs one, and attacks do.
    #[error("a DOCTYPE is refused: entities and external files are never read")]
    Doctype,
    /// An entity other than the five of XML.
    #[error("an entity that XML itself does not have is refused")]
    Entity,
    /// Deeper than the limit.
    #[error("elements are nested deeper than {limit}")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// One element has more attributes, or more different elements in it, than the limit.
    #[error("an element has more than {limit} attributes or different elements")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The root is another element than the path begins with.
    #[error("the root element is not `{expected}`")]
    Root {
        /// The first step of the feed's path.
        expected: String,
    },
}

/// What is wrong with xDT lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XdtFault {
    /// A line does not begin with a length of three digits and a field of four.
    #[error("line {line} does not begin with a length (3 digits) and a field (4 digits)")]
    Line {
        /// Counted from 1.
        line: u64,
    },
    /// A line is not as long as it says.
    #[error("line {line} says it is {claimed} bytes long, and is {found}")]
    Length {
        /// Counted from 1.
        line: u64,
        /// What it says.
        claimed: u32,
        /// What it is: content, 3 + 4 digits and CR LF.
        found: u64,
    },
    /// Field 8100 counts other bytes than the record has.
    #[error("field 8100 says the record is {claimed} bytes long, and it is {found}")]
    RecordLength {
        /// What it says.
        claimed: u64,
        /// What it is.
        found: u64,
    },
    /// The file begins with something else than field 8000.
    #[error("a record begins with field 8000, and this file does not")]
    NoHeader,
}

/// What is wrong with PIT lines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PitFault {
    /// A line does not begin with a code.
    #[error("a line begins with a code of three digits, and this one does not")]
    Line,
    /// No line 999.
    #[error("the end line 999 is missing: the file is cut short")]
    NoEnd,
    /// Lines after 999.
    #[error("there are lines after the end line 999")]
    AfterEnd,
}

/// What is wrong with an X12 interchange.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum X12Fault {
    /// The file does not begin with ISA, or ISA is not 106 characters long.
    #[error("an interchange begins with an ISA segment of 106 characters, and this does not")]
    NoIsa,
    /// Two separators of ISA are the same, or one is a letter, a digit or a space.
    #[error("the separators in ISA must be different, and no letters, digits or spaces")]
    Separators,
    /// A segment where it can't be.
    #[error("segment {found} can't stand here: {expected} was expected")]
    Order {
        /// `ISA`, `GS`, `ST`, `SE`, `GE`, `IEA`, or `other`.
        found: &'static str,
        /// What may stand there.
        expected: &'static str,
    },
    /// A trailer's control number is not that of its header.
    #[error("the control number of {trailer} is not that of {header}")]
    ControlNumber {
        /// `SE`, `GE` or `IEA`.
        trailer: &'static str,
        /// `ST`, `GS` or `ISA`.
        header: &'static str,
    },
    /// A trailer counts wrong.
    #[error("{trailer} counts {claimed} {what}, and there are {found}")]
    Count {
        /// `SE`, `GE` or `IEA`.
        trailer: &'static str,
        /// What it counts.
        what: &'static str,
        /// What it says; 0 when it is no number.
        claimed: u64,
        /// What there was.
        found: u64,
    },
    /// A segment whose name is no name.
    #[error("a segment begins with a name of two or three characters, and this does not")]
    Segment,
    /// A hierarchical level whose parent was not seen before.
    #[error("HL {place}: its parent is no level before it")]
    Parent {
        /// The number of the segment in its transaction set, counted from 1.
        place: usize,
    },
}

impl X12Fault {
    /// The transaction set ended where it should, and only what is in it is wrong.
    fn is_of_one_transaction(&self) -> bool {
        match self {
            Self::Count { trailer, .. } | Self::ControlNumber { trailer, .. } => *trailer == "SE",
            Self::Parent { .. } => true,
            _ => false,
        }
    }
}

/// What is wrong with a batch of HL7 v2 messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Hl7Fault {
    /// Lines that are in no message.
    #[error("these lines belong to no message")]
    Stray,
    /// A message that can't be read.
    #[error("the message has no usable header")]
    Message,
    /// BTS or FTS counts wrong.
    #[error("{trailer} counts {claimed}, and there were {found}")]
    Count {
        /// `BTS` or `FTS`.
        trailer: &'static str,
        /// What it says.
        claimed: u64,
        /// What there was.
        found: u64,
    },
    /// A batch or file without its trailer.
    #[error("{trailer} is missing: the file is cut short")]
    NoTrailer {
        /// `BTS` or `FTS`.
        trailer: &'static str,
    },
}
