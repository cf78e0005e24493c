//! The simulators over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod athenahealth;
mod cliniko;
mod drchrono;
mod epic;
mod frame;
mod healthie;
mod nexhealth;
mod opendental;
mod oracle_health;
mod smart;
mod support;
mod tebra;
