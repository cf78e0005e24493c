//! What can't be written, and where. Never what it is: records are PHI.

/// A record that the file's format or character set has no way to say. Nothing of it was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Unwritable {
    /// The column, or the path of members; empty where it is the record as a whole.
    pub place: String,
    /// What is the matter.
    pub fault: WriteFault,
}

impl std::fmt::Display for Unwritable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place.as_str() {
            "" => write!(f, "{}", self.fault),
            place => write!(f, "{place}: {}", self.fault),
        }
    }
}

/// Why it can't be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteFault {
    /// The mapping made something else.
    #[error("a record must be an object")]
    NotAnObject,
    /// A character that the declared set does not have.
    #[error(
        "a character is not in {charset}: choose another `charset`, or have the mapping write it otherwise"
    )]
    Charset {
        /// The set.
        charset: &'static str,
    },
    /// A list or an object where one value has to stand.
    #[error("a list or an object does not fit here: the mapping must make one value of it")]
    NotAValue,
    /// A member that would be lost.
    #[error("the record has a member that is not in `columns`")]
    UnknownMember,
    /// `quote: none` leaves no way to write a delimiter or the end of a line.
    #[error("holds a delimiter or a line break, and `quote` is `none`")]
    Unquoted,
    /// A row that would be read as the end of the table.
    #[error("begins as the trailer does: nobody could tell it from the end of the table")]
    Trailer,
    /// No name of an element or an attribute (XML 1.0 §2.3).
    #[error("a member's name is not one that XML takes")]
    XmlName,
    /// XML 1.0 §2.2 has no way to write it, escaped or not.
    #[error("a character is one that XML can't hold")]
    XmlCharacter,
    /// Text that is only blanks, between elements: readers take it for layout.
    #[error("blank text beside elements is lost in XML")]
    XmlBlank,
    /// `{"record": "6310", "fields": [{"field": "3000", "value": "…"}]}`.
    #[error("an xDT record has `record` and a list of `fields`, each with `field` (four digits) and `value`")]
    XdtShape,
    /// A line says its length in three digits.
    #[error("an xDT line has at most 990 bytes of content, without line breaks")]
    XdtContent,
    /// Fields 8000, 8100 and 9206 are the writer's.
    #[error("this field is written by itself, and not as the record says")]
    XdtOwn,
    /// A message that is none, or more than one.
    #[error("not one HL7 v2 message whose segments end in CR")]
    Hl7Message,
    /// A FHIR resource has a type.
    #[error("not a FHIR resource: it has no `resourceType`")]
    NoType,
}

impl WriteFault {
    pub(super) fn at(self, place: impl Into<String>) -> Unwritable {
        Unwritable { place: place.into(), fault: self }
    }
}
