//! Pages that a product answered, for as long as its adapter says they may be given out again, and longer for when it fails.
//!
//! In the process, and sealed in the store for all of them. One question at a time: who asks the same meanwhile waits for
//! that answer.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bridge_core::{Cause, Phi, Timestamp, id::BlindToken};
use bridge_seal::Binding;
use futures::lock::Mutex as AsyncMutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    bridge::Bridge,
    keys::{Keep, KeyError},
    ledger::docs_write,
    ports::{Expect, Key, Ports, Record, Store, Table, Write, WriteError},
    product::Product,
    stage::Failure,
};

/// For so long an answer is kept; how long it may stand in for a product that fails is the connection's to say.
const STAND_IN: Duration = Duration::from_hours(24);
/// So many answers are kept in a process.
const KEPT: usize = 500;
/// An answer above this is not kept in the store, whose records have 400 KB.
const LARGEST: usize = 300 * 1024;

/// A page of a product's answer, in FHIR.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Page {
    /// When it was answered.
    pub(crate) at: Timestamp,
    /// The resources of the type that was asked for, in the product's order.
    pub(crate) matches: Phi<Vec<Value>>,
    /// Records that could not be mapped.
    pub(crate) unmapped: Vec<Cause>,
    /// Where the product's list goes on.
    pub(crate) next: Option<Phi<String>>,
}

type Flight = Arc<AsyncMutex<()>>;

/// One process's pages.
#[derive(Debug, Default)]
pub(crate) struct Pages {
    pages: Mutex<HashMap<BlindToken, Arc<Page>>>,
    flights: Mutex<HashMap<BlindToken, Flight>>,
}

impl Pages {
    /// The page, if it was answered since `since`.
    pub(super) fn since(&self, key: &BlindToken, since: Timestamp) -> Option<Arc<Page>> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.get(key).filter(|page| page.at >= since).cloned()
    }

    pub(super) fn keep(&self, key: &BlindToken, page: Arc<Page>) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if pages.len() >= KEPT {
            pages.clear();
        }
        pages.insert(key.clone(), page);
    }

    /// What who asks for this page holds while it is asked for.
    pub(super) fn flight(&self, key: &BlindToken) -> Flight {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        // Those that nobody holds any more.
        if flights.len() >= KEPT {
            flights.retain(|_, flight| Arc::strong_count(flight) > 1);
        }
        flights.entry(key.clone()).or_default().clone()
    }
}

fn page_key(product: &Product, key: &BlindToken) -> Key {
    let connection = &product.loaded.connection.connection;
    Key::new(Table::Resources, format!("{}#page#{connection}", connection.tenant()), key.as_str())
}

impl<P: Ports> Bridge<P> {
    /// The page as it is in the store, if it was answered since `since`.
    pub(super) async fn stored_page(
        &self,
        product: &Product,
        key: &BlindToken,
        since: Timestamp,
    ) -> Result<Option<Arc<Page>>, Failure> {
        let Some(record) = self.ports.store().get(&page_key(product, key)).await? else { return Ok(None) };
        let Some(sealed) = record.blob else { return Ok(None) };
        let connection = &product.loaded.connection.connection;
        let binding = Binding { connection, purpose: "fhir-answer", id: key.as_str() };
        match self.open(binding, &sealed).await {
            Ok(plain) => {
                let page: Option<Page> = serde_json::from_slice(plain.expose()).ok();
                Ok(page.filter(|page| page.at >= since).map(Arc::new))
            }
            Err(KeyError::Port(error)) => Err(error.into()),
            // Of another version, or its key is gone.
            Err(_) => Ok(None),
        }
    }

    /// Keeps a page for everybody.
    pub(super) async fn store_page(
        &self,
        product: &Product,
        key: &BlindToken,
        page: &Page,
    ) -> Result<(), Failure> {
        let connection = &product.loaded.connection.connection;
        let binding = Binding { connection, purpose: "fhir-answer", id: key.as_str() };
        let keep = Keep::Payload(product.loaded.retention);
        let sealed = self.seal(binding, keep, docs_write(page).as_bytes()).await?;
        if sealed.len() > LARGEST {
            return Ok(());
        }
        let version = format!("{:015}", page.at.as_millis());
        let mut record = Record::new(page_key(product, key), "{}".to_owned());
        record.blob = Some(sealed);
        record.version = Some(version.clone());
        record.expires = Some(page.at + STAND_IN);
        match self.ports.store().write(vec![Write::Put(record, Expect::OlderThan(version))]).await {
            Ok(()) | Err(WriteError::Conflict { .. }) => Ok(()),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }

    /// What may stand in for the product now.
    pub(super) async fn stand_in(&self, product: &Product, key: &BlindToken) -> Option<Arc<Page>> {
        let longest = stale_for(product).min(STAND_IN);
        if longest.is_zero() {
            return None;
        }
        let since = Timestamp::from_millis(
            self.now().as_millis() - i64::try_from(longest.as_millis()).unwrap_or(i64::MAX),
        );
        if let Some(page) = self.pages.since(key, since) {
            return Some(page);
        }
        self.stored_page(product, key, since).await.ok().flatten()
    }
}

/// How old an answer may be that stands in for the product.
fn stale_for(product: &Product) -> Duration {
    let declared = product.loaded.connection.fallback.as_ref().and_then(|fallback| fallback.reads);
    Duration::from_mins(u64::from(declared.unwrap_or_default().stale_for))
}

/// Whether what is known of a resource may stand in for the product, however old it is: where nobody set an age.
pub(super) fn may_be_of_any_age(product: &Product) -> bool {
    product.loaded.connection.fallback.as_ref().is_none_or(|fallback| fallback.reads.is_none())
}
