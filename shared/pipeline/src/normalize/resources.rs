//! The FHIR store: the current state of each resource, guarded by its source's version.

use bridge_core::{
    Phi, Timestamp,
    id::{ConnectionId, MessageId, TenantId},
    task::NormalizeTask,
};
use bridge_fhir::Resource;
use bridge_seal::Binding;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

use super::{
    IN_THE_RECORD,
    change::{Change, Changes},
    merge::{Asides, Said, State},
};
use crate::{
    bridge::Bridge,
    keys::{Keep, KeyError},
    ledger::{LedgerError, docs_read, docs_write},
    ports::{Blobs, Expect, Key, Ports, Record, Store, Table, WriteError},
    stage::Failure,
};

/// Losing a race this often in a row means that something is wrong, not busy.
const RACES: usize = 16;
/// What tells of a message and of nothing else is not stored: the message's record tells it, too.
const ABOUT_THE_MESSAGE: [&str; 2] = ["MessageHeader", "Provenance"];

/// What is known of a stored resource without opening it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceDoc {
    /// The message that made this state.
    pub message: MessageId,
    /// Its connection.
    pub connection: ConnectionId,
    /// When it was stored.
    pub stored_at: Timestamp,
    /// Object key, when it is too large for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<String>,
    /// For resources that are put together from many messages: which version said what, by element (ADR 8).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub said: Said,
    /// What the message did to it, where a destination is told of events (ADR 10).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Which replay of the message it was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replay: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

/// Who says what a resource is, and what is remembered with it.
#[derive(Debug)]
pub(crate) struct Told<'a> {
    connection: &'a ConnectionId,
    message: &'a MessageId,
    replay: u32,
    said: Said,
    change: Option<Change>,
}

impl<'a> Told<'a> {
    fn by(task: &'a NormalizeTask, said: Said, change: Option<Change>) -> Self {
        Self { connection: &task.connection, message: &task.message, replay: task.replay, said, change }
    }

    /// By an answer of the product, outside of any message.
    pub(crate) fn seen(connection: &'a ConnectionId, message: &'a MessageId) -> Self {
        Self { connection, message, replay: 0, said: Said::new(), change: None }
    }
}

/// Which of two states of a resource is the newer: the source's own version decides, then the order in which the
/// messages came, then the replay. As text, so that a condition of the store can compare it.
#[derive(Debug)]
pub(crate) struct Version {
    /// The source's version; empty where the message has none.
    pub(crate) source: String,
    /// Instead of it, where several records came together: that of each resource, by `Type/id`.
    pub(crate) each: BTreeMap<String, String>,
    /// The message's place in its lane.
    pub(crate) order: String,
    /// Which replay of the message.
    pub(crate) replay: u32,
    /// What it does to the resources, to be remembered with them.
    pub(crate) changes: Changes,
}

impl Version {
    /// The source's version of a resource.
    fn source_of(&self, reference: &str) -> &str {
        self.each.get(reference).unwrap_or(&self.source)
    }

    fn text(&self, source: &str) -> String {
        format!("{source}#{}#{:06}", self.order, self.replay)
    }

    /// A message without a version says something about the state that is there (a deletion names only the id): it
    /// takes that state's version, and the order decides.
    fn after(&self, current: Option<String>) -> String {
        self.text(current.as_deref().and_then(|version| version.split('#').next()).unwrap_or_default())
    }
}

impl<P: Ports> Bridge<P> {
    /// Stores the resources of a message. Returns those that were not stored, because a newer state is there.
    pub(crate) async fn store_resources(
        &self,
        task: &NormalizeTask,
        resources: &[Resource],
        version: &Version,
    ) -> Result<Vec<String>, Failure> {
        let stored = resources.iter().map(|resource| self.store_resource(task, resource, version));
        Ok(try_join_all(stored).await?.into_iter().flatten().collect())
    }

    async fn store_resource(
        &self,
        task: &NormalizeTask,
        resource: &Resource,
        version: &Version,
    ) -> Result<Option<String>, Failure> {
        let reference = resource.reference();
        let change = version.changes.get(&reference).copied();
        let source = version.source_of(&reference);
        let mut own = version.text(source);
        loop {
            let told = Told::by(task, Said::new(), change);
            let record = self.resource_record(&told, resource, own.clone()).await?;
            let written = self.write_resource(&task.connection, record, Expect::OlderThan(own.clone())).await;
            let current = match written {
                Ok(()) => return Ok(None),
                Err(WriteError::Conflict { current, .. }) => current.and_then(|current| current.version),
                Err(WriteError::Failed(error)) => return Err(error.into()),
            };
            // No version sorts before every version, so that nothing need be read where nobody has any. Where the state has
            // one, that is taken.
            let after = if source.is_empty() { version.after(current.clone()) } else { own.clone() };
            if after == own {
                // The same version is this very state, stored by an earlier run.
                return Ok((current > Some(own)).then_some(reference));
            }
            own = after;
        }
    }

