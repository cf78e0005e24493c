//! The bucket of files: what practices drop, what they are told, and what the bridge keeps between two files.

use std::{future::Future, ops::Range};

use super::{PortError, Ports};

/// Ports that can also read and write files: what `file-ingest` needs.
pub trait FilePorts: Ports {
    /// Where files are.
    type Files: Files;
    /// See [`Files`].
    fn files(&self) -> &Self::Files;
}

/// One version of an object: whatever is put under its key meanwhile, all reads give the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Its key.
    pub key: String,
    /// Its version, where the bucket keeps them.
    pub version: Option<String>,
    /// Its entity tag, without quotes.
    pub etag: String,
}

/// Files, and objects about them.
pub trait Files: Send + Sync {
    /// Reads bytes of one version. The range is not empty and lies inside of the object. `None` when that version is gone.
    fn read(
        &self,
        file: &Pinned,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Option<Vec<u8>>, PortError>> + Send;
    /// Puts an object whole.
    fn put(&self, key: &str, bytes: Vec<u8>) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Reads an object whole; `None` when it is not there.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, PortError>> + Send;
    /// Begins an object that comes in parts. Nobody sees anything of it until it is completed; what never is, is cleared away.
    fn begin_upload(&self, key: &str) -> impl Future<Output = Result<String, PortError>> + Send;
    /// Puts a part, counted from 1; gives its entity tag. Every part but the last has 5 MiB or more.
    fn put_part(
        &self,
        key: &str,
        upload: &str,
        part: u32,
        bytes: Vec<u8>,
    ) -> impl Future<Output = Result<String, PortError>> + Send;
    /// Makes the object of its parts, whose entity tags these are, in order: all at once, and once, however often it is asked.
    /// `false` when neither the upload nor an object under its key is there.
    fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[String],
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
}
