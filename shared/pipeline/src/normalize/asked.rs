//! What was asked for at the FHIR interface: already FHIR R4, so nothing is mapped.
//!
//! A write's message comes through here when it is replayed: it is made again, as a delivery of its own. What became of a write
//! ([`crate::outcomes`]) is a message like any other from here on: it takes the connection's routes.

use std::sync::Arc;

use bridge_core::{
    Cause, Phi,
    task::{DeliverTask, NormalizeTask, OutboundTask},
};
use bridge_fhir::Resource;
use serde_json::Value;

use super::translate::Translated;
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    fhir_api::WRITE_KIND,
    keys::Keep,
    ledger::docs_write,
    outcomes::OUTCOME_KIND,
    payload::Purpose,
    ports::{Entry, Ports, Queue, QueueName},
    stage::Failure,
};

/// Whether a message is a write that was asked for.
pub(super) fn is_write(task: &NormalizeTask) -> bool {
    task.kind.starts_with(WRITE_KIND)
}

/// The resources of a message that is FHIR already; `None` for one that is mapped.
pub(super) fn as_it_is(task: &NormalizeTask, received: &Phi<Vec<u8>>) -> Option<Result<Translated, Cause>> {
    (task.kind == OUTCOME_KIND).then(|| {
        let unreadable = || Cause::new("message.malformed", "what was kept is not a resource with an id");
        let json: Value = serde_json::from_slice(received.expose()).map_err(|_| unreadable())?;
        let text = |name: &str| Some(json.get(name)?.as_str()?.to_owned());
        let (resource_type, id) = text("resourceType").zip(text("id")).ok_or_else(unreadable)?;
        Ok(Translated::of(vec![Resource { resource_type, id, json }], OUTCOME_KIND.to_owned()))
    })
}

impl<P: Ports> Bridge<P> {
    /// Queues a write to the product once more. A refusal ends it, as it did the first time; the delivery says why.
    pub(super) async fn write_again(
        &self,
        task: &NormalizeTask,
        source: &Arc<Loaded>,
        received: &Phi<Vec<u8>>,
    ) -> Result<(), Failure> {
        let connection = &task.connection;
        let delivery =
            self.index_key(&connection.tenant()).await?.delivery(&task.message, connection, task.replay);
        let keep = Keep::Payload(source.retention);
        let payload =
            self.pack(Purpose::Delivery, connection, delivery.as_str(), keep, received.expose()).await?;
        let (group, dedup) = (task.lane.to_string(), delivery.to_string());
        let deliver = OutboundTask::Deliver(DeliverTask {
            delivery,
            message: task.message.clone(),
            connection: connection.clone(),
            destination: connection.clone(),
            lane: task.lane.clone(),
            queued_at: self.now(),
            payload,
            release: None,
            asked: true,
            tell: false,
        });
        let entry = Entry { body: docs_write(&deliver), group, dedup };
        Ok(self.ports.queue().send(QueueName::Outbound, vec![entry]).await?)
    }
}