    /// Puts what a message says of its resources into what is known of them. Returns the resources as they are now,
    /// and which of them say nothing of this message, because newer ones have said all of it.
    pub(super) async fn merge_resources(
        &self,
        task: &NormalizeTask,
        resources: Vec<Resource>,
        asides: &Asides,
        version: &Version,
    ) -> Result<(Vec<Resource>, Vec<String>), Failure> {
        let merged = resources.iter().map(|resource| self.merge_resource(task, resource, asides, version));
        let mut superseded = Vec::new();
        let merged = try_join_all(merged).await?.into_iter().map(|(resource, is_over)| {
            superseded.extend(is_over.then(|| resource.reference()));
            resource
        });
        Ok((merged.collect(), superseded))
    }

    async fn merge_resource(
        &self,
        task: &NormalizeTask,
        resource: &Resource,
        asides: &Asides,
        version: &Version,
    ) -> Result<(Resource, bool), Failure> {
        if ABOUT_THE_MESSAGE.contains(&resource.resource_type.as_str()) {
            return Ok((resource.clone(), false));
        }
        let reference = resource.reference();
        let place = resource_key(&task.connection.tenant(), &reference);
        for _ in 0..RACES {
            let current = self.ports.store().get(&place).await?;
            let (expect, known_version) = match &current {
                Some(record) => (Expect::Rev(record.rev), record.version.clone().unwrap_or_default()),
                None => (Expect::Absent, String::new()),
            };
            let own = match version.source.as_str() {
                "" => version.after(current.as_ref().and_then(|current| current.version.clone())),
                source => version.text(source),
            };
            let known = match current {
                Some(record) => {
                    let (doc, json) = self.open_resource(record, &reference).await?;
                    let json: Value = serde_json::from_slice(json.expose())
                        .map_err(|_| KeyError::Seal(bridge_seal::SealError::Format))?;
                    State::of(&json, &doc.said, &known_version)
                }
                None => State::default(),
            };
            let mut state = known.clone();
            state.merge(&resource.json, asides, &own);
            let json = state.json(&resource.resource_type, &resource.id);
            let is_over = known_version > own && !state.has_of(&own);
            let merged = Resource { json, ..resource.clone() };
            if state == known && expect != Expect::Absent {
                return Ok((merged, is_over));
            }
            let (change, newest) = (version.changes.get(&reference).copied(), own.clone().max(known_version));
            let record = self.resource_record(&Told::by(task, state.said(), change), &merged, newest).await?;
            match self.write_resource(&task.connection, record, expect).await {
                Ok(()) => return Ok((merged, is_over)),
                // Somebody else put something in meanwhile: it must not be lost.
                Err(WriteError::Conflict { .. }) => {}
                Err(WriteError::Failed(error)) => return Err(error.into()),
            }
        }
        Err(Failure::Ledger(LedgerError::Contended))
    }

    /// The record of a resource, sealed; what is too large for it goes to the bucket.
    pub(crate) async fn resource_record(
        &self,
        told: &Told<'_>,
        resource: &Resource,
        version: String,
    ) -> Result<Record, Failure> {
        let (tenant, reference) = (told.connection.tenant(), resource.reference());
        let binding = Binding { connection: told.connection, purpose: "resource", id: &reference };
        let sealed = self.seal(binding, Keep::Lasting, resource.json.to_string().as_bytes()).await?;
        let mut doc = ResourceDoc {
            message: told.message.clone(),
            connection: told.connection.clone(),
            stored_at: self.now(),
            stored: None,
            said: told.said.clone(),
            change: told.change,
            replay: told.replay,
        };
        let mut blob = Some(sealed);
        if let Some(large) = blob.take_if(|sealed| sealed.len() > IN_THE_RECORD) {
            let key = format!("resources/{tenant}/{reference}/{}", told.message);
            self.ports.blobs().put(&key, large).await?;
            doc.stored = Some(key);
        }
        let mut record = Record::new(resource_key(&tenant, &reference), docs_write(&doc));
        record.blob = blob;
        record.version = Some(version);
        Ok(record)
    }

    /// Reads a resource as it is now, as JSON text.
    ///
    /// # Errors
    /// When a port fails or it can't be opened.
    pub async fn resource(
        &self,
        tenant: &TenantId,
        reference: &str,
    ) -> Result<Option<(ResourceDoc, Phi<Vec<u8>>)>, KeyError> {
        let Some(record) = self.ports.store().get(&resource_key(tenant, reference)).await? else {
            return Ok(None);
        };
        self.open_resource(record, reference).await.map(Some)
    }

    pub(crate) async fn open_resource(
        &self,
        record: Record,
        reference: &str,
    ) -> Result<(ResourceDoc, Phi<Vec<u8>>), KeyError> {
        let unreadable = |_| KeyError::Seal(bridge_seal::SealError::Format);
        let doc: ResourceDoc = docs_read(&record).map_err(unreadable)?;
        let sealed = match &doc.stored {
            Some(key) => self.ports.blobs().get(key).await?.ok_or(KeyError::Expired)?,
            None => record.blob.ok_or(KeyError::Expired)?,
        };
        let binding = Binding { connection: &doc.connection, purpose: "resource", id: reference };
        let json = self.open(binding, &sealed).await?;
        Ok((doc, json))
    }
}

/// Where a resource's current state stands.
pub(crate) fn resource_key(tenant: &TenantId, reference: &str) -> Key {
    Key::new(Table::Resources, format!("{tenant}#{reference}"), "current")
}
