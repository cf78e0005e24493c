//! What keeps a destination in trouble from being hurt more, and its neighbours from being hurt at all.
//!
//! The decisions are values without clock or store, so that they can be checked by themselves: [`Breaker`], [`Bucket`],
//! [`Seats`]. What one process knows of the state that all share, and how it adds to it, is in `endpoint`, `limits`,
//! `seating` and `retries`.

mod breaker;
mod bucket;
mod budget;
pub(crate) mod endpoint;
pub(crate) mod limits;
pub(crate) mod places;
mod pocket;
pub(crate) mod rates;
pub(crate) mod retries;
pub(crate) mod seating;
mod seats;
pub(crate) mod ways;

pub use breaker::{Answer, Breaker, Counts, State};
pub use bucket::{Bucket, Lease, Share, Wish, shards};
pub use endpoint::{EndpointDoc, endpoint_key};
pub use seats::Seats;
pub use ways::{EndpointId, EndpointState};
