//! Adapters against their simulated products, over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod athenahealth;
mod common;
mod drchrono;
mod epic;
mod healthie;
mod oracle_health;
mod site;
mod tebra;
