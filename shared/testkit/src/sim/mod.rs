//! A deterministic simulation: a seed decides everything that can happen, and the same seed does it again.
//!
//! Senders post webhooks (and post them again), processes receive batches, lose their turn or their life at every
//! call to the world, calls fail before or after their effect, clocks differ, batches are held back until they are
//! received a second time while being worked, the receiver fails, answers nothing, or rejects; an operator
//! releases, replays, pauses, resumes and repairs. At the end the books must agree: see [`Violation`].

mod check;
mod coverage;
mod flaw;
pub(crate) mod plan;
mod rng;
mod run;
mod tasks;

pub use check::Violation;
pub use coverage::Coverage;
pub use flaw::Flaw;
pub use plan::{CONNECTION, DESTINATION};
pub use rng::Rng;
pub use run::{Run, simulate};
