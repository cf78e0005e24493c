//! A bucket that keeps versions, and says what was dropped as S3 does.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use bridge_core::{Timestamp, task::Dropped};
use bridge_pipeline::ports::{FilePorts, Files, Pinned, PortError};

use super::{Hook, MemoryPorts, lock, receiver::undelivered};

/// A version's name and its bytes.
type Version = (String, Arc<Vec<u8>>);

/// Objects by their keys, each with its versions, the oldest first.
#[derive(Debug, Default)]
pub struct Bucket {
    objects: BTreeMap<String, Vec<Version>>,
    versions: u64,
    /// How many bytes were read in ranges.
    pub read: u64,
}

impl Bucket {
    /// Puts an object, and gives what an event says of it.
    pub fn put(&mut self, key: &str, bytes: impl Into<Arc<Vec<u8>>>, now: i64) -> Dropped {
        let bytes = bytes.into();
        self.versions += 1;
        let version = format!("v{}", self.versions);
        let size = bytes.len() as u64;
        self.objects.entry(key.to_owned()).or_default().push((version.clone(), bytes));
        Dropped {
            key: key.to_owned(),
            etag: version.clone(),
            version: Some(version),
            sequencer: format!("{:016X}", self.versions),
            size,
            at: Timestamp::from_millis(now),
        }
    }

    /// The newest version of an object.
    pub fn get(&self, key: &str) -> Option<&[u8]> {
        self.objects.get(key)?.last().map(|(_, bytes)| bytes.as_slice())
    }

    /// The newest version of an object, by its name.
    pub fn newest(&self, key: &str) -> Option<String> {
        self.objects.get(key)?.last().map(|(version, _)| version.clone())
    }

    /// The keys that begin with `prefix`.
    pub fn keys(&self, prefix: &str) -> Vec<&str> {
        self.objects.keys().map(String::as_str).filter(|key| key.starts_with(prefix)).collect()
    }

    /// Removes an object with all of its versions.
    pub fn remove(&mut self, key: &str) {
        self.objects.remove(key);
    }

    fn range(&mut self, file: &Pinned, range: &Range<u64>) -> Option<Vec<u8>> {
        let versions = self.objects.get(&file.key)?;
        let (_, bytes) = versions.iter().find(|(version, _)| Some(version) == file.version.as_ref())?;
        let end = usize::try_from(range.end).unwrap().min(bytes.len());
        let read = bytes[usize::try_from(range.start).unwrap()..end].to_vec();
        self.read += read.len() as u64;
        Some(read)
    }
}

impl<H: Hook> Files for MemoryPorts<H> {
    async fn read(&self, file: &Pinned, range: Range<u64>) -> Result<Option<Vec<u8>>, PortError> {
        assert!(range.start < range.end, "an empty range is no range");
        self.call("files.read", |world| world.files.range(file, &range)).await
    }

    async fn put(&self, key: &str, bytes: Vec<u8>) -> Result<(), PortError> {
        let bytes = Arc::new(bytes);
        let put = self
            .call("files.put", |world| {
                world.receiver.filed(self.process, key, &bytes, world.now);
                drop(world.files.put(key, Arc::clone(&bytes), world.now));
            })
            .await;
        if undelivered(key).is_some() {
            // Whoever dies before it is told does not know whether it is there.
            self.hook.pause().await;
            lock(&self.world).receiver.is_told(self.process, key, put.is_ok());
        }
        put
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        self.call("files.get", |world| world.files.get(key).map(<[u8]>::to_vec)).await
    }
}

impl<H: Hook> FilePorts for MemoryPorts<H> {
    type Files = Self;
    fn files(&self) -> &Self {
        self
    }
}
