//! Rows on their way: each a sealed task on `inbound`, under an id made of the file and the number of the row.

use std::sync::Arc;

use bridge_core::{Cause, feed::Feed, feed::Format as FileFormat, task::Format};
use bridge_formats::{Place, Quarantined};
use bridge_hl7v2::ack::Verdict;
use serde_json::Value;

use super::{
    Job, Stopped, answers::Answering, batches::Block, blocks::BlockReader, compare::Rows, pass::Takes,
    standing::row_id,
};
use crate::{
    bridge::Bridge,
    ports::{Entry, FilePorts, Files, PortError, Queue, QueueName},
    receive::Incoming,
};

/// Tasks that are sealed and queued at once.
const AT_A_TIME: usize = 200;

/// A good row that waits to be sent.
struct Row {
    place: Place,
    json: String,
    key: String,
}

/// Sends good rows, and sets bad ones aside.
struct Sending {
    feed: Arc<Feed>,
    /// Which rows go on; `None` for all.
    chosen: Option<Rows>,
    rows: Vec<Row>,
    /// Those that travel together.
    block: Option<Block>,
    bad: Vec<Quarantined>,
}

impl<P: FilePorts> Takes<P> for Sending {
    fn good(&mut self, place: Place, json: &str, key: &str) {
        let goes_on = self.chosen.as_ref().is_none_or(|rows| rows.has(place.row));
        match &mut self.block {
            Some(block) => {
                if goes_on {
                    block.push(place.row, json, lane(&self.feed, json, key).as_deref());
                }
                block.reach(place.row);
            }
            None if goes_on => self.rows.push(Row { place, json: json.to_owned(), key: key.to_owned() }),
            None => {}
        }
    }

    fn is_full(&self) -> bool {
        self.block.as_ref().is_some_and(Block::is_full)
    }

    fn bad(&mut self, rows: Vec<Quarantined>) {
        self.bad.extend(rows);
    }

    async fn settle(&mut self, bridge: &Bridge<P>, job: &mut Job, is_end: bool) -> Result<bool, Stopped> {
        if let Some(block) = &mut self.block {
            if !(is_end || block.is_full() || block.is_empty()) {
                return Ok(false);
            }
            let sent = block.len() as u64;
            let entries = bridge.block_entries(job, block).await?;
            bridge.queue_rows(job, entries, sent).await?;
        }
        let is_hl7 = job.feed.file.format == FileFormat::Hl7Batch;
        for rows in self.rows.chunks(AT_A_TIME) {
            let mut entries = Vec::with_capacity(rows.len());
            for row in rows {
                if is_hl7 {
                    match bridge.hl7_entry(job, row).await? {
                        Ok(entry) => entries.push(entry),
                        Err(bad) => {
                            job.held.doc.progress.turned_away += 1;
                            self.bad.push(bad);
                        }
                    }
                } else {
                    entries.push(bridge.row_entry(job, row).await?);
                }
            }
            let sent = entries.len() as u64;
            bridge.queue_rows(job, entries, sent).await?;
        }
        self.rows.clear();
        if !self.bad.is_empty() {
            bridge.quarantine_rows(job, std::mem::take(&mut self.bad)).await?;
        }
        let (at_most, bad) = (u64::from(job.feed.bad_rows.at_most), job.held.doc.progress.turned_away);
        if bad > at_most {
            let text = format!("the connection's HL7 v2 site turns away more than {at_most} messages");
            return Err(Stopped::Refused(Cause::new("file.bad_rows", text)));
        }
        Ok(true)
    }
}

impl<P: FilePorts> Bridge<P> {
    /// Sends the rows that are to go on.
    pub(super) async fn send(&self, job: &mut Job) -> Result<(), Stopped> {
        let progress = &mut job.held.doc.progress;
        if progress.checkpoint.is_none() {
            // What was counted until now was looking ahead.
            progress.report = Default::default();
            (progress.sent, progress.turned_away) = (0, 0);
            (progress.quarantined, progress.lists) = (0, 0);
        }
        if let Some(asked) = self.asked(&job.source, &job.held.doc.feed).await? {
            return self.pass(job, Answering::to(asked)).await;
        }
        let chosen = self.chosen_rows(&job.held.doc).await?;
        let block = match job.feed.batch {
            Some(batch) => Some(Block::new(batch, self.index_key(&job.held.doc.connection.tenant()).await?)),
            None => None,
        };
        let feed = Arc::clone(&job.feed);
        self.pass(job, Sending { feed, chosen, rows: Vec::new(), block, bad: Vec::new() }).await
    }

