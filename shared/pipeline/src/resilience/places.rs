//! A connection as it is in each of the places where it can be reached: with the settings of that place.

use std::sync::Arc;

use bridge_core::{
    config::{Endpoint, Failover, Role, Serves},
    id::EndpointName,
};

use super::ways::{EndpointId, Way};
use crate::configuration::Loaded;

/// A connection at one of its endpoints.
#[derive(Debug)]
pub(crate) struct There {
    role: Role,
    weight: u32,
    serves: Serves,
    loaded: Arc<Loaded>,
}

impl Loaded {
    /// The same, and as it is at each of its endpoints.
    pub(crate) fn with_endpoints(mut self) -> Self {
        let there = |endpoint: &Endpoint| {
            let connection = self.connection.at(endpoint, &self.manifest);
            let (retention, version) = (self.retention, self.version);
            let loaded = Self {
                retention,
                version,
                endpoint: Some(endpoint.name.clone()),
                ..Self::new(connection, Arc::clone(&self.manifest))
            };
            // One that does not say what it serves was refused when the connection was applied.
            let serves = endpoint.serves(&self.manifest).unwrap_or(Serves::Deliveries);
            There { role: endpoint.role, weight: endpoint.weight, serves, loaded: Arc::new(loaded) }
        };
        self.there = self.connection.endpoints.iter().map(there).collect();
        self
    }

    /// The ways to call one side of the connection: at least one.
    pub(crate) fn ways(self: &Arc<Self>, serves: Serves) -> Vec<Way> {
        let id = |name: &Option<EndpointName>| EndpointId {
            connection: self.connection.connection.clone(),
            serves,
            name: name.clone(),
        };
        let there = self.there.iter().filter(|there| there.serves == serves).map(|there| Way {
            id: id(&there.loaded.endpoint),
            to: Arc::clone(&there.loaded),
            role: there.role,
            weight: there.weight,
        });
        let ways: Vec<Way> = there.collect();
        match ways.is_empty() {
            true => {
                vec![Way { id: id(&self.endpoint), to: Arc::clone(self), role: Role::Primary, weight: 1 }]
            }
            false => ways,
        }
    }

    /// The connection as it is in each place where one of its sides is called, with the place's name.
    pub fn places(self: &Arc<Self>, serves: Serves) -> Vec<(String, Arc<Self>)> {
        self.ways(serves).into_iter().map(|way| (way.id.word().to_owned(), way.to)).collect()
    }

    /// How several endpoints of a side are used.
    pub(crate) fn failover(&self, serves: Serves) -> Failover {
        self.connection.failover(&self.manifest, serves)
    }
}
