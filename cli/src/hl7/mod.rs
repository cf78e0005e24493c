//! HL7 v2 on the command line: files of messages, what came back, and a receiver.

mod answers;
mod files;
pub(crate) mod receiver;

pub(crate) use answers::{Heard, Tally};
pub(crate) use files::{Item, Source, read};
