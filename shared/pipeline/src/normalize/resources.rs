//! The FHIR store: the current state of each resource, guarded by its source's version.

use bridge_core::{
    Timestamp,
    id::{ConnectionId, MessageId, TenantId},
    task::NormalizeTask,
};
use bridge_fhir::Resource;
use bridge_seal::Binding;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};

use super::IN_THE_RECORD;
use crate::{
    bridge::Bridge,
    keys::{Keep, KeyError},
    ledger::{docs_read, docs_write},
    ports::{Blobs, Expect, Key, Ports, Record, Store, Table, Write, WriteError},
    stage::Failure,
};

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
}

/// Which of two states of a resource is the newer: the source's own version decides, then the order in which the
/// messages came, then the replay. As text, so that a condition of the store can compare it.
#[derive(Debug)]
pub(crate) struct Version {
    /// The source's version; empty where the message has none.
    pub(crate) source: String,
    /// The message's place in its lane.
    pub(crate) order: String,
    /// Which replay of the message.
    pub(crate) replay: u32,
}

impl Version {
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
        let place = resource_key(&task.connection.tenant(), &reference);
        let version = match version.source.as_str() {
            "" => version.after(self.ports.store().get(&place).await?.and_then(|current| current.version)),
            source => version.text(source),
        };
        let binding = Binding { connection: &task.connection, purpose: "resource", id: &reference };
        let sealed = self.seal(binding, Keep::Lasting, resource.json.to_string().as_bytes()).await?;
        let mut doc = ResourceDoc {
            message: task.message.clone(),
            connection: task.connection.clone(),
            stored_at: self.now(),
            stored: None,
        };
        let mut blob = Some(sealed);
        if let Some(large) = blob.take_if(|sealed| sealed.len() > IN_THE_RECORD) {
            let key = format!("resources/{}/{reference}/{}", task.connection.tenant(), task.message);
            self.ports.blobs().put(&key, large).await?;
            doc.stored = Some(key);
        }
        let mut record = Record::new(place, docs_write(&doc));
        record.blob = blob;
        record.version = Some(version.clone());
        let put = Write::Put(record, Expect::OlderThan(version.clone()));
        match self.ports.store().write(vec![put]).await {
            Ok(()) => Ok(None),
            // The same version is this very state, stored by an earlier run.
            Err(WriteError::Conflict { current, .. }) => {
                let newer = current.is_some_and(|current| current.version > Some(version));
                Ok(newer.then_some(reference))
            }
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }

    /// Reads a resource as it is now, as JSON text.
    ///
    /// # Errors
    /// When a port fails or it can't be opened.
    pub async fn resource(
        &self,
        tenant: &TenantId,
        reference: &str,
    ) -> Result<Option<(ResourceDoc, bridge_core::Phi<Vec<u8>>)>, KeyError> {
        let Some(record) = self.ports.store().get(&resource_key(tenant, reference)).await? else {
            return Ok(None);
        };
        let unreadable = |_| KeyError::Seal(bridge_seal::SealError::Format);
        let doc: ResourceDoc = docs_read(&record).map_err(unreadable)?;
        let sealed = match &doc.stored {
            Some(key) => self.ports.blobs().get(key).await?.ok_or(KeyError::Expired)?,
            None => record.blob.ok_or(KeyError::Expired)?,
        };
        let binding = Binding { connection: &doc.connection, purpose: "resource", id: reference };
        let json = self.open(binding, &sealed).await?;
        Ok(Some((doc, json)))
    }
}

fn resource_key(tenant: &TenantId, reference: &str) -> Key {
    Key::new(Table::Resources, format!("{tenant}#{reference}"), "current")
}
