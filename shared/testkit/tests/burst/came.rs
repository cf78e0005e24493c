//! A book of what came on `inbound`: hashes alone, so that its own memory is not what is measured.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bridge_core::task::{InboundTask, Payload};
use bridge_pipeline::{Bridge, ports::Entry};
use bridge_seal::{Binding, sha256};
use data_encoding::BASE64;
use futures::FutureExt as _;

use crate::{
    outward::{Inbound, Outward},
    storm::Storm,
};

/// The book. Entries are opened and forgotten as they come.
#[derive(Clone)]
pub(crate) struct Came {
    opener: Arc<Bridge<Outward<Storm>>>,
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    /// Messages by the product's id.
    messages: HashMap<u64, u64>,
    queued: u64,
    /// Records of which there were two messages.
    twice: u64,
}

impl Came {
    pub(crate) fn opened_by(opener: Arc<Bridge<Outward<Storm>>>) -> Self {
        Self { opener, book: Arc::default() }
    }

    pub(crate) fn forget(&self) {
        *self.book() = Book::default();
    }

    /// Appointments that came.
    pub(crate) fn records(&self) -> usize {
        self.book().messages.len()
    }

    /// Entries, repeats included.
    pub(crate) fn queued(&self) -> u64 {
        self.book().queued
    }

    pub(crate) fn twice(&self) -> u64 {
        self.book().twice
    }

    /// How many of these ids did not come.
    pub(crate) fn missing(&self, ids: &[String]) -> usize {
        let book = self.book();
        ids.iter().filter(|id| !book.messages.contains_key(&hash(id))).count()
    }

    fn enter(&self, entry: &Entry) {
        let InboundTask::Normalize(task) = serde_json::from_str(&entry.body).unwrap();
        if task.kind != "api.appointment" {
            return;
        }
        let Payload::Inline(text) = &task.payload else { panic!("a large record") };
        let id = task.message.to_string();
        let binding = Binding { connection: &task.connection, purpose: "message", id: &id };
        let sealed = BASE64.decode(text.as_bytes()).unwrap();
        let plain = self.opener.open(binding, &sealed).now_or_never().expect("nothing to wait for").unwrap();
        let record: BTreeMap<String, serde_json::Value> = serde_json::from_slice(plain.expose()).unwrap();
        let own = record.get("id").or_else(|| record.get("appointmentid")).unwrap();
        let own = own.as_str().map_or_else(|| own.to_string(), str::to_owned);
        let mut book = self.book();
        book.queued += 1;
        let message = hash(&id);
        let known = *book.messages.entry(hash(&own)).or_insert(message);
        book.twice += u64::from(known != message);
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inbound for Came {
    fn take(&self, entries: Vec<Entry>) {
        entries.iter().for_each(|entry| self.enter(entry));
    }
}

fn hash(text: &str) -> u64 {
    u64::from_le_bytes(sha256(&[text.as_bytes()])[..8].try_into().unwrap())
}
