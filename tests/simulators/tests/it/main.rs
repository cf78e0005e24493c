//! The simulators over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod cliniko;
mod frame;
mod opendental;
mod support;
