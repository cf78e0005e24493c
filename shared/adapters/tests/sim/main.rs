//! Adapters against their simulated products, over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod athenahealth;
mod common;
mod drchrono;
mod healthie;
mod site;
