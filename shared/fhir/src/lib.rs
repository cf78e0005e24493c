//! FHIR R4 resources as JSON: ids, references, bundles, data minimisation and checks.
//!
//! A resource is JSON to this project, with decimals and time stamps as they were written; fhir-sdk's types check
//! it and never carry it (`docs/adr/0003-fhir-sdk-checks-it-does-not-carry.md` says why). This is the only crate
//! that names fhir-sdk, and no public function is generic, so that its code is generated once, here. Nothing here
//! performs I/O, and an [`Issue`] holds no value of a resource.
//!
//! The way of a message: [`assemble`] gives its resources ids and makes their references literal, [`check`] tells
//! whether each is FHIR R4, [`minimise`] removes what a route does not send, [`transaction`] makes the Bundle.

mod assemble;
mod bundle;
mod check;
mod issue;
mod minimise;
mod resource;

pub use assemble::{assemble, assemble_again};
pub use bundle::transaction;
pub use check::check;
pub use issue::Issue;
pub use minimise::{check_drop, minimise};
pub use resource::{Resource, resource_id};
