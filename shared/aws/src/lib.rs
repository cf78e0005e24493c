//! The pipeline's [ports](bridge_pipeline::ports) on AWS, and the runners that turn Lambda's events into work.
//!
//! The only crate that names an AWS SDK or the Lambda runtime, and the only one that reads the system's clock. It
//! decides nothing about a message: it stores, sends, seals keys, tells the time, and says so when that failed.

pub mod admin;
mod blobs;
mod client;
mod clock;
mod error;
mod files;
mod keys;
pub mod lambda;
mod meter;
mod ports;
mod queue;
mod settings;
mod signing;
mod store;
mod trust;
mod valkey;

pub use blobs::S3Blobs;
pub use client::Aws;
pub use clock::SystemClock;
pub use files::S3Files;
pub use keys::KmsKeys;
pub use meter::{Meter, Tally};
pub use ports::AwsPorts;
pub use queue::SqsQueue;
pub use settings::{Credentials, IssuerSettings, MissingSettings, Settings};
pub use signing::{KmsSigning, MadeKey};
pub use store::DynamoStore;
pub use valkey::{CacheAddress, Valkey, WrongAddress};
