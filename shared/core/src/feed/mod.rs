//! Feeds: which files a connection takes, what they look like, and what becomes of their records.

mod columns;
mod format;

pub use columns::{Column, Holds};
pub use format::{Charset, Csv, Format, Header, Json, Lengths, Shape, Xdt, Xml};
