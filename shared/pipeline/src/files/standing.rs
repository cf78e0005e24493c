//! How far a file's rows have come since they were sent. It is counted when somebody asks: what a report in the outbox could say
//! of deliveries would be about the moment in which the file was read, before any was made.

use std::collections::BTreeMap;

use bridge_core::feed::{Feed, Format};
use futures::future::try_join_all;

use super::docs::FileDoc;
use crate::{
    bridge::Bridge,
    ports::FilePorts,
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

/// What makes a row's message this one and no other.
pub(super) fn row_id<'a>(kind: &'a str, doc: &'a FileDoc, number: &'a [u8; 8]) -> Vec<&'a [u8]> {
    vec![kind.as_bytes(), doc.file.as_str().as_bytes(), number]
}

impl<P: FilePorts> Bridge<P> {
    /// Counts where a file's rows stand, by reading the record of each: a million rows are a million reads. `None` where
    /// they have ids of their own, as the messages of an HL7 v2 batch do; removals have, and are left out.
    ///
    /// # Errors
    /// When a port fails, or what is known of a snapshot's news is gone.
    pub async fn rows_now(&self, doc: &FileDoc, feed: &Feed) -> Result<Option<RowsNow>, QueryError> {
        if feed.file.format == Format::Hl7Batch {
            return Ok(None);
        }
        let tenant = doc.connection.tenant();
        let index = self.index_key(&tenant).await?;
        let kind = Feed::kind(&doc.feed);
        let chosen = self.chosen_rows(doc).await?;
        let went_on = |row: &u64| chosen.as_ref().is_none_or(|chosen| chosen.has(*row));
        let mut rows = (1..=doc.progress.report.received).filter(went_on);
        let mut now = RowsNow::default();
        loop {
            let some = rows.by_ref().take(AT_A_TIME);
            let ids: Vec<_> = some
                .map(|row| index.message(&doc.connection, &row_id(&kind, doc, &row.to_be_bytes())))
                .collect();
            if ids.is_empty() {
                break;
            }
            let found = try_join_all(ids.iter().map(|id| self.message(&tenant, id))).await?;
            for message in found.into_iter().flatten() {
                *now.standing.entry(message.standing).or_default() += 1;
            }
        }
        let removed = doc.progress.compared.map_or(0, |compared| compared.deleted);
        let seen: u64 = now.standing.values().sum();
        now.queued = doc.progress.sent.saturating_sub(removed).saturating_sub(seen);
        Ok(Some(now))
    }
}
