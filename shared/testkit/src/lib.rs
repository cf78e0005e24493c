//! For tests only.
//!
//! * [`caller`]: somebody who asks the FHIR interface.
//! * [`clinic`]: a product whose records change, for those who ask it.
//! * [`contract`]: what every implementation of the ports is held to.
//! * [`examples`]: the invented practice of the repository's examples, in memory.
//! * [`load`]: many processes in virtual time, for ratios.
//! * [`memory`]: the ports in memory, keeping the rules of SQS and DynamoDB that the protocol must survive.
//! * [`practice`]: a small practice over it, for tests that tell one story.
//! * [`sim`]: a deterministic simulation of the whole pipeline over it.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a broken test world must stop the test")]

pub mod caller;
pub mod clinic;
pub mod contract;
pub mod examples;
pub mod load;
pub mod memory;
pub mod practice;
pub mod rows;
pub mod sim;
