//! A product's own interface: deliveries that are written by it, and what can be asked of it in FHIR.
#![allow(clippy::unwrap_used, missing_docs)]

mod access;
mod afterwards;
mod asking;
mod caching;
mod conditions;
mod naming;
mod overtaking;
mod pms;
mod reading;
mod shaping;
mod writing;
