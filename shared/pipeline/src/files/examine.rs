//! To the end of a file before anything goes on: its bad rows are counted, and where it is a snapshot its keys are sorted
//! into runs.

use bridge_formats::{
    Place, Quarantined,
    delta::{DeltaError, Entry},
};
use bridge_seal::IndexKey;
use std::sync::Arc;

use super::{
    Job, Stopped,
    blocks::{BlockWriter, Shelf},
    pass::Takes,
    tell,
};
use crate::{bridge::Bridge, keys::Keep, ports::FilePorts};
use bridge_core::{feed::DeltaMode, id::ConnectionId};

/// Collects the keys of a snapshot.
struct Examining {
    /// `None` where the file is no snapshot.
    keys: Option<Keys>,
}

struct Keys {
    index: Arc<IndexKey>,
    connection: ConnectionId,
    feed: String,
    held: usize,
    entries: Vec<Entry>,
}

impl<P: FilePorts> Takes<P> for Examining {
    fn good(&mut self, place: Place, json: &str, key: &str) {
        let Some(keys) = &mut self.keys else { return };
        let digest = keys.index.row(&keys.connection, &keys.feed, json.as_bytes());
        keys.held += key.len() + size_of::<Entry>();
        keys.entries.push(Entry { key: key.as_bytes().to_vec(), digest, row: place.row });
    }

    fn bad(&mut self, _: Vec<Quarantined>) {}

    async fn settle(&mut self, bridge: &Bridge<P>, job: &mut Job, is_end: bool) -> Result<bool, Stopped> {
        let Some(keys) = self.keys.as_mut().filter(|keys| !keys.entries.is_empty()) else { return Ok(true) };
        if keys.held < job.pace.run && !is_end {
            return Ok(false);
        }
        let doc = &mut job.held.doc;
        keys.entries.sort_by(|a, b| (&a.key, a.row).cmp(&(&b.key, b.row)));
        let shelf = Shelf::run(doc, doc.progress.runs.len(), Keep::Payload(job.source.retention));
        let mut run = BlockWriter::new(shelf);
        for entry in once_each(std::mem::take(&mut keys.entries))? {
            run.push(bridge, &entry).await?;
        }
        doc.progress.runs.push(run.finish(bridge).await?);
        keys.held = 0;
        Ok(true)
    }
}

/// A row that came twice comes once.
pub(super) fn once_each(sorted: Vec<Entry>) -> Result<Vec<Entry>, Stopped> {
    let mut once: Vec<Entry> = Vec::with_capacity(sorted.len());
    for entry in sorted {
        match once.last() {
            Some(last) if last.key == entry.key && last.digest == entry.digest => {}
            Some(last) if last.key == entry.key => {
                let (first, second) = (last.row, entry.row);
                return Err(tell::not_comparable(DeltaError::RepeatedKey { first, second }));
            }
            _ => once.push(entry),
        }
    }
    Ok(once)
}

impl<P: FilePorts> Bridge<P> {
    /// Reads the file, and sends nothing.
    pub(super) async fn examine(&self, job: &mut Job) -> Result<(), Stopped> {
        let doc = &mut job.held.doc;
        if doc.progress.checkpoint.is_none() {
            doc.progress.runs.clear();
        }
        let (connection, feed) = (doc.connection.clone(), doc.feed.clone());
        let keys = match job.feed.delta.mode {
            DeltaMode::Changes => None,
            DeltaMode::Snapshot => {
                let index = self.index_key(&connection.tenant()).await?;
                Some(Keys { index, connection, feed, held: 0, entries: Vec::new() })
            }
        };
        self.pass(job, Examining { keys }).await
    }
}
