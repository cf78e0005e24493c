//! The story of a message: [`receive`] takes it in, or [`files`] finds it in a file, [`normalize`] makes it FHIR R4, [`deliver`] hands it over, and
//! [`retry`] puts through again what was set aside. [`export`] writes files of what has changed. [`watch`] misses what does
//! not come.
//!
//! Everything is written against the narrow [`ports`]. The [`ledger`] keeps the truth; queues only carry work.
//! Nothing here names an AWS service, a practice management system or a wall clock.

mod backoff;
pub mod batch;
mod bridge;
pub mod configuration;
pub mod deliver;
pub mod export;
pub mod fhir_api;
pub mod files;
mod keys;
pub mod ledger;
mod line;
pub mod normalize;
mod outcomes;
mod payload;
pub mod poll;
pub mod ports;
mod product;
pub mod queries;
pub mod receive;
mod rejections;
pub mod remote;
pub mod replays;
pub mod resilience;
pub mod retry;
pub mod shadow;
pub mod signing;
mod stage;
mod tokens;
pub mod watch;

pub use bridge::{Bridge, CONFIGURATION_AGE};
pub use keys::{Keep, KeyError};
pub use rejections::RejectionDoc;
pub use stage::Failure;
