//! What a message's resources become for each destination, and its way onto `outbound.fifo`.

use std::sync::Arc;

use bridge_core::{
    Phi,
    id::ConnectionId,
    task::{DeliverTask, NormalizeTask, OutboundTask},
};
use bridge_fhir::Resource;

use super::Outcome;
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    keys::Keep,
    ledger::docs_write,
    payload::Purpose,
    ports::{Entry, Ports, Queue, QueueName},
    stage::Failure,
};

impl<P: Ports> Bridge<P> {
    /// Queues a delivery for each route that takes something of the message. Returns where it goes.
    pub(super) async fn send_deliveries(
        &self,
        task: &NormalizeTask,
        source: &Arc<Loaded>,
        result: &Outcome,
    ) -> Result<Vec<ConnectionId>, Failure> {
        let index = self.index_key(&task.connection.tenant()).await?;
        let mut destinations = Vec::new();
        let mut entries = Vec::new();
        for route in &source.connection.routes {
            let taken = |resource: &&Resource| {
                route.resources.contains(&resource.resource_type)
                    && !result.superseded.contains(&resource.reference())
            };
            let mut resources: Vec<Resource> = result.resources.iter().filter(taken).cloned().collect();
            if resources.is_empty() || route.to.tenant() != task.connection.tenant() {
                continue;
            }
            resources.iter_mut().for_each(|resource| bridge_fhir::minimise(resource, &route.drop));
            let bundle = Phi::new(bridge_fhir::transaction(&resources).to_string());
            let delivery = index.delivery(&task.message, &route.to, task.replay);
            let payload = self
                .pack(
                    Purpose::Delivery,
                    &route.to,
                    delivery.as_str(),
                    Keep::Payload(source.retention),
                    bundle.expose().as_bytes(),
                )
                .await?;
            let lane = index.outbound_lane(&route.to, &task.lane);
            let deliver = OutboundTask::Deliver(DeliverTask {
                delivery: delivery.clone(),
                message: task.message.clone(),
                connection: task.connection.clone(),
                destination: route.to.clone(),
                lane: lane.clone(),
                queued_at: self.now(),
                payload,
                release: None,
            });
            entries.push(Entry {
                body: docs_write(&deliver),
                group: lane.to_string(),
                dedup: delivery.to_string(),
            });
            destinations.push(route.to.clone());
        }
        if !entries.is_empty() {
            self.ports.queue().send(QueueName::Outbound, entries).await?;
        }
        Ok(destinations)
    }
}
