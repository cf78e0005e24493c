//! The invented practice of `examples/sunrise`, in memory.

use std::sync::Arc;

use bridge_core::{
    config::{Connection, Tenant},
    manifest::Adapters,
    task::Actor,
};
use bridge_pipeline::Bridge;

use crate::memory::{Calm, MemoryAdapters, MemoryPorts, Shared, World, lock};

const TENANT: &str = include_str!("../../../examples/sunrise/tenant.yaml");
const CONNECTIONS: [&str; 6] = [
    include_str!("../../../examples/sunrise/practice-studio.yaml"),
    include_str!("../../../examples/sunrise/drchrono.yaml"),
    include_str!("../../../examples/sunrise/opendental.yaml"),
    include_str!("../../../examples/sunrise/athenahealth.yaml"),
    include_str!("../../../examples/sunrise/front-desk.yaml"),
    include_str!("../../../examples/sunrise/registration.yaml"),
];

/// Ports of a world at `now` (milliseconds since the epoch) in which the examples are applied, with what these
/// adapters declare.
pub async fn sunrise(adapters: &impl Adapters, now: i64) -> MemoryPorts<Calm> {
    let connections: Vec<Connection> =
        CONNECTIONS.iter().map(|yaml| serde_norway::from_str(yaml).expect("an example")).collect();
    let mut known = MemoryAdapters::default();
    for adapter in connections.iter().map(|connection| &connection.adapter) {
        let manifest = adapters.manifest(adapter).expect("the example's adapter");
        for kind in manifest.webhook.iter().flat_map(|webhook| webhook.kinds.values()) {
            if let Some(text) = adapters.mapping(adapter, &kind.mapping) {
                known.mappings.insert((adapter.clone(), kind.mapping.clone()), text);
            }
        }
        known.manifests.insert(adapter.clone(), manifest);
    }
    let world: Shared = Arc::default();
    *lock(&world) = World { now, ..World::default() };
    let ports = || MemoryPorts::new(world.clone(), Calm, known.clone(), 0, 1);
    let bridge = Bridge::new(ports());
    let actor = || Actor { name: "test".to_owned(), reason: "the examples".to_owned() };
    let tenant: Tenant = serde_norway::from_str(TENANT).expect("an example");
    bridge.apply_tenant(&tenant).await.expect("a calm world");
    for connection in connections {
        bridge.apply_connection(connection, actor()).await.expect("a calm world");
    }
    ports()
}
