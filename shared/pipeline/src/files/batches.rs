//! Rows that travel together: about so many of one lane make a message.
//!
//! They are put together a block of rows at a time. Where a block ends depends on its rows alone, and nowhere but there is a
//! checkpoint: whoever reads them again puts the same rows together, under the same id.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

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
    /// Messages that are closed, by lane, then one for each lane.
    closed: Vec<(usize, Rows)>,
    open: BTreeMap<usize, Rows>,
    /// Of all its rows.
    rows: usize,
    bytes: usize,
    /// Number of its first row.
    first: Option<u64>,
    /// Number of the row that reading came to.
    reached: u64,
}

/// The rows of a message.
#[derive(Default)]
struct Rows {
    numbers: Vec<u64>,
    /// Lines of JSON. PHI.
    text: String,
}

impl Block {
    pub(super) fn new(batch: Batch, index: Arc<IndexKey>) -> Self {
        let (closed, open) = (Vec::new(), BTreeMap::new());
        Self { batch, index, closed, open, rows: 0, bytes: 0, first: None, reached: 0 }
    }

    /// Takes the row of this number, which goes on.
    pub(super) fn push(&mut self, number: u64, json: &str, named: Option<&[String]>) {
        let lane = lane_of(self.batch, &self.index, named, number);
        let open = self.open.entry(lane).or_default();
        let before = open.text.len();
        // Writing into a string can't fail.
        let _ = writeln!(open.text, "{{\"row\":{number},\"record\":{json}}}");
        open.numbers.push(number);
        self.bytes += open.text.len() - before;
        self.rows += 1;
        self.first.get_or_insert(number);
        if open.text.len() >= MESSAGE_BYTES {
            self.closed.push((lane, std::mem::take(open)));
        }
    }

    /// Notes that reading came to this row.
    pub(super) fn reach(&mut self, row: u64) {
        self.reached = row;
    }

    /// Whether it ends here.
    pub(super) fn is_full(&self) -> bool {
        let rows = usize::from(self.batch.rows.get()) * usize::from(self.batch.lanes.get());
        self.rows >= rows
            || self.bytes >= BLOCK_BYTES
            || self.first.is_some_and(|first| self.reached >= first + BLOCK_SPAN)
    }

    /// How many rows are in it.
    pub(super) const fn len(&self) -> usize {
        self.rows
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Its messages by lane, in the order of each; it is empty then.
    fn take(&mut self) -> impl Iterator<Item = (usize, Rows)> + use<> {
        (self.rows, self.bytes, self.first) = (0, 0, None);
        let open = std::mem::take(&mut self.open).into_iter().filter(|(_, rows)| !rows.numbers.is_empty());
        std::mem::take(&mut self.closed).into_iter().chain(open)
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
fn shared_lane(kind: &str, lane: usize) -> Vec<String> {
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
        for (lane, rows) in block.take() {
            let (entry, id) = self.batch_entry(job, lane, &rows).await?;
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

    async fn batch_entry(&self, job: &Job, lane: usize, rows: &Rows) -> Result<(Entry, MessageId), Stopped> {
        let doc = &job.held.doc;
        // A rule's kind is the feed's, however its records travel.
        let kind = Feed::kind(&doc.feed);
        let lane = shared_lane(&kind, lane);
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
        block.take().map(|(_, rows)| rows.numbers).collect()
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
