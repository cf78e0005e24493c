//! What a sender may ask of the gateway: sizes, numbers and times.

use std::time::Duration;

/// The limits. [`Limits::default`] suits a task with one GiB of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; one more is closed as soon as it is accepted.
    pub connections: usize,
    /// Bytes of a frame; a larger one is answered by AR and passed over.
    pub frame: usize,
    /// Bytes of large unfinished frames, of all connections together. Without room for a largest one, reading waits.
    pub memory: usize,
    /// Frames of one connection that are not answered yet. Above it, its reading waits.
    pub in_flight_per_connection: usize,
    /// Frames of all connections that are not answered yet. Above it, reading waits.
    pub in_flight: usize,
    /// Bytes between frames before a connection is closed: its sender speaks something else.
    pub garbage: usize,
    /// From accepting a connection to the end of its TLS handshake.
    pub handshake: Duration,
    /// From the first byte of a frame to its last.
    pub frame_time: Duration,
    /// From one frame to the next.
    pub idle: Duration,
    /// For a sender to take its answers.
    pub write: Duration,
    /// For everything that was begun, once the gateway was told to stop.
    pub drain: Duration,
    /// Requests to the sink at a time.
    pub sends: usize,
    /// How long an entry may wait for others to share its request.
    pub linger: Duration,
}

/// Entries of one request: what SQS takes.
pub(crate) const BATCH: usize = 10;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            frame: 16 << 20,
            memory: 256 << 20,
            in_flight_per_connection: 64,
            in_flight: 2048,
            garbage: 64 << 10,
            handshake: Duration::from_secs(10),
            frame_time: Duration::from_mins(1),
            idle: Duration::from_hours(1),
            write: Duration::from_secs(30),
            drain: Duration::from_secs(20),
            sends: 32,
            linger: Duration::from_millis(2),
        }
    }
}
