//! One file per message family: which segments become which resources, and how these refer to each other.

pub(crate) mod adt;
pub(crate) mod dft;
pub(crate) mod merge;
pub(crate) mod order;
pub(crate) mod oru;
pub(crate) mod patient;
pub(crate) mod siu;

use crate::{conversion::Conversion, datatypes::msg::Event, report::ConvertError};
use bridge_hl7v2::location::{Location, SegmentName};

/// The refusal of a message that lacks the segment it is about.
pub(crate) fn missing(c: &Conversion<'_>, segment: &str) -> ConvertError {
    let header = c.message.header();
    let event = Event::of(header.field(9).first()).to_string();
    let name = SegmentName::new(segment).unwrap_or(header.name());
    ConvertError::MissingSegment { location: Location::segment(name, 1), event }
}
