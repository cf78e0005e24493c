//! The FHIR store: the current state of each resource, guarded by its source's version.

use bridge_core::{
    Phi, Timestamp,
    id::{ConnectionId, MessageId, TenantId},
    task::NormalizeTask,
};
use bridge_fhir::Resource;
use bridge_seal::{Binding, IndexKey};
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{cmp::Ordering, collections::BTreeMap};

use super::{
    IN_THE_RECORD,
    change::{Change, Changes},
    merge::{Asides, Said, State},
};
use crate::{
    bridge::Bridge,
    configuration::Loaded,
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
    /// The version of the message that told the destinations of this state, where the one that said it last had nothing new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_as: Option<String>,
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
    told_as: Option<String>,
}

impl<'a> Told<'a> {
    fn by(task: &'a NormalizeTask, said: Said, change: Option<Change>) -> Self {
        Self {
            connection: &task.connection,
            message: &task.message,
            replay: task.replay,
            said,
            change,
            told_as: None,
        }
    }

    /// By an answer of the product, outside of any message.
    pub(crate) fn seen(connection: &'a ConnectionId, message: &'a MessageId) -> Self {
        Self { connection, message, replay: 0, said: Said::new(), change: None, told_as: None }
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
    /// Names of what it says, by `Type/id`, where nothing but that tells whether it says anything new.
    pub(crate) states: BTreeMap<String, String>,
}

/// What became of resources that were to be stored, by `Type/id`. What is in neither was stored.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// A newer state is there.
    pub(crate) superseded: Vec<String>,
    /// The destinations were told of this state already.
    pub(crate) unchanged: Vec<String>,
}

/// What became of one.
enum Became {
    Stored,
    Superseded,
    Unchanged,
}

/// Names what resources say: the same name for the same content, while the connection is the same and with it its routes.
pub(super) fn states(index: &IndexKey, source: &Loaded, resources: &[Resource]) -> BTreeMap<String, String> {
    let name = |resource: &Resource| {
        let said = format!("{} {}", source.version, resource.json);
        index.token(&source.connection.connection, "state", &said).to_string()
    };
    resources.iter().map(|resource| (resource.reference(), name(resource))).collect()
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
    /// Stores the resources of a message.
    pub(crate) async fn store_resources(
        &self,
        task: &NormalizeTask,
        resources: &[Resource],
        version: &Version,
    ) -> Result<Kept, Failure> {
        let stored = resources.iter().map(|resource| self.store_resource(task, resource, version));
        let mut kept = Kept::default();
        for (resource, outcome) in resources.iter().zip(try_join_all(stored).await?) {
            match outcome {
                Became::Stored => {}
                Became::Superseded => kept.superseded.push(resource.reference()),
                Became::Unchanged => kept.unchanged.push(resource.reference()),
            }
        }
        Ok(kept)
    }

    async fn store_resource(
        &self,
        task: &NormalizeTask,
        resource: &Resource,
        version: &Version,
    ) -> Result<Became, Failure> {
        let reference = resource.reference();
        let change = version.changes.get(&reference).copied();
        let (source, state) = (version.source_of(&reference), version.states.get(&reference));
        let mut own = version.text(source);
        // Which version told of this state, and the revision that says so.
        let mut relies_on: Option<(String, u64)> = None;
        loop {
            let told_as = relies_on.as_ref().map(|(told_as, _)| told_as.clone());
            let told = Told { told_as, ..Told::by(task, Said::new(), change) };
            let mut record = self.resource_record(&told, resource, own.clone()).await?;
            record.state = state.cloned();
            let expect = match (&relies_on, state) {
                // What comes in between may have told of another state.
                (Some((_, rev)), _) => Expect::Rev(*rev),
                // A replay is told again, whatever is known.
                (None, Some(state)) if task.replay == 0 => {
                    Expect::OlderAndOther { version: own.clone(), state: state.clone() }
                }
                _ => Expect::OlderThan(own.clone()),
            };
            let current = match self.write_resource(&task.connection, record, expect).await {
                Ok(()) if relies_on.is_some() => return Ok(Became::Unchanged),
                Ok(()) => return Ok(Became::Stored),
                Err(WriteError::Conflict { current, .. }) => current,
                Err(WriteError::Failed(error)) => return Err(error.into()),
            };
            if relies_on.take().is_some() {
                continue;
            }
            let known = current.as_ref().and_then(|current| current.version.clone()).unwrap_or_default();
            // No version sorts before every version, so that nothing need be read where nobody has any. Where the state has
            // one, that is taken.
            let after = if source.is_empty() { version.after(Some(known.clone())) } else { own.clone() };
            if after != own {
                own = after;
                continue;
            }
            let rev = current.as_ref().map_or(0, |current| current.rev);
            let doc = current.and_then(|current| docs_read::<ResourceDoc>(&current).ok());
            let first = doc.and_then(|doc| doc.told_as);
            match known.cmp(&own) {
                // Its state alone was in the way. It is the newer all the same: nothing older may take its place.
                Ordering::Less => relies_on = Some((first.unwrap_or(known), rev)),
                // This very state, stored by an earlier run.
                Ordering::Equal if first.is_some() => return Ok(Became::Unchanged),
                Ordering::Equal => return Ok(Became::Stored),
                // Stored by an earlier run, and said once more since by one that relies on this one to tell of it.
                Ordering::Greater if first.as_ref() == Some(&own) => return Ok(Became::Stored),
                Ordering::Greater => return Ok(Became::Superseded),
            }
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
            told_as: told.told_as.clone(),
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
