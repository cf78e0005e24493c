//! HL7 v2 over MLLP: the door of practices whose systems speak over a socket.
//!
//! ```text
//! socket ─ frames ─ Sink::prepare ─ batches of all connections ─ Sink::store ─ answers, in the order of the frames
//!            │            │                                           │
//!     hl7v2::mllp   parse, identify, seal                     one durable write
//! ```
//!
//! * A positive answer means that the message is on the queue: there is no other place where one is made.
//! * Whatever fails is answered by AE or CE, so that the sender sends again; the same message sent twice is one.
//! * Everything is bounded: connections, the size of frames, memory for unfinished ones, answers that are due, and
//!   the time for each. Where the queue is slow, reading is.
//! * What a lane's entries say to each other, their order, is kept (see `lanes`).
//!
//! The sockets know nothing of the pipeline but [`Sink`].

mod answers;
mod batch;
mod budget;
mod connection;
pub mod door;
pub mod health;
mod lanes;
mod limits;
mod metrics;
pub mod pipeline;
pub mod renewal;
mod server;
pub mod settings;
pub mod sink;
pub mod tls;

pub use limits::Limits;
pub use metrics::Metrics;
pub use server::{Gateway, OpenError};
pub use sink::Sink;
