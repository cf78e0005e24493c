//! The shape of a feed's files: which format, and what that format leaves open.

use serde::{Deserialize, Serialize};

/// What a feed's files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Delimited text: CSV (RFC 4180), TSV, or any other delimiter.
    Csv,
    /// One JSON document that holds an array of records.
    Json,
    /// One JSON object a line (NDJSON, JSON Lines).
    Ndjson,
    /// XML, whose records are the elements at a path.
    Xml,
    /// Columns of fixed width.
    FixedWidth,
    /// The German xDT family: GDT 2.1, BDT, LDT 2.
    Xdt,
    /// Australian pathology reports (PIT).
    Pit,
    /// ANSI X12 interchanges; a record is a transaction set.
    X12,
    /// HL7 v2 messages, with or without FHS and BHS around them.
    Hl7Batch,
    /// A FHIR Bundle; a record is an entry.
    FhirBundle,
    /// FHIR bulk data: one resource a line.
    FhirNdjson,
}

impl Format {
    /// The word configuration uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Xml => "xml",
            Self::FixedWidth => "fixed-width",
            Self::Xdt => "xdt",
            Self::Pit => "pit",
            Self::X12 => "x12",
            Self::Hl7Batch => "hl7-batch",
            Self::FhirBundle => "fhir-bundle",
            Self::FhirNdjson => "fhir-ndjson",
        }
    }

    /// Records are rows of named columns, and not trees.
    pub const fn is_tabular(self) -> bool {
        matches!(self, Self::Csv | Self::FixedWidth)
    }
}

/// The character set of a file. A byte order mark is obeyed where it agrees, and never part of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Charset {
    /// A byte order mark decides, then what the format itself declares (XML, xDT); UTF-8 otherwise.
    #[default]
    Auto,
    /// Unicode in UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Unicode in UTF-16, little-endian.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// Unicode in UTF-16, big-endian.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Western European, byte for byte the first 256 characters of Unicode.
    #[serde(rename = "iso-8859-1")]
    Iso8859_1,
    /// Western European with the euro sign.
    #[serde(rename = "iso-8859-15")]
    Iso8859_15,
    /// Western European as Windows writes it.
    #[serde(rename = "windows-1252")]
    Windows1252,
    /// Western European as DOS wrote it.
    #[serde(rename = "cp437")]
    Cp437,
}

impl Charset {
    /// The word configuration uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Iso8859_1 => "iso-8859-1",
            Self::Iso8859_15 => "iso-8859-15",
            Self::Windows1252 => "windows-1252",
            Self::Cp437 => "cp437",
        }
    }
}

/// How delimited text is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Csv {
    /// Between fields: one ASCII character, or `tab`.
    pub delimiter: String,
    /// Around fields that hold delimiters, quotes or line breaks: one ASCII character, or `none`. A quote inside is
    /// written twice.
    pub quote: String,
    /// Whether a line with the names of the columns comes first.
    pub header: Header,
    /// Lines before the header (a report's title), passed over.
    pub skip_lines: u32,
    /// Blanks around a field are not part of it, unless they are inside quotes.
    pub trim: bool,
    /// A row whose first field is this ends the table: a line of totals at the end of a report. Its second field is
    /// the number of rows, where it is a number. Empty: there is none.
    pub trailer: String,
}

impl Default for Csv {
    fn default() -> Self {
        Self {
            delimiter: ",".into(),
            quote: "\"".into(),
            header: Header::Required,
            skip_lines: 0,
            trim: false,
            trailer: String::new(),
        }
    }
}

impl Csv {
    /// The delimiter as a byte. What [`Csv`] can't mean (see `Feed::problems`) is a comma.
    pub fn delimiter_byte(&self) -> u8 {
        match self.delimiter.as_bytes() {
            [one] => *one,
            _ if self.delimiter == "tab" => b'\t',
            _ => b',',
        }
    }

    /// The quote as a byte; `None` when fields are not quoted.
    pub fn quote_byte(&self) -> Option<u8> {
        match self.quote.as_bytes() {
            [one] => Some(*one),
            _ => None,
        }
    }
}

/// Whether delimited text begins with the names of its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Header {
    /// It does; columns are found by name, in whatever order.
    #[default]
    Required,
    /// It does not; columns are the feed's, in its order.
    None,
}

/// Where the records of a JSON document are.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Json {
    /// Member names from the document down to the array, separated by dots. Empty: the document is the array.
    pub records: String,
}

/// Where the records of an XML document are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Xml {
    /// Element names from the root down to the record, separated by slashes: `Practice/Patients/Patient`. Prefixes of
    /// namespaces are left out.
    pub records: String,
}

/// How strictly xDT is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Xdt {
    /// Whether the lengths of lines and records count.
    pub lengths: Lengths,
}

/// What the lengths in a file are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lengths {
    /// A record with a line that is longer or shorter than it says is bad.
    #[default]
    Checked,
    /// Line breaks alone end lines: for senders that count wrong.
    Ignored,
}

/// What a feed's files look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Shape {
    /// Which format.
    pub format: Format,
    /// Which character set.
    #[serde(default)]
    pub charset: Charset,
    /// For `csv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv: Option<Csv>,
    /// For `json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Json>,
    /// For `xml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xml: Option<Xml>,
    /// For `xdt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xdt: Option<Xdt>,
}

impl Shape {
    /// A format without settings.
    pub const fn of(format: Format) -> Self {
        Self { format, charset: Charset::Auto, csv: None, json: None, xml: None, xdt: None }
    }
}
