//! A snapshot beside the last one: which rows are news, and what is missing.
//!
//! Both are read block by block, in order of their keys. What lies below the last key that every list has shown is complete
//! in memory, and is compared there; so memory holds a block of each list, whatever the size of the snapshot.

use bridge_core::feed::Missing;
use bridge_formats::delta::{Change, Entry, Summary, compare};

use super::{
    Job, Stopped,
    blocks::{BlockReader, BlockWriter, Shelf},
    docs::{Compared, SnapshotDoc},
    examine::once_each,
    tell,
};
use crate::{
    bridge::Bridge,
    keys::{Keep, KeyError},
    ports::FilePorts,
};

/// Numbers of rows: a bit for each row of the file.
#[derive(Debug, Default)]
pub(super) struct Rows(Vec<u8>);

impl Rows {
    /// Adds the number of a row.
    fn add(&mut self, row: u64) {
        let at = usize::try_from(row / 8).unwrap_or(usize::MAX);
        if self.0.len() <= at {
            self.0.resize(at + 1, 0);
        }
        if let Some(byte) = self.0.get_mut(at) {
            *byte |= 1 << (row % 8);
        }
    }

    /// Whether it was added.
    pub(super) fn has(&self, row: u64) -> bool {
        let at = usize::try_from(row / 8).unwrap_or(usize::MAX);
        self.0.get(at).is_some_and(|byte| byte & (1 << (row % 8)) != 0)
    }
}

/// What comes of a comparison.
struct Outcome {
    snapshot: BlockWriter,
    removals: BlockWriter,
    news: Rows,
    summary: Summary,
}

impl<P: FilePorts> Bridge<P> {
    /// Compares the file with the last snapshot of its feed.
    pub(super) async fn compare_snapshots(&self, job: &mut Job) -> Result<(), Stopped> {
        let doc = &job.held.doc;
        let last = job.held.feed.snapshot.clone();
        if let Some(last) = last.as_ref().filter(|last| last.dropped_at > doc.dropped_at) {
            return Err(Stopped::Refused(tell::older_snapshot(last)));
        }
        let slot = last.as_ref().map_or(0, |last| 1 - last.slot.min(1));
        let (file, dropped_at) = (doc.file.clone(), doc.dropped_at);
        let mut new = SnapshotDoc { file, dropped_at, slot, blocks: 0, rows: 0 };
        let keep = Keep::Payload(job.source.retention);
        let run = |(run, blocks): (usize, &u32)| BlockReader::new(Shelf::run(doc, run, keep), *blocks);
        let mut runs: Vec<BlockReader> = doc.progress.runs.iter().enumerate().map(run).collect();
        let mut before = match &last {
            Some(last) => BlockReader::new(Shelf::snapshot(&doc.connection, &doc.feed, last), last.blocks),
            None => BlockReader::new(Shelf::snapshot(&doc.connection, &doc.feed, &new), 0),
        };
        let mut outcome = Outcome {
            snapshot: BlockWriter::new(Shelf::snapshot(&doc.connection, &doc.feed, &new)),
            removals: BlockWriter::new(Shelf::removals(doc, Keep::Lasting)),
            news: Rows::default(),
            summary: Summary::default(),
        };
        // A row that is bad today is not one that is gone: what is missing is judged the next time.
        let removes = job.feed.delta.missing == Missing::Deleted;
        let judges = job.held.doc.progress.report.bad == 0;
        loop {
            for list in runs.iter_mut().chain([&mut before]) {
                list.refill(self).await?;
            }
            let bound = runs.iter().chain([&before]).filter_map(BlockReader::bound).min().map(<[u8]>::to_vec);
            let mut now: Vec<Entry> =
                runs.iter_mut().flat_map(|run| run.take_to(bound.as_deref()).collect::<Vec<_>>()).collect();
            now.sort_by(|a, b| (&a.key, a.row).cmp(&(&b.key, b.row)));
            let now = once_each(now)?;
            let then: Vec<Entry> = before.take_to(bound.as_deref()).collect();
            for change in compare(then.into_iter().map(Ok), now.into_iter().map(Ok)) {
                let change = change.map_err(tell::not_comparable)?;
                outcome.summary.count(&change);
                match change {
                    Change::New(entry) | Change::Changed(entry) => {
                        outcome.news.add(entry.row);
                        outcome.snapshot.push(self, &entry).await?;
                    }
                    Change::Same(entry) => outcome.snapshot.push(self, &entry).await?,
                    Change::Missing(entry) if removes && judges => {
                        outcome.removals.push(self, &entry).await?;
                    }
                    Change::Missing(entry) if removes => outcome.snapshot.push(self, &entry).await?,
                    Change::Missing(_) => {}
                }
            }
            self.heard(job, false).await?;
            if bound.is_none() {
                break;
            }
        }
        let Outcome { snapshot, removals, news, summary } = outcome;
        summary.allow(&job.feed.delta).map_err(tell::not_comparable)?;
        new.rows = snapshot.entries;
        let removed = removals.entries;
        new.blocks = snapshot.finish(self).await?;
        let removals = removals.finish(self).await?;
        let doc = &mut job.held.doc;
        let (key, id) = chosen(doc);
        self.put_sealed(&doc.connection, &key, &id, keep, &news.0).await?;
        let progress = &mut doc.progress;
        progress.snapshot = Some(new);
        progress.removals = (removals, 0);
        progress.compared = Some(Compared {
            changed: summary.new + summary.changed,
            unchanged: summary.same,
            deleted: removed,
        });
        Ok(())
    }

    /// Which rows of a snapshot are news; `None` where the file is none, and all are.
    pub(super) async fn chosen_rows(&self, doc: &super::FileDoc) -> Result<Option<Rows>, KeyError> {
        if doc.progress.snapshot.is_none() {
            return Ok(None);
        }
        let (key, id) = chosen(doc);
        Ok(Some(Rows(self.get_sealed(&doc.connection, &key, &id).await?)))
    }
}

/// Where the numbers of the rows are that are news.
fn chosen(doc: &super::FileDoc) -> (String, String) {
    (format!("work/{}/{}/news", doc.connection, doc.file), format!("{}#news", doc.file))
}
