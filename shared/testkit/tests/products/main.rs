//! The pipeline with the adapters' real transports, against the simulated products, in virtual time: what is asked over FHIR
//! comes back by poll and webhook, and a burst of changes comes through once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs
)]

mod caller;
mod journey;
mod outward;
mod practice;
