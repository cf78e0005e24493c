//! HL7 v2 from the frame to the delivered bundle.
#![allow(clippy::unwrap_used, missing_docs)]

mod door;
mod meaning;
mod parking;
mod site;
