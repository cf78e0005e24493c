//! What several products have in common.
//!
//! * [`clinic`]: a small practice's records.
//! * [`fhir`]: FHIR R4 servers and SMART backend services.
//! * [`limits`]: counting calls.
//! * [`paging`]: cutting a list into pages.
//! * [`people`]: invented people.
//! * [`sign`]: signatures of webhooks.
//! * [`tokens`]: OAuth 2 tokens that expire and rotate.

pub mod clinic;
pub mod fhir;
pub mod limits;
pub mod paging;
pub mod people;
pub mod sign;
pub mod tokens;
