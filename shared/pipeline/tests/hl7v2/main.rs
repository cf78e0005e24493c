//! HL7 v2 from the frame to the delivered bundle.
#![allow(clippy::unwrap_used, missing_docs)]

mod acknowledge;
mod corpus;
mod door;
mod fixtures;
mod meaning;
mod parking;
mod site;
