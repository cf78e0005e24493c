//! What a message's resources become for each destination, and its way onto `outbound.fifo`.
//!
//! A destination gets a FHIR transaction Bundle, or HL7 v2 where its adapter delivers that. Either is written here,
//! once: every attempt to deliver sends the same bytes.

use std::sync::Arc;

use bridge_core::{
    Cause, Phi,
    id::{ConnectionId, DeliveryId, LaneId},
    task::{DeliverTask, NormalizeTask, OutboundTask},
};
use bridge_fhir::Resource;

use super::{Outcome, hl7v2::Parcel};
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    keys::{Keep, KeyError},
    ledger::docs_write,
    payload::Purpose,
    ports::{Entry, Ports, Queue, QueueName},
    product::Product,
    stage::Failure,
};

/// Where a message goes.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) destinations: Vec<ConnectionId>,
    /// What of it has no place in what was sent.
    pub(super) notes: Vec<String>,
}

/// Why nothing was sent to any destination.
#[derive(Debug)]
pub(crate) enum NotSent {
    /// The world failed.
    Failed(Failure),
    /// A destination's format can't say it.
    Unwritable(Cause),
}

impl<E: Into<Failure>> From<E> for NotSent {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<P: Ports> Bridge<P> {
    /// Whether anything of a connection goes out as HL7 v2: by a route, or in a file.
    pub(super) async fn tells_events(&self, source: &Loaded) -> Result<bool, Failure> {
        let exports = source.connection.exports.values();
        if exports.into_iter().any(|export| export.file.format == bridge_core::feed::Format::Hl7Batch) {
            return Ok(true);
        }
        for route in &source.connection.routes {
            if self.connection(&route.to).await?.is_some_and(|to| speaks_hl7v2(&to)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Queues a delivery for each route that takes something of the message: all of them, or none.
    pub(super) async fn send_deliveries(
        &self,
        task: &NormalizeTask,
        source: &Arc<Loaded>,
        result: &Outcome,
    ) -> Result<Sent, NotSent> {
        let index = self.index_key(&task.connection.tenant()).await?;
        let mut sent = Sent::default();
        let mut entries = Vec::new();
        for route in &source.connection.routes {
            let taken = |resource: &&Resource| {
                let (kept, reference) = (&result.kept, resource.reference());
                route.resources.contains(&resource.resource_type)
                    && ![&kept.superseded, &kept.unchanged].into_iter().any(|left| left.contains(&reference))
            };
            let mut resources: Vec<Resource> = result.resources.iter().filter(taken).cloned().collect();
            if resources.is_empty() || route.to.tenant() != task.connection.tenant() {
                continue;
            }
            resources.iter_mut().for_each(|resource| bridge_fhir::minimise(resource, &route.drop));
            let delivery = index.delivery(&task.message, &route.to, task.replay);
            let body = Phi::new(match self.connection(&route.to).await? {
                Some(destination) if speaks_hl7v2(&destination) => {
                    let parcel = Parcel {
                        tenant: &task.connection.tenant(),
                        sent_at: task.received_at,
                        route,
                        destination: &destination,
                        control: delivery.as_str(),
                        resources,
                        changes: &result.changes,
                    };
                    let messages = self.hl7v2_messages(parcel).await?;
                    sent.notes.extend(messages.notes);
                    messages.list.concat()
                }
                Some(destination) if destination.is_written() => {
                    if let Some(product) = Product::of(&destination) {
                        self.identify(&product, &mut resources).await?;
                    }
                    bridge_fhir::transaction(&resources).to_string().into_bytes()
                }
                // That there is no such destination is for `deliver` to find out: it may come to be.
                _ => bridge_fhir::transaction(&resources).to_string().into_bytes(),
            });
            if body.expose().is_empty() {
                continue;
            }
            let lane = index.outbound_lane(&route.to, &task.lane);
            entries.push(self.delivery_entry(task, source, &route.to, delivery, lane, body).await?);
            sent.destinations.push(route.to.clone());
        }
        if !entries.is_empty() {
            self.ports.queue().send(QueueName::Outbound, entries).await?;
        }
        Ok(sent)
    }

    /// A delivery as it travels on `outbound`.
    pub(super) async fn delivery_entry(
        &self,
        task: &NormalizeTask,
        source: &Loaded,
        destination: &ConnectionId,
        delivery: DeliveryId,
        lane: LaneId,
        body: Phi<Vec<u8>>,
    ) -> Result<Entry, KeyError> {
        let keep = Keep::Payload(source.retention);
        let payload =
            self.pack(Purpose::Delivery, destination, delivery.as_str(), keep, body.expose()).await?;
        let (group, dedup) = (lane.to_string(), delivery.to_string());
        let deliver = OutboundTask::Deliver(DeliverTask {
            delivery,
            message: task.message.clone(),
            connection: task.connection.clone(),
            destination: destination.clone(),
            lane,
            queued_at: self.now(),
            payload,
            release: None,
            asked: false,
            tell: false,
        });
        Ok(Entry { body: docs_write(&deliver), group, dedup })
    }
}

pub(super) fn speaks_hl7v2(destination: &Loaded) -> bool {
    destination.manifest.deliver.as_ref().is_some_and(|deliver| deliver.transport.speaks_hl7v2())
}
