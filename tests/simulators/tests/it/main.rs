//! The simulators over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod cliniko;
mod epic;
mod frame;
mod oracle_health;
mod smart;
mod support;
mod tebra;
