//! What a conversion gives back besides resources: what was removed, what was not used, and why nothing came of it.
//!
//! Says where, never what: the values may be PHI.

use std::{fmt, ops::Range};

use bridge_hl7v2::{location::Location, time::TimeFault};
use uuid::Uuid;

/// A converted message.
#[derive(Debug, Clone)]
pub struct Converted {
    /// A FHIR R4 Bundle of type `message`, as JSON.
    pub bundle: Vec<u8>,
    /// Every resource in it, in order; the first is the MessageHeader.
    pub resources: Vec<Resource>,
    /// What the sender asked to remove (`""`), which a resource cannot say.
    pub removals: Vec<Removal>,
    /// What could not be read or was replaced by a default, as it was met; then what was not used, in order.
    pub diagnostics: Vec<Diagnostic>,
}

impl Converted {
    /// The JSON of one of [`Converted::resources`].
    pub fn json(&self, resource: &Resource) -> &[u8] {
        &self.bundle[resource.range.clone()]
    }
}

/// A resource of the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its type, for example `Patient`.
    pub kind: &'static str,
    /// Its logical id, the same whenever the same thing is sent.
    pub id: Uuid,
    /// Where its JSON lies in the bundle, in bytes.
    pub range: Range<usize>,
}

/// An element to remove from a stored resource: the sender sent `""` (HL7 v2.5.1 §2.5.3). An empty field asks nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The resource's type.
    pub kind: &'static str,
    /// The resource's id.
    pub id: Uuid,
    /// What to remove, as FHIRPath from the resource: `Patient.telecom.where(use = 'work')`.
    pub path: &'static str,
    /// The field that says so.
    pub location: Location,
}

/// One thing about a message that did not, or not fully, become a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnostic {
    /// Segment, field, component.
    pub location: Location,
    /// What is the matter.
    pub reason: Reason,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.reason)
    }
}

/// Why something was not used as it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Nothing maps this segment in this message.
    #[error("the segment is not used")]
    SegmentNotUsed,
    /// A line between segments that is none.
    #[error("a line after this segment is no segment")]
    Stray,
    /// Nothing maps this field (or component) here.
    #[error("not mapped")]
    NotMapped,
    /// FHIR takes one value here, and this is a further one.
    #[error("a further repetition, where the resource holds one value")]
    ExtraRepetition,
    /// Another field says the same with more authority.
    #[error("not used, because {0} is valued")]
    Superseded(&'static str),
    /// The field only means something together with another, which is empty.
    #[error("not used, because {0} is empty")]
    Lacks(&'static str),
    /// The code is not in its table, or FHIR's required value set has none like it.
    #[error("no FHIR code for this code")]
    NoCode,
    /// The coding system has no URI in table 0396 or the profile.
    #[error("no URI for this coding system")]
    UnknownCodeSystem,
    /// The assigning authority has no universal id, and the profile does not know it.
    #[error("no system for identifiers of this assigning authority")]
    UnknownAuthority,
    /// A date or time is not one.
    #[error("{0}")]
    Time(TimeFault),
    /// A time stamp is not precise enough for the FHIR element.
    #[error("too imprecise for the element, which needs {0}")]
    TooCoarse(&'static str),
    /// A period's end lies before its start.
    #[error("lies before the period's start")]
    BeforeItsStart,
    /// Not a number where one must stand.
    #[error("not a number")]
    NotANumber,
    /// Not the base64 or hexadecimal text it says it is.
    #[error("not {0}")]
    NotEncoded(&'static str),
    /// A value type (OBX-2) that is not known, so the value was taken as text.
    #[error("unknown value type: the value is taken as text")]
    UnknownValueType,
    /// A required element is not in the message, and the profile's default stands in.
    #[error("empty, so {0} has its default")]
    Default(&'static str),
    /// The patient, visit or order cannot be told apart from others: the id is made from the message's control id.
    #[error("no identifier: the resource cannot be matched with later messages")]
    NoIdentifier,
    /// The same resource is described twice and not alike; the fuller description was kept.
    #[error("{0} is described twice, and the fuller description is kept")]
    DescribedTwice(&'static str),
    /// A merge would make a patient replace itself, directly or around a circle.
    #[error("the merge is circular and gives no link")]
    CircularMerge,
}

/// Why a message was not converted. Nothing of it is lost: the caller still has the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The event is none of the families converted here.
    #[error("{location}: {event} messages are not converted")]
    UnsupportedEvent {
        /// MSH-9.
        location: Location,
        /// Type and trigger, for example `MDM^T02`; `?` for what is not three letters and digits.
        event: String,
    },
    /// A segment is missing that the event is about.
    #[error("{location}: missing, and {event} is about it")]
    MissingSegment {
        /// The segment.
        location: Location,
        /// Type and trigger.
        event: String,
    },
    /// A field is empty without which nothing can be made of the message.
    #[error("{location}: empty, and {event} is about it")]
    MissingField {
        /// The field.
        location: Location,
        /// Type and trigger.
        event: String,
    },
}

impl ConvertError {
    /// Where it is.
    pub fn location(&self) -> Location {
        match self {
            Self::UnsupportedEvent { location, .. }
            | Self::MissingSegment { location, .. }
            | Self::MissingField { location, .. } => *location,
        }
    }
}
