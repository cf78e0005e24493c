//! Sorted keys in blocks: objects of half a mebibyte, sealed, as keys are PHI.

use std::collections::VecDeque;

use bridge_core::id::ConnectionId;
use bridge_formats::delta::{Entries, Entry, write_entry};
use bridge_seal::Binding;

use super::{
    Stopped,
    docs::{FileDoc, SnapshotDoc},
};
use crate::{
    bridge::Bridge,
    keys::{Keep, KeyError},
    ports::{FilePorts, Files},
};

/// A block is closed once it has so many bytes.
const BLOCK: usize = 512 << 10;
/// What sealed objects of files are for; part of what binds them to their place.
const PURPOSE: &str = "file";

/// Where a list of blocks lies.
#[derive(Debug, Clone)]
pub(super) struct Shelf {
    connection: ConnectionId,
    /// Of the objects.
    prefix: String,
    /// What the blocks are bound to: not their place, which others will have after them.
    id: String,
    keep: Keep,
}

impl Shelf {
    /// A sorted run of a file.
    pub(super) fn run(doc: &FileDoc, run: usize, keep: Keep) -> Self {
        Self::of_file(doc, &format!("run-{run:05}"), keep)
    }

    /// What of the last snapshot is missing from a file.
    pub(super) fn removals(doc: &FileDoc, keep: Keep) -> Self {
        Self::of_file(doc, "removals", keep)
    }

    fn of_file(doc: &FileDoc, name: &str, keep: Keep) -> Self {
        let prefix = format!("work/{}/{}/{name}", doc.connection, doc.file);
        Self { connection: doc.connection.clone(), id: format!("{}#{name}", doc.file), prefix, keep }
    }

    /// A snapshot. It lasts until the one after the next: however rarely a practice sends one, it finds the last.
    pub(super) fn snapshot(connection: &ConnectionId, feed: &str, snapshot: &SnapshotDoc) -> Self {
        let prefix = format!("snapshots/{connection}/{feed}/{}", snapshot.slot);
        let id = format!("{}#snapshot", snapshot.file);
        Self { connection: connection.clone(), prefix, id, keep: Keep::Lasting }
    }

    fn key(&self, block: u32) -> String {
        format!("{}-{block:06}", self.prefix)
    }
}

impl<P: FilePorts> Bridge<P> {
    /// Seals and puts an object of a file.
    pub(super) async fn put_sealed(
        &self,
        connection: &ConnectionId,
        key: &str,
        id: &str,
        keep: Keep,
        plain: &[u8],
    ) -> Result<(), Stopped> {
        let sealed = self.seal(Binding { connection, purpose: PURPOSE, id }, keep, plain).await?;
        Ok(self.ports.files().put(key, sealed).await?)
    }

    /// Gets and opens it.
    pub(super) async fn get_sealed(
        &self,
        connection: &ConnectionId,
        key: &str,
        id: &str,
    ) -> Result<Vec<u8>, KeyError> {
        let sealed = self.ports.files().get(key).await?.ok_or(KeyError::Expired)?;
        let opened = self.open(Binding { connection, purpose: PURPOSE, id }, &sealed).await?;
        Ok(opened.expose().clone())
    }
}

/// Writes entries, which come sorted.
#[derive(Debug)]
pub(super) struct BlockWriter {
    shelf: Shelf,
    block: Vec<u8>,
    blocks: u32,
    /// How many entries.
    pub(super) entries: u64,
}

impl BlockWriter {
    pub(super) fn new(shelf: Shelf) -> Self {
        Self { shelf, block: Vec::new(), blocks: 0, entries: 0 }
    }

    pub(super) async fn push<P: FilePorts>(
        &mut self,
        bridge: &Bridge<P>,
        entry: &Entry,
    ) -> Result<(), Stopped> {
        write_entry(entry, &mut self.block).map_err(|error| super::tell::key_too_long(entry.row, &error))?;
        self.entries += 1;
        if self.block.len() < BLOCK {
            return Ok(());
        }
        self.close(bridge).await
    }

    async fn close<P: FilePorts>(&mut self, bridge: &Bridge<P>) -> Result<(), Stopped> {
        let Shelf { connection, id, keep, .. } = &self.shelf;
        let id = format!("{id}#{}", self.blocks);
        bridge.put_sealed(connection, &self.shelf.key(self.blocks), &id, *keep, &self.block).await?;
        self.block.clear();
        self.blocks += 1;
        Ok(())
    }

    /// Writes the last block; how many there are.
    pub(super) async fn finish<P: FilePorts>(mut self, bridge: &Bridge<P>) -> Result<u32, Stopped> {
        if !self.block.is_empty() {
            self.close(bridge).await?;
        }
        Ok(self.blocks)
    }
}

/// Reads them, a block at a time.
#[derive(Debug)]
pub(super) struct BlockReader {
    shelf: Shelf,
    next: u32,
    blocks: u32,
    entries: VecDeque<Entry>,
}

impl BlockReader {
    pub(super) fn new(shelf: Shelf, blocks: u32) -> Self {
        Self { shelf, next: 0, blocks, entries: VecDeque::new() }
    }

    /// What is left to be removed, once `done` blocks are done with.
    pub(super) fn removals(doc: &FileDoc, done: u32, blocks: u32) -> Self {
        Self { next: done, ..Self::new(Shelf::removals(doc, Keep::Lasting), blocks) }
    }

    /// There are blocks that have not been read.
    pub(super) fn is_more(&self) -> bool {
        self.next < self.blocks
    }

    /// Reads the next block, if everything before it has been taken.
    pub(super) async fn refill<P: FilePorts>(&mut self, bridge: &Bridge<P>) -> Result<(), Stopped> {
        if !self.entries.is_empty() || !self.is_more() {
            return Ok(());
        }
        let id = format!("{}#{}", self.shelf.id, self.next);
        let block = bridge.get_sealed(&self.shelf.connection, &self.shelf.key(self.next), &id).await?;
        for entry in Entries::new(block.as_slice()) {
            self.entries.push_back(entry.map_err(super::tell::not_comparable)?);
        }
        self.next += 1;
        Ok(())
    }

    /// The last key that has been read, where more follow it.
    pub(super) fn bound(&self) -> Option<&[u8]> {
        self.entries.back().filter(|_| self.is_more()).map(|entry| entry.key.as_slice())
    }

    /// Takes the entries up to a key; all, where there is none.
    pub(super) fn take_to(&mut self, bound: Option<&[u8]>) -> impl Iterator<Item = Entry> + '_ {
        let inside = |entry: &Entry| bound.is_none_or(|bound| entry.key.as_slice() <= bound);
        let count = self.entries.partition_point(inside);
        self.entries.drain(..count)
    }

    /// Takes all that have been read.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Entry> + '_ {
        self.entries.drain(..)
    }
}
