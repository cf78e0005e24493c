//! FHIR R4 through the public API. All fixtures are made up.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod assemble;
mod bundle;
mod check;
mod minimise;
mod resources;
