//! How much of a file may be held at once.

/// Bounds that keep memory constant, whatever a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest record, in bytes of UTF-8. A reader holds one record and one read.
    pub record_bytes: usize,
    /// The most columns of a row.
    pub columns: usize,
    /// How deep JSON and XML may be nested, record included. JSON is never read deeper than 127.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { record_bytes: 4 << 20, columns: 2048, depth: 64 }
    }
}
