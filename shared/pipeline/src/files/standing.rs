//! How far a file's rows have come since they were sent. It is counted when somebody asks: what a report in the outbox could say
//! of deliveries would be about the moment in which the file was read, before any was made.

use std::collections::BTreeMap;

use bridge_core::{
    feed::{Feed, Format},
    id::MessageId,
};
use futures::future::try_join_all;

use super::docs::FileDoc;
use crate::{
    bridge::Bridge,
    keys::KeyError,
    ports::{FilePorts, Files},
    queries::{QueryError, Standing},
};

/// Messages that are looked up at a time.
const AT_A_TIME: usize = 50;

/// Where the rows of a file stand.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowsNow {
    /// Rows that went on and are in the ledger, by where they stand.
    pub standing: BTreeMap<Standing, u64>,
    /// Rows that went on and are on their queue yet.
    pub queued: u64,
}

/// What makes the message of a row, or of these rows, this one and no other.
pub(super) fn row_id<'a>(kind: &'a str, doc: &'a FileDoc, numbers: &'a [u8]) -> Vec<&'a [u8]> {
    vec![kind.as_bytes(), doc.file.as_str().as_bytes(), numbers]
}

impl<P: FilePorts> Bridge<P> {
    /// Counts where a file's rows stand, by reading the record of each message: a million rows are a million reads, unless rows
    /// share messages. `None` where they have ids of their own, as the messages of an HL7 v2 batch do; removals have, and are
    /// left out.
    ///
    /// # Errors
    /// When a port fails, or what is known of a snapshot's news is gone.
    pub async fn rows_now(&self, doc: &FileDoc, feed: &Feed) -> Result<Option<RowsNow>, QueryError> {
        if feed.file.format == Format::Hl7Batch {
            return Ok(None);
        }
        let mut now = RowsNow::default();
        if doc.progress.lists > 0 {
            for list in 1..=doc.progress.lists {
                self.count_list(doc, list, &mut now).await?;
            }
        } else {
            self.count_rows(doc, &mut now).await?;
        }
        let removed = doc.progress.compared.map_or(0, |compared| compared.deleted);
        let seen: u64 = now.standing.values().sum();
        now.queued = doc.progress.sent.saturating_sub(removed).saturating_sub(seen);
        Ok(Some(now))
    }

    /// Rows that share messages: which ones was listed when they were sent.
    async fn count_list(&self, doc: &FileDoc, list: u32, now: &mut RowsNow) -> Result<(), QueryError> {
        let listed = self.ports.files().get(&doc.list(list)).await?.ok_or(KeyError::Expired)?;
        let listed = String::from_utf8_lossy(&listed);
        let messages = listed.lines().filter_map(|line| {
            let (id, rows) = line.split_once(' ')?;
            Some((id.parse::<MessageId>().ok()?, rows.parse::<u64>().ok()?))
        });
        let tenant = doc.connection.tenant();
        let (ids, rows): (Vec<_>, Vec<_>) = messages.unzip();
        let found = try_join_all(ids.iter().map(|id| self.message(&tenant, id))).await?;
        for (message, rows) in found.into_iter().zip(rows) {
            if let Some(message) = message {
                *now.standing.entry(message.standing).or_default() += rows;
            }
        }
        Ok(())
    }

    async fn count_rows(&self, doc: &FileDoc, now: &mut RowsNow) -> Result<(), QueryError> {
        let tenant = doc.connection.tenant();
        let index = self.index_key(&tenant).await?;
        let kind = Feed::kind(&doc.feed);
        let chosen = self.chosen_rows(doc).await?;
        let went_on = |row: &u64| chosen.as_ref().is_none_or(|chosen| chosen.has(*row));
        let mut rows = (1..=doc.progress.report.received).filter(went_on);
        loop {
            let some = rows.by_ref().take(AT_A_TIME);
            let ids: Vec<_> = some
                .map(|row| index.message(&doc.connection, &row_id(&kind, doc, &row.to_be_bytes())))
                .collect();
            if ids.is_empty() {
                return Ok(());
            }
            let found = try_join_all(ids.iter().map(|id| self.message(&tenant, id))).await?;
            for message in found.into_iter().flatten() {
                *now.standing.entry(message.standing).or_default() += 1;
            }
        }
    }
}
