//! Rows that travel together: about so many of one lane make a message.
//!
//! They are put together a block of rows at a time. Where a block ends depends on its rows alone, and nowhere but there is a
//! checkpoint: whoever reads them again puts the same rows together, under the same id.

use std::{fmt::Write as _, sync::Arc};

use bridge_core::{
    feed::{Batch, Feed},
    id::MessageId,
    task::Format,
};
use bridge_seal::IndexKey;

use super::{Job, Stopped, standing::row_id};
use crate::{
    bridge::Bridge,
    ports::{Entry, FilePorts, Files},
    receive::Incoming,
};

/// A block ends with this many bytes, so that it never takes more memory.
const BLOCK_BYTES: usize = 1 << 20;
/// A message is closed with this many bytes: sealed, it stays in its record and in its task.
const MESSAGE_BYTES: usize = 64 << 10;
/// A block ends after this many rows of the file, however few of them go on, so that reading can go on behind them.
const BLOCK_SPAN: u64 = 20_000;

/// A block of rows, by lane.
pub(super) struct Block {
    batch: Batch,
    index: Arc<IndexKey>,
    /// Messages that are closed, then one for each lane.
    closed: Vec<Rows>,
    open: Vec<Rows>,
    /// Of all its rows.
    rows: usize,
    bytes: usize,
    /// Number of its first row.
    first: Option<u64>,
    is_full: bool,
}

/// The rows of a message.
#[derive(Debug, Clone, Default)]
struct Rows {
    lane: usize,
    numbers: Vec<u64>,
    /// Lines of JSON. PHI.
    text: String,
}

impl Block {
    pub(super) fn new(batch: Batch, index: Arc<IndexKey>) -> Self {
        let open = Self::lanes(batch);
        Self { batch, index, closed: Vec::new(), open, rows: 0, bytes: 0, first: None, is_full: false }
    }

    fn lanes(batch: Batch) -> Vec<Rows> {
        (0..usize::from(batch.lanes.get())).map(|lane| Rows { lane, ..Rows::default() }).collect()
    }

    /// Takes the row of this number, which goes on.
    pub(super) fn push(&mut self, number: u64, json: &str, named: Option<&[String]>) {
        let lane = lane_of(self.batch, &self.index, named, number);
        let Some(open) = self.open.get_mut(lane) else { return };
        let before = open.text.len();
        // Writing into a string can't fail.
        let _ = writeln!(open.text, "{{\"row\":{number},\"record\":{json}}}");
        open.numbers.push(number);
        self.bytes += open.text.len() - before;
        self.rows += 1;
        self.first.get_or_insert(number);
        if open.text.len() >= MESSAGE_BYTES {
            self.closed.push(std::mem::replace(open, Rows { lane, ..Rows::default() }));
        }
        let rows = usize::from(self.batch.rows.get()) * usize::from(self.batch.lanes.get());
        self.is_full = self.rows >= rows || self.bytes >= BLOCK_BYTES;
    }

    /// Notes that reading came to this row.
    pub(super) fn reach(&mut self, row: u64) {
        self.is_full |= self.first.is_some_and(|first| row >= first + BLOCK_SPAN);
    }

    /// Whether it ends here.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// How many rows are in it.
    pub(super) const fn len(&self) -> usize {
        self.rows
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Its messages, in the order of each lane; it is empty then.
    fn take(&mut self) -> Vec<Rows> {
        let mut messages = std::mem::take(&mut self.closed);
        messages.append(&mut std::mem::replace(&mut self.open, Self::lanes(self.batch)));
        messages.retain(|rows| !rows.numbers.is_empty());
        (self.rows, self.bytes, self.first, self.is_full) = (0, 0, None, false);
        messages
    }
}

/// Which of a feed's lanes a record is in: by what would name a lane of its own, else by its number.
fn lane_of(batch: Batch, index: &IndexKey, named: Option<&[String]>, row: u64) -> usize {
    let number = row.to_be_bytes();
    let parts: Vec<&[u8]> = match named {
        Some(parts) => parts.iter().map(String::as_bytes).collect(),
        None => vec![&number],
    };
    index.share(&parts, usize::from(batch.lanes.get()))
}

/// What the lane of a feed is named by.
pub(super) fn shared_lane(kind: &str, lane: usize) -> Vec<String> {
    vec!["batch".to_owned(), kind.to_owned(), lane.to_string()]
}

impl<P: FilePorts> Bridge<P> {
    /// The messages of a block, sealed; where they are listed is written before any of them is sent.
    pub(super) async fn block_entries(
        &self,
        job: &mut Job,
        block: &mut Block,
    ) -> Result<Vec<Entry>, Stopped> {
        let (mut entries, mut list) = (Vec::new(), String::new());
        for rows in block.take() {
            let (entry, id) = self.batch_entry(job, &rows).await?;
            entries.push(entry);
            let _ = writeln!(list, "{id} {}", rows.numbers.len());
        }
        if !entries.is_empty() {
            let doc = &mut job.held.doc;
            doc.progress.lists += 1;
            self.ports.files().put(&doc.list(doc.progress.lists), list.into_bytes()).await?;
        }
        Ok(entries)
    }

