//! What lists had, as hashes: they stand sealed in records beside the cursor, written with it or not at all, so that a list of
//! any length is gone through in any number of turns. There are two shelves of each kind, which lists take in turn: what is
//! kept does not grow.

use std::time::Duration;

use bridge_core::{Phi, Timestamp, id::ConnectionId, manifest::Poll};
use bridge_seal::Binding;
use serde::{Deserialize, Serialize};

use super::docs::{Shelf, known_key, known_range};
use crate::{
    bridge::Bridge,
    keys::Keep,
    ledger::{LedgerError, docs_read, docs_write},
    ports::{Index, Ports, Query, Record, Store, Table},
    stage::Failure,
};

/// Kept for so many periods after its own: a listing may be late.
const PERIODS: u32 = 4;
const AT_LEAST: Duration = Duration::from_hours(24 * 30);

/// Which run a page belongs to. One that was longer, two runs ago, may have left some behind the last.
#[derive(Serialize, Deserialize)]
struct PageDoc {
    run: u64,
}

/// When what a list had is forgotten.
pub(super) fn kept_until(now: Timestamp, poll: &Poll) -> Timestamp {
    let hours = poll.reconcile.as_ref().map_or(0, |reconcile| reconcile.every);
    let period = Duration::from_hours(1) * u32::try_from(hours).unwrap_or(u32::MAX);
    now + AT_LEAST + period * PERIODS
}

fn binding<'a>(connection: &'a ConnectionId, place: &'a str) -> Binding<'a> {
    Binding { connection, purpose: "known", id: place }
}

impl<P: Ports> Bridge<P> {
    /// The record of a page of hashes of a run.
    pub(super) async fn known_page(
        &self,
        (connection, resource): (&ConnectionId, &str),
        (shelf, run, page): (Shelf, u64, u64),
        hashes: impl IntoIterator<Item = u64>,
        expires: Timestamp,
    ) -> Result<Record, Failure> {
        let bytes: Vec<u8> = hashes.into_iter().flat_map(u64::to_le_bytes).collect();
        let key = known_key(connection, resource, shelf, page);
        let sealed = self.seal(binding(connection, &key.sk), Keep::Lasting, &bytes).await?;
        let mut record = Record::new(key, docs_write(&PageDoc { run }));
        record.blob = Some(sealed);
        record.expires = Some(expires);
        Ok(record)
    }

    /// The pages of hashes that a run left on a shelf, each opened and given to `take`.
    pub(super) async fn known_pages(
        &self,
        (connection, resource): (&ConnectionId, &str),
        (shelf, run): (Shelf, u64),
        mut take: impl FnMut(&[u8]),
    ) -> Result<(), Failure> {
        let (pk, prefix) = known_range(connection, resource, shelf);
        let records =
            self.ports.store().query(Query::prefix(Table::Ledger, Index::Main, pk, &prefix)).await?;
        for record in records {
            let Some(sealed) = &record.blob else { continue };
            let doc: PageDoc = docs_read(&record).map_err(|_| LedgerError::Unreadable("known"))?;
            if doc.run == run {
                let plain: Phi<Vec<u8>> = self.open(binding(connection, &record.key.sk), sealed).await?;
                take(plain.expose());
            }
        }
        Ok(())
    }
}
