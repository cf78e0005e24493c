//! What a product's record becomes when it is seen outside of a message: in an answer to a question, or to a write.
//!
//! It is mapped, given its ids and checked as a message is, and stored so that later reads and references resolve.

use bridge_core::{
    Cause, Timestamp,
    id::{ConnectionId, MessageId},
    manifest::POLLED,
};
use bridge_fhir::Resource;
use futures::future::try_join_all;
use serde_json::Value;

use super::Product;
use crate::{
    bridge::Bridge,
    keys::KeyError,
    normalize::resources::{Told, resource_key},
    ports::{Expect, Ports, Store, WriteError},
    stage::Failure,
};

/// A version that sorts before every message's of the same state.
const BEFORE_MESSAGES: &str = "00";

/// A record in FHIR.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) resources: Vec<Resource>,
    /// The product's own version; empty where it has none.
    version: String,
}

/// What a state comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) connection: &'a ConnectionId,
    pub(crate) message: &'a MessageId,
    /// It is what a write of ours left: of two states with one stamp (many products stamp by the second) the later is newer.
    pub(crate) wrote: bool,
}

impl Seen {
    /// The first resource of a type.
    pub(crate) fn first(&self, resource_type: &str) -> Option<&Resource> {
        self.resources.iter().find(|resource| resource.resource_type == resource_type)
    }
}

impl<P: Ports> Bridge<P> {
    /// What a record of `kind` is in FHIR.
    ///
    /// # Errors
    /// `Err(Ok(cause))` when it can't be mapped, or is not FHIR R4 then.
    pub(crate) async fn see(
        &self,
        product: &Product,
        kind: &str,
        record: &Value,
    ) -> Result<Result<Seen, Cause>, Failure> {
        let index = self.index_key(&product.loaded.connection.connection.tenant()).await?;
        let kind = format!("{POLLED}{kind}");
        let translated = self.translate_value(&product.loaded, &kind, record, &index);
        Ok(translated
            .map(|(translated, _)| Seen { resources: translated.resources, version: translated.version }))
    }

    /// Stores what was seen at `at`, unless something newer is known.
    pub(crate) async fn keep_seen(
        &self,
        origin: Origin<'_>,
        seen: &Seen,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let kept = seen.resources.iter().map(|resource| self.keep_one(origin, resource, &seen.version, at));
        try_join_all(kept).await.map(drop)
    }

    async fn keep_one(
        &self,
        origin: Origin<'_>,
        resource: &Resource,
        version: &str,
        at: Timestamp,
    ) -> Result<(), Failure> {
        let tenant = origin.connection.tenant();
        let place = resource_key(&tenant, &resource.reference());
        let told = Told::seen(origin.connection, origin.message);
        let (record, expect) = if version.is_empty() {
            // The product's answer is the newest that there is of it, until the next message.
            let current = self.ports.store().get(&place).await?;
            let known = current.as_ref().and_then(|record| record.version.clone()).unwrap_or_default();
            let expect = current.as_ref().map_or(Expect::Absent, |record| Expect::Rev(record.rev));
            if let Some(record) = current {
                match self.open_resource(record, &resource.reference()).await {
                    Ok((_, json)) if json.expose() == resource.json.to_string().as_bytes() => return Ok(()),
                    Err(KeyError::Port(error)) => return Err(error.into()),
                    Ok(_) | Err(_) => {}
                }
            }
            let version = match known.split_once('~') {
                Some((message, _)) => format!("{message}~{:015}", at.as_millis()),
                None => format!("{known}~{:015}", at.as_millis()),
            };
            (self.resource_record(&told, resource, version).await?, expect)
        } else {
            let version = match origin.wrote {
                true => format!("{version}#{BEFORE_MESSAGES}!{:015}", at.as_millis()),
                false => format!("{version}#{BEFORE_MESSAGES}"),
            };
            let record = self.resource_record(&told, resource, version.clone()).await?;
            (record, Expect::OlderThan(version))
        };
        match self.write_resource(origin.connection, record, expect).await {
            // Something newer came meanwhile, or this very state is known.
            Ok(()) | Err(WriteError::Conflict { .. }) => Ok(()),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }
}
