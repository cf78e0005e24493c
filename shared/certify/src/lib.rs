//! The certification suite: does an adapter do with its product what it says it does?
//!
//! The suite knows no product. It reads the adapter's manifest, and asks for everything in it through the same
//! engine that the bridge calls out with: tokens, reads, lists over many pages, changes, limits, refusals, and writes
//! whose answers get lost. Against a simulator it makes the product fail and moves its clock, over the simulator's
//! `/_control/`; against a real sandbox it leaves out what would need that.
//!
//! What it found is a [`Report`], and the compatibility matrix of the adapter's guide is made of it.

mod access;
mod control;
mod delta;
mod errors;
mod minimised;
mod reads;
mod report;
pub mod sign;
mod subject;
mod version;
mod webhook;
mod writes;

pub use control::{Control, ControlError};
pub use report::{Area, Check, Report, Verdict};
pub use subject::Subject;

/// Runs the whole suite. Takes seconds against a simulator.
pub async fn certify(subject: &Subject) -> Report {
    let mut report = Report::new(subject.adapter(), subject.version());
    access::run(subject, &mut report).await;
    version::run(subject, &mut report).await;
    reads::run(subject, &mut report).await;
    delta::run(subject, &mut report).await;
    writes::run(subject, &mut report).await;
    errors::run(subject, &mut report).await;
    webhook::run(subject, &mut report).await;
    report
}
