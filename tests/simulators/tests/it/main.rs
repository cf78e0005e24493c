//! The simulators over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod athenahealth;
mod cliniko;
mod drchrono;
mod frame;
mod healthie;
mod support;
