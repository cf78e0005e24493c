//! Exports: which files a connection is sent, when, of what, and what it answers.

mod check;
#[expect(clippy::module_inception, reason = "the export itself, beside its parts")]
mod export;
mod name;
mod schedule;

pub use export::{EncryptedFor, Export, ExportResult, OutColumn, WhenEmpty};
pub use schedule::{Schedule, TimeOfDay, Weekday};
