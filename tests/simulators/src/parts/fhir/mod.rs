//! What FHIR R4 servers have in common; each product adds its rights, its ids and its oddities.
//!
//! * [`keys`], [`smart`]: SMART backend services, with signatures that are really verified.
//! * [`store`]: resources with versions.
//! * [`search`]: search parameters, and what matches them.
//! * [`bulk`] exports.
//! * [`pages`]: the links by which a search goes on.
//! * [`server`]: read, search and create, with ETags and OperationOutcomes.
//! * [`capability`]: the statement, made of the same table that decides.
//! * [`seed`]: a synthetic practice.

pub mod bulk;
pub mod capability;
pub mod keys;
pub mod outcome;
pub mod pages;
pub mod search;
pub mod seed;
pub mod server;
pub mod smart;
pub mod store;
