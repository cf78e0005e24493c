//! What an evaluation may use up. A mapping of a 1 KB record needs about a thousandth of each.
//!
//! They stop mistakes, not malice: one call of a function runs to its end before the clock is looked at, so a text
//! that doubles itself can reach a gigabyte first. Mappings are configuration; a Lambda's memory is the last bound.

/// Wall-clock time of one evaluation, in milliseconds. Lambda's own time-out is the backstop.
pub const TIME_MS: u64 = 1_000;

/// Nested evaluation levels; a JSONata function that calls itself needs about three per call.
pub const DEPTH: usize = 600;

/// Items of a sequence that the evaluation builds (`[1..n]`, `$map`, `**`, a path over arrays).
pub const SEQUENCE: usize = 100_000;

/// Characters that `$pad` may produce.
pub const PAD: usize = 1_000;

/// Values (objects, arrays, scalars) in a result. Far more than a message of 1 MiB can hold.
pub const RESULT_VALUES: usize = 1_000_000;

/// Bytes of a mapping's source.
pub const SOURCE: usize = 256 * 1024;
