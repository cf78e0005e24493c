//! What several products have in common.
//!
//! * [`limits`]: counting calls.
//! * [`paging`]: cutting a list into pages.
//! * [`people`]: invented people.
//! * [`sign`]: signatures of webhooks.
//! * [`tokens`]: OAuth 2 tokens that expire and rotate.

pub mod limits;
pub mod paging;
pub mod people;
pub mod sign;
pub mod tokens;
