//! What a full listing had, as two hashes for each record: of its id and of its state. They stand sealed in a record a page,
//! written with the cursor, so that a listing of any length is gone through in any number of turns; the next listing is
//! compared with them. There are two places for them, which listings take in turn: what is kept does not grow.

use std::{collections::HashMap, time::Duration};

use bridge_core::{Timestamp, id::ConnectionId, manifest::Poll};
use bridge_seal::Binding;
use serde::{Deserialize, Serialize};

use super::docs::{known_key, known_range};
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

/// Which listing a page belongs to. One that was longer, two listings ago, may have left some behind the last.
#[derive(Serialize, Deserialize)]
struct PageDoc {
    run: u64,
}

/// A record in a listing: hashes of its id and of its state.
pub(super) type Pair = (u64, u64);

/// When what a listing had is forgotten.
pub(super) fn kept_until(now: Timestamp, poll: &Poll) -> Timestamp {
    let hours = poll.reconcile.as_ref().map_or(0, |reconcile| reconcile.every);
    let period = Duration::from_hours(1) * u32::try_from(hours).unwrap_or(u32::MAX);
    now + AT_LEAST + period * PERIODS
}

fn binding<'a>(connection: &'a ConnectionId, place: &'a str) -> Binding<'a> {
    Binding { connection, purpose: "known", id: place }
}

impl<P: Ports> Bridge<P> {
    /// The record of a page.
    pub(super) async fn known_page(
        &self,
        connection: &ConnectionId,
        resource: &str,
        (slot, run, page): (u8, u64, u64),
        pairs: &[Pair],
        expires: Timestamp,
    ) -> Result<Record, Failure> {
        let bytes: Vec<u8> =
            pairs.iter().flat_map(|(id, state)| [id.to_le_bytes(), state.to_le_bytes()].concat()).collect();
        let key = known_key(connection, resource, slot, page);
        let sealed = self.seal(binding(connection, &key.sk), Keep::Lasting, &bytes).await?;
        let mut record = Record::new(key, docs_write(&PageDoc { run }));
        record.blob = Some(sealed);
        record.expires = Some(expires);
        Ok(record)
    }

    /// What a listing had, by id.
    pub(super) async fn listed(
        &self,
        connection: &ConnectionId,
        resource: &str,
        (slot, run): (u8, u64),
    ) -> Result<HashMap<u64, u64>, Failure> {
        let (pk, prefix) = known_range(connection, resource, slot);
        let records =
            self.ports.store().query(Query::prefix(Table::Ledger, Index::Main, pk, &prefix)).await?;
        let mut known = HashMap::with_capacity(records.len() * 64);
        for record in records {
            let Some(sealed) = &record.blob else { continue };
            let doc: PageDoc = docs_read(&record).map_err(|_| LedgerError::Unreadable("known"))?;
            if doc.run != run {
                continue;
            }
            let plain = self.open(binding(connection, &record.key.sk), sealed).await?;
            for pair in plain.expose().chunks_exact(16) {
                let (id, state) = pair.split_at(8);
                let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or_default());
                known.insert(number(id), number(state));
            }
        }
        Ok(known)
    }
}
