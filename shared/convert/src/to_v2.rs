//! FHIR R4 to HL7 v2: Patient to ADT, Appointment to SIU, ChargeItem to DFT, DiagnosticReport to ORU.
//!
//! The mappings are those of the other direction read backwards, so that what came as v2 goes out as the same fields.
//! Pure: no clock; control id and time are the caller's. An element without a field is noted by its path.

mod datatypes;
mod dft;
mod header;
mod node;
mod oru;
mod patient;
mod siu;
mod visit;

use bridge_hl7v2::{
    Error,
    location::SegmentName,
    write::{MessageBuilder, SegmentBuilder},
};
use jiff::Timestamp;
use serde_json::Value;

pub use self::header::Header;
use self::node::Node;
use crate::profile::Profile;

/// What happened, as the message is to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A person is added.
    AdtA28,
    /// A person is changed.
    AdtA31,
    /// Two patients are merged: the Patient `replaces` another by a link.
    AdtA40,
    /// An appointment is booked.
    SiuS12,
    /// An appointment is at another time.
    SiuS13,
    /// An appointment is changed.
    SiuS14,
    /// An appointment is cancelled.
    SiuS15,
    /// An appointment is deleted: it was entered in error.
    SiuS17,
    /// The patient did not come.
    SiuS26,
    /// Charges.
    DftP03,
    /// Results.
    OruR01,
}

impl Event {
    /// MSH-9: type, trigger, structure.
    pub fn message_type(self) -> [&'static str; 3] {
        match self {
            Self::AdtA28 => ["ADT", "A28", "ADT_A05"],
            Self::AdtA31 => ["ADT", "A31", "ADT_A05"],
            Self::AdtA40 => ["ADT", "A40", "ADT_A39"],
            Self::SiuS12 => ["SIU", "S12", "SIU_S12"],
            Self::SiuS13 => ["SIU", "S13", "SIU_S12"],
            Self::SiuS14 => ["SIU", "S14", "SIU_S12"],
            Self::SiuS15 => ["SIU", "S15", "SIU_S12"],
            Self::SiuS17 => ["SIU", "S17", "SIU_S12"],
            Self::SiuS26 => ["SIU", "S26", "SIU_S12"],
            Self::DftP03 => ["DFT", "P03", "DFT_P03"],
            Self::OruR01 => ["ORU", "R01", "ORU_R01"],
        }
    }
}

/// A message to write.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// What happened.
    pub event: Event,
    /// The resource it happened to (of charges and results, all of them), and those it refers to, in any order.
    pub resources: &'a [Value],
    /// MSH-10.
    pub control_id: &'a str,
    /// MSH-7.
    pub sent: Timestamp,
}

/// A written message.
#[derive(Clone, PartialEq, Eq)]
pub struct Written {
    /// Its bytes; segments end with CR.
    pub message: Vec<u8>,
    /// Elements that no field holds, by path: `Patient.photo`.
    pub left_out: Vec<String>,
}

/// The paths; the message is PHI.
impl std::fmt::Debug for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes, left out: {:?}", self.message.len(), self.left_out)
    }
}

/// Why no message was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The resource is missing that the event is about.
    #[error("no {0} among the resources, and the event is about it")]
    MissingResource(&'static str),
    /// An element is missing without which the message says nothing.
    #[error("{0} is missing, and the event is about it")]
    MissingElement(&'static str),
    /// The message cannot hold a text: the character set or the delimiters lack something.
    #[error(transparent)]
    NotWritable(#[from] Error),
}

/// Writes messages of one connection.
#[derive(Debug, Clone)]
pub struct V2Writer {
    profile: Profile,
    header: Header,
}

impl V2Writer {
    /// A writer after `profile`, read backwards: its systems become assigning authorities and names of coding systems.
    pub fn new(profile: Profile, header: Header) -> Self {
        Self { profile, header }
    }

    /// Writes one message.
    ///
    /// # Errors
    /// When the resource (or element) is missing that the event is about, or the message cannot hold a text.
    pub fn write(&self, outgoing: Outgoing<'_>) -> Result<Written, WriteError> {
        let mut message = MessageBuilder::new(self.header.delimiters, self.header.charset);
        header::write(&mut message, &self.header, &outgoing);
        let mut writing =
            Writing { profile: &self.profile, resources: outgoing.resources, message, left_out: Vec::new() };
        match outgoing.event {
            Event::AdtA28 | Event::AdtA31 => patient::adt(&mut writing, &outgoing)?,
            Event::AdtA40 => patient::merge(&mut writing, &outgoing)?,
            Event::DftP03 => dft::write(&mut writing, &outgoing)?,
            Event::OruR01 => oru::write(&mut writing)?,
            _ => siu::write(&mut writing)?,
        }
        Ok(Written { message: writing.message.build()?, left_out: writing.left_out })
    }
}

/// One message being written.
struct Writing<'a> {
    profile: &'a Profile,
    resources: &'a [Value],
    message: MessageBuilder<'a>,
    left_out: Vec<String>,
}

impl<'a> Writing<'a> {
    /// Every resource of a type.
    fn all(&self, kind: &str) -> Vec<Node<'a>> {
        self.resources.iter().map(Node::of).filter(|node| node.text("resourceType") == kind).collect()
    }

    /// What a reference (`Type/id`) refers to; nothing, when it is not among the resources.
    fn follow(&self, reference: Node<'a>) -> Node<'a> {
        let target = reference.text("reference");
        let Some((kind, id)) = target.rsplit_once('/') else { return Node::nothing() };
        let kind = kind.rsplit('/').next().unwrap_or(kind);
        let found = self.resources.iter().map(Node::of);
        found
            .into_iter()
            .find(|r| r.text("resourceType") == kind && r.text("id") == id)
            .unwrap_or(Node::nothing())
    }

    /// Adds a segment that was built apart, unless it says nothing.
    fn add(&mut self, segment: SegmentBuilder<'a>) {
        self.message.append(segment);
    }

    /// Notes the elements of a resource that are not among `used`.
    fn note_unused(&mut self, resource: Node<'a>, used: &[&str]) {
        const ALWAYS: [&str; 4] = ["resourceType", "id", "meta", "text"];
        let kind = resource.text("resourceType");
        for name in resource.names().filter(|name| !ALWAYS.contains(name) && !used.contains(name)) {
            let path = format!("{kind}.{}", name.trim_start_matches('_'));
            if !self.left_out.contains(&path) {
                self.left_out.push(path);
            }
        }
    }
}

/// A segment by its name, which is written in this crate.
fn segment<'a>(name: &str) -> SegmentBuilder<'a> {
    // Names here are three capitals; MSH would be refused by the builder, with its place.
    SegmentBuilder::new(
        SegmentName::new(name)
            .unwrap_or(<bridge_hl7v2::segments::Nte<'_> as bridge_hl7v2::SegmentView<'_>>::NAME),
    )
}
