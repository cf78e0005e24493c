//! Files become messages, each row once: whatever the file, and wherever a reader stops.
#![allow(clippy::unwrap_used, missing_docs)]

mod batches;
mod crashes;
mod encrypted;
mod fixtures;
mod reading;
mod snapshots;
