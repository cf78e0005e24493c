//! Feeds: which files a connection takes, what they look like, and what becomes of their records.

mod check;
mod columns;
#[expect(clippy::module_inception, reason = "the feed itself, beside its parts")]
mod feed;
mod format;

pub use check::FeedProblem;
pub use columns::{Column, Holds};
pub use feed::{BadRowPolicy, BadRows, Batch, Delta, DeltaMode, Feed, FeedLimits, Missing, OpenPgp};
pub use format::{Charset, Csv, Format, Header, Json, Lengths, Shape, Xdt, Xml};
