//! From a message to a bundle: the story of one conversion.

use bridge_hl7v2::Message;
use jiff::Timestamp;

use crate::{
    bundle,
    conversion::Conversion,
    datatypes::msg::Event,
    messages::{adt, dft, oru, siu},
    profile::Profile,
    report::{ConvertError, Converted},
    segments::{evn, msh},
    tree::Tree,
};

/// Converts messages of one connection.
#[derive(Debug, Clone)]
pub struct Converter {
    profile: Profile,
}

impl Converter {
    /// A converter after `profile`.
    pub fn new(profile: Profile) -> Self {
        Self { profile }
    }

    /// The profile it converts after.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Converts ADT, SIU, ORU and DFT messages to a FHIR R4 message bundle.
    ///
    /// `received` is when the message came in: it stands in where FHIR requires a time stamp and the message has none
    /// that is exact enough. With the same message, profile and time the result is the same, byte for byte.
    ///
    /// # Errors
    /// When the event is none of these families, or the segment is missing that it is about. What is merely incomplete,
    /// out of order or unknown is converted as far as it goes, and noted.
    pub fn convert(&self, message: &Message<'_>, received: Timestamp) -> Result<Converted, ConvertError> {
        let header = message.header();
        let value = header.field(9).first();
        let event = Event::of(value);
        let tree = Tree::of(message, event.trigger == "P11");
        let mut conversion = Conversion::new(&self.profile, message, &tree, received);
        let c = &mut conversion;
        msh::sending_facility(c);
        let focus = match event.message {
            "ADT" => adt::convert(c, event.trigger)?,
            "SIU" => siu::convert(c)?,
            "ORU" => oru::convert(c)?,
            "DFT" => dft::convert(c)?,
            _ => {
                let location = value.location();
                return Err(ConvertError::UnsupportedEvent { location, event: event.to_string() });
            }
        };
        let header = msh::message_header(c, &focus);
        let mut targets = vec![header];
        targets.extend(&focus);
        msh::provenances(c, &targets);
        if let Some(segment) = c.child(message.header(), &["EVN"]) {
            evn::provenance(c, segment, &[header]);
        }
        c.note_unused();
        Ok(bundle::assemble(conversion, header))
    }
}
