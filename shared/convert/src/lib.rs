//! HL7 v2 to FHIR R4, after the v2-to-FHIR implementation guide, and back ([`to_v2`]).
//!
//! Pure: bytes in, bytes out, no clock, no configuration beyond the [`Profile`]. A message becomes a Bundle of type
//! `message`; the JSON is written as the message is read, and no tree is built in between.
//!
//! ```
//! use bridge_convert::{Converter, Profile};
//! use bridge_hl7v2::Message;
//! use jiff::{Timestamp, tz::TimeZone};
//!
//! let message = Message::parse(
//!     "MSH|^~\\&|PM|NORTH|EHR|NORTH|20240229103000||ADT^A28^ADT_A05|77|P|2.5.1\r\
//!      PID|1||4711^^^NORTH^MR||Testperson^Una^Q||19700101|F||W|||\"\"\r",
//! )?;
//! let zone = TimeZone::get("America/Chicago")?;
//! let profile = Profile::new(uuid::Uuid::nil(), zone, "https://fhir.example/r4")
//!     .authority("NORTH", "https://north.example/mrn");
//! let converted = Converter::new(profile).convert(&message, Timestamp::UNIX_EPOCH)?;
//!
//! let patient = converted.resources.iter().find(|r| r.kind == "Patient").unwrap();
//! let json: serde_json::Value = serde_json::from_slice(converted.json(patient))?;
//! assert_eq!(json["identifier"][0]["system"], "https://north.example/mrn");
//! assert_eq!(json["birthDate"], "1970-01-01");
//!
//! // `""` asks to remove, which no resource can say.
//! assert_eq!(converted.removals[0].path, "Patient.telecom.where(use = 'home')");
//! // What was not used is told, by place.
//! assert_eq!(converted.diagnostics[0].to_string(), "PID-10: not mapped");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rules
//! * Ids are UUIDv5 of type, system and value under the tenant's namespace, as bridge-fhir makes them: of the identifier
//!   that names a thing and the authority that assigned it, else of its place under something that has one, else of the
//!   message's control id.
//! * Every repetition is kept where FHIR has room for it. What has no room, no mapping, no code or no meaning is a
//!   [`Diagnostic`] with its place.
//! * An empty field says nothing; `""` is a [`Removal`]. A null component removes itself: the composite is sent whole.
//! * Dates keep their precision, times their offset; a missing offset is that of the profile's zone at that time.
//! * Systems of identifiers come from universal ids and the profile, never from a name.
//! * Neither errors nor diagnostics hold content.

/// The FHIRPath of a Patient extension defined by FHIR, for removals.
macro_rules! extension {
    ($name:literal) => {
        concat!("Patient.extension('http://hl7.org/fhir/StructureDefinition/", $name, "')")
    };
}

mod bundle;
mod conversion;
mod converter;
mod datatypes;
mod json;
mod messages;
mod parts;
mod profile;
mod report;
mod segments;
mod tables;
pub mod to_v2;
mod tree;

pub use converter::Converter;
pub use datatypes::msg::Event;
pub use profile::{AllergySeverity, Defaults, NationalId, NextOfKin, Profile};
pub use report::{ConvertError, Converted, Diagnostic, Reason, Removal, Resource};
