//! The words of pms-bridge.
//!
//! Every other crate speaks in these types: identifiers, tasks, configuration, outcomes and [`Phi`].
//! Nothing here performs I/O, reads a clock or draws a random number.

pub mod cause;
pub mod config;
pub mod destination;
pub mod export;
pub mod feed;
pub mod http;
pub mod id;
pub mod manifest;
mod phi;
pub mod remote;
pub mod task;
mod time;

pub use cause::Cause;
pub use phi::Phi;
pub use time::{Timestamp, Zone};