    async fn batch_entry(&self, job: &Job, rows: &Rows) -> Result<(Entry, MessageId), Stopped> {
        let doc = &job.held.doc;
        // A rule's kind is the feed's, however its records travel.
        let kind = Feed::kind(&doc.feed);
        let lane = shared_lane(&kind, rows.lane);
        // All of them: other rows together are another message, whatever was made of the feed meanwhile.
        let numbers: Vec<u8> = rows.numbers.iter().flat_map(|row| row.to_be_bytes()).collect();
        let incoming = Incoming {
            format: Format::Rows,
            kind: &kind,
            source_id: row_id(&kind, doc, &numbers),
            lane: Some(lane.iter().map(String::as_bytes).collect()),
            bytes: rows.text.as_bytes(),
        };
        Ok(self.queue_entry(&job.source, incoming).await?)
    }

    /// In which lane a missing row is told of: in that of its record.
    pub(super) async fn removal_lane(
        &self,
        job: &Job,
        named: Option<Vec<String>>,
    ) -> Result<Option<Vec<String>>, Stopped> {
        let Some(batch) = job.feed.batch else { return Ok(named) };
        let index = self.index_key(&job.held.doc.connection.tenant()).await?;
        let lane = lane_of(batch, &index, named.as_deref(), 0);
        Ok(Some(shared_lane(&Feed::kind(&job.held.doc.feed), lane)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::num::{NonZeroU8, NonZeroU16};

    use super::*;

    fn block(rows: u16, lanes: u8) -> Block {
        let batch = Batch { rows: NonZeroU16::new(rows).unwrap(), lanes: NonZeroU8::new(lanes).unwrap() };
        Block::new(batch, Arc::new(IndexKey::new(zeroize::Zeroizing::new(vec![7; 32]))))
    }

    /// Puts rows in until the block is full; the numbers of each message.
    fn filled(block: &mut Block, rows: impl Iterator<Item = (u64, usize)>) -> Vec<Vec<u64>> {
        for (number, bytes) in rows {
            block.reach(number);
            if block.is_full() {
                break;
            }
            let json = format!("{:?}", "x".repeat(bytes));
            block.push(number, &json, Some(&[number.to_string()]));
        }
        block.take().into_iter().map(|rows| rows.numbers).collect()
    }

    #[test]
    fn a_block_ends_with_so_many_rows_and_each_message_keeps_their_order() {
        let messages = filled(&mut block(50, 8), (1..).map(|number| (number, 10)));
        assert_eq!(messages.len(), 8);
        assert_eq!(messages.iter().map(Vec::len).sum::<usize>(), 400);
        assert!(messages.iter().all(|message| message.is_sorted() && message.len() > 25), "{messages:?}");
    }

    #[test]
    fn long_rows_make_more_messages_and_smaller_blocks() {
        let messages = filled(&mut block(200, 4), (1..).map(|number| (number, 20_000)));
        assert_eq!(messages.iter().map(Vec::len).sum::<usize>(), 53, "a megabyte");
        assert!(messages.iter().all(|message| message.len() <= 4), "{messages:?}");
    }

    #[test]
    fn a_block_of_few_rows_ends_far_behind_the_first() {
        let messages = filled(&mut block(50, 8), (1..).map(|number| (number * 3_000, 10)));
        assert_eq!(messages.iter().map(Vec::len).sum::<usize>(), 7);
    }
}