    /// Sends what is missing from a snapshot as removed.
    pub(super) async fn remove(&self, job: &mut Job) -> Result<(), Stopped> {
        // All answers are durable by now: a run that is closed gets none of them any more.
        if let Some(asked) = self.asked(&job.source, &job.held.doc.feed).await? {
            self.close_answered(&asked).await?;
        }
        let (blocks, done) = job.held.doc.progress.removals;
        let mut reader = BlockReader::removals(&job.held.doc, done, blocks);
        while reader.is_more() {
            reader.refill(self).await?;
            let mut entries = Vec::new();
            for entry in reader.take_all() {
                entries.push(self.removal_entry(job, &entry.key).await?);
            }
            let sent = entries.len() as u64;
            self.queue_rows(job, entries, sent).await?;
            job.held.doc.progress.removals.1 += 1;
            job.rows += sent;
            self.heard(job, false).await?;
        }
        Ok(())
    }

    /// Puts the messages of so many rows on their queue, and counts these.
    async fn queue_rows(&self, job: &mut Job, entries: Vec<Entry>, rows: u64) -> Result<(), Stopped> {
        self.ports.queue().send(QueueName::Inbound, entries).await?;
        job.held.doc.progress.sent += rows;
        Ok(())
    }

    async fn row_entry(&self, job: &Job, row: &Row) -> Result<Entry, Stopped> {
        let doc = &job.held.doc;
        let kind = Feed::kind(&doc.feed);
        let lane = lane(&job.feed, &row.json, &row.key);
        let number = row.place.row.to_be_bytes();
        let incoming = Incoming {
            format: Format::Json,
            kind: &kind,
            source_id: row_id(&kind, doc, &number),
            lane: lane.as_ref().map(|lane| lane.iter().map(String::as_bytes).collect()),
            bytes: row.json.as_bytes(),
        };
        Ok(self.queue_entry(&job.source, incoming).await?.0)
    }

    async fn removal_entry(&self, job: &Job, key: &[u8]) -> Result<Entry, Stopped> {
        let doc = &job.held.doc;
        let kind = Feed::removal_kind(&doc.feed);
        let key = String::from_utf8_lossy(key);
        let values: Vec<String> = serde_json::from_str(&key).unwrap_or_default();
        let columns = job.feed.key_columns.iter().cloned();
        let record: serde_json::Map<String, Value> =
            columns.zip(values.into_iter().map(Value::String)).collect();
        let json = Value::Object(record).to_string();
        let lane = self.removal_lane(job, lane(&job.feed, &json, &key)).await?;
        let incoming = Incoming {
            format: Format::Json,
            kind: &kind,
            source_id: vec![kind.as_bytes(), doc.file.as_str().as_bytes(), key.as_bytes()],
            lane: lane.as_ref().map(|lane| lane.iter().map(String::as_bytes).collect()),
            bytes: json.as_bytes(),
        };
        Ok(self.queue_entry(&job.source, incoming).await?.0)
    }

    /// A message of an HL7 v2 batch goes through the site's own door.
    async fn hl7_entry(&self, job: &Job, row: &Row) -> Result<Result<Entry, Quarantined>, Stopped> {
        let record: Value = serde_json::from_str(&row.json).unwrap_or_default();
        let message = record["message"].as_str().unwrap_or_default();
        let prepared = self.prepare_hl7_of_file(&job.source, message.as_bytes()).await;
        let reason = prepared.cause.map(|cause| cause.to_string()).unwrap_or_default();
        match (prepared.entry, prepared.verdict) {
            (Some(entry), _) => Ok(Ok(entry)),
            (None, Verdict::Error) => Err(PortError { operation: "receive.hl7v2", reason }.into()),
            (None, _) => Ok(Err(Quarantined { place: row.place, column: String::new(), reason })),
        }
    }

    /// Writes bad rows where the practice finds them: places and reasons.
    pub(super) async fn quarantine_rows(&self, job: &mut Job, rows: Vec<Quarantined>) -> Result<(), Stopped> {
        let doc = &mut job.held.doc;
        doc.progress.quarantined += 1;
        let lines: String = rows.iter().map(|row| row.to_json() + "\n").collect();
        let key = doc.quarantine(doc.progress.quarantined);
        Ok(self.ports.files().put(&key, lines.into_bytes()).await?)
    }
}

/// What a record's lane is named by.
fn lane(feed: &Feed, json: &str, key: &str) -> Option<Vec<String>> {
    if feed.lane.is_empty() {
        return serde_json::from_str(key).ok();
    }
    let record: Value = serde_json::from_str(json).ok()?;
    feed.lane.iter().map(|place| place.find_in(&record)).collect()
}
