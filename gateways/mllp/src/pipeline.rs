//! The pipeline as a sink: `receive` decides about a message, and the queue keeps it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bridge_core::{
    Timestamp,
    id::{ConnectionId, TenantId},
};
use bridge_hl7v2::ack::Verdict;
use bridge_pipeline::{
    Bridge, CONFIGURATION_AGE,
    configuration::{ConfigurationError, Loaded},
    ports::{Clock, Entry, PortError, Ports, Queue, QueueName},
    receive::hl7v2,
};

use crate::{
    Sink, answers,
    sink::{Origin, Prepared, Route},
};

/// What was found of the connections that speak HL7 v2, and when they were looked up.
type Looked = (Arc<[ConnectionId]>, Timestamp);

/// The pipeline.
#[derive(Debug)]
pub struct Pipeline<P> {
    bridge: Bridge<P>,
    candidates: Mutex<HashMap<Arc<[TenantId]>, Looked>>,
}

impl<P: Ports> Pipeline<P> {
    /// Over these ports.
    pub fn new(ports: P) -> Self {
        Self { bridge: Bridge::new(ports), candidates: Mutex::default() }
    }

    /// Decides about a message, as far as its connection can be found.
    async fn receive(&self, origin: &Origin, message: &[u8]) -> Result<Prepared, ConfigurationError> {
        let peer = Some(origin.peer);
        let found = match &origin.route {
            Route::Connection(id) => self.bridge.connection(id).await?,
            Route::Header(tenants) => {
                let candidates = self.candidates(tenants).await?;
                match self.bridge.route_hl7(&candidates, message).await? {
                    None => return self.unrouted(&candidates, message).await,
                    found => found,
                }
            }
        };
        let Some(source) = found else {
            let Route::Connection(id) = &origin.route else { return Ok(self.nobody(message)) };
            tracing::error!(connection = %id, "a door leads to a connection that is not configured: apply it");
            return Ok(self.nobody(message));
        };
        Ok(prepared(self.bridge.prepare_hl7(&source, message, peer).await))
    }

    async fn unrouted(
        &self,
        candidates: &[ConnectionId],
        message: &[u8],
    ) -> Result<Prepared, ConfigurationError> {
        let any: Option<Arc<Loaded>> = match candidates.first() {
            Some(first) => self.bridge.connection(first).await?,
            None => None,
        };
        Ok(match any {
            Some(any) => prepared(self.bridge.refuse_unrouted_hl7(&any, message).await),
            None => self.nobody(message),
        })
    }

    /// It may be configured in a minute: the sender keeps the message.
    fn nobody(&self, message: &[u8]) -> Prepared {
        let text = "no connection is configured here";
        Prepared::Unavailable(answers::negative(message, Verdict::Error, text, self.now()))
    }

    /// The connections of these tenants that speak HL7 v2, as of the last half minute.
    async fn candidates(&self, tenants: &Arc<[TenantId]>) -> Result<Arc<[ConnectionId]>, ConfigurationError> {
        let now = self.now();
        {
            let known = self.candidates.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((found, at)) = known.get(tenants)
                && now.since(*at) < CONFIGURATION_AGE
            {
                return Ok(Arc::clone(found));
            }
        }
        let mut found = Vec::new();
        for tenant in &**tenants {
            for stored in self.bridge.connections(tenant).await? {
                // One that can't be read may be the one that is meant: messages wait for it, rather than go to another.
                let speaks = match self.bridge.connection(&stored.connection).await {
                    Ok(loaded) => loaded.is_some_and(|loaded| loaded.hl7v2.is_some()),
                    Err(_) => true,
                };
                if speaks {
                    found.push(stored.connection);
                }
            }
        }
        let found: Arc<[ConnectionId]> = found.into();
        let mut known = self.candidates.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(Arc::clone(tenants), (Arc::clone(&found), now));
        Ok(found)
    }
}

/// What `receive` decided, in the words of the gateway. An answer that is not wanted is an empty one.
fn prepared(decided: hl7v2::Prepared) -> Prepared {
    let answer = decided.answer.unwrap_or_default();
    match decided.entry {
        Some(entry) => {
            Prepared::ToStore { entry, stored: answer, unavailable: decided.unavailable.unwrap_or_default() }
        }
        None if decided.verdict == Verdict::Error => Prepared::Unavailable(answer),
        None => Prepared::Answered(answer),
    }
}

impl<P: Ports> Sink for Pipeline<P> {
    async fn prepare(&self, origin: &Origin, message: &[u8]) -> Prepared {
        match self.receive(origin, message).await {
            Ok(prepared) => prepared,
            Err(error) => {
                tracing::error!(%error, "a message's connection could not be looked up");
                let text = "the message could not be taken now: send it again";
                Prepared::Unavailable(answers::negative(message, Verdict::Error, text, self.now()))
            }
        }
    }

    async fn store(&self, entries: Vec<Entry>) -> Result<(), PortError> {
        self.bridge.ports().queue().send(QueueName::Inbound, entries).await
    }

    fn now(&self) -> Timestamp {
        self.bridge.ports().clock().now()
    }
}
