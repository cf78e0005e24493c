//! What has changed becomes files, each change once: whatever the calendar says, and wherever a process stops.
#![allow(clippy::unwrap_used, missing_docs)]

mod answers;
mod calendar;
mod crashes;
mod files;
mod fixtures;
mod round_trip;
