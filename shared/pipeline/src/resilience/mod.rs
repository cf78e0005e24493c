//! What keeps a destination in trouble from being hurt more, and its neighbours from being hurt at all.
//!
//! The decisions are values without clock or store, so that they can be checked by themselves: [`Breaker`].
//! What one process knows of the state that all share, and how it adds to it, is in [`endpoint`].

mod breaker;
pub(crate) mod endpoint;

pub use breaker::{Answer, Breaker, Counts, State};
pub use endpoint::{EndpointDoc, endpoint_key};
