//! Products that know the bridge by its own keys: they verify with the set that the bridge publishes, and the bridge signs
//! with keys that nobody holds. Certified as with a private key of the connection's.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use bridge_adapters::Catalog;
use bridge_certify::{Control, Subject, certify};
use bridge_core::{
    Cause,
    remote::{CallError, Signed, Signer},
    task::Actor,
};
use bridge_pipeline::{
    Bridge,
    ports::{Clock as _, JwtAlgorithm, Signing as _},
    signing::{NewKey, SigningKey},
};
use bridge_simulators::{Simulator, epic::Epic, oracle_health::OracleHealth};
use bridge_testkit::memory::{Calm, MemoryAdapters, MemoryPorts, Shared, lock, make_signing_key};
use serde_json::{Value, json};

/// A bridge with a key service in memory.
struct World {
    shared: Shared,
    bridge: Bridge<MemoryPorts<Calm>>,
}

struct BySet {
    ports: MemoryPorts<Calm>,
    key: SigningKey,
    algorithm: JwtAlgorithm,
}

impl Signer for BySet {
    fn key_id(&self) -> &str {
        &self.key.kid
    }
    fn algorithm(&self) -> &'static str {
        self.algorithm.as_str()
    }
    fn sign<'a>(&'a self, message: &'a [u8]) -> Signed<'a> {
        Box::pin(async move {
            let signed = self.ports.sign(&self.key.key, self.algorithm, message).await;
            signed.map_err(|error| CallError::Retry(None, Cause::new("signing", error.to_string())))
        })
    }
}

fn ports(shared: &Shared) -> MemoryPorts<Calm> {
    MemoryPorts::new(shared.clone(), Calm, MemoryAdapters::default(), 0, 1)
}

impl World {
    fn new() -> Self {
        let shared = Shared::default();
        lock(&shared).now = 1_800_000_000_000;
        Self { bridge: Bridge::new(ports(&shared)), shared }
    }

    /// A new key, signing at once.
    async fn key(&self, name: &str, algorithm: JwtAlgorithm) -> SigningKey {
        let public = make_signing_key(&self.shared, name, algorithm);
        let now = self.bridge.ports().now();
        let (key, overlap) = (name.to_owned(), std::time::Duration::ZERO);
        let new = NewKey { tenant: None, algorithm, key, public, signs_from: now, overlap };
        let actor = Actor { name: "test".to_owned(), reason: String::new() };
        self.bridge.add_signing_key(new, actor).await.unwrap()
    }

    async fn set(&self) -> Vec<Value> {
        self.bridge.jwks().await.unwrap()["keys"].as_array().unwrap().clone()
    }
}

async fn product<S: Simulator>(simulator: S, register: fn(&S, Vec<Value>), algorithm: JwtAlgorithm) {
    let world = World::new();
    // A key that is not the product's: which one signed is told by its name.
    world.key("other", JwtAlgorithm::ALL.into_iter().find(|other| *other != algorithm).unwrap()).await;
    let key = world.key("first", algorithm).await;
    let simulator = Arc::new(simulator);
    register(&simulator, world.set().await);
    let served = bridge_simulators::serve(simulator.clone(), None).await.unwrap();
    let control = Control::new(&served.base).unwrap();
    control.seed(60, 120).await.unwrap();
    control.prepare().await.unwrap();
    let reached = control.connection().await.unwrap();
    let mut settings = reached.settings;
    settings.remove("key-id");
    settings.insert("algorithm".to_owned(), algorithm.as_str().to_owned());
    let subject = |signer: Option<SigningKey>| {
        let connection = serde_json::from_value(json!({
            "connection": "certify.product", "adapter": reached.adapter, "zone": reached.zone,
            "settings": settings,
        }));
        let subject =
            Subject::new(Arc::new(Catalog::builtin()), connection.unwrap(), Some(control.clone())).unwrap();
        match signer {
            Some(key) => subject.signed_by(Arc::new(BySet { ports: ports(&world.shared), key, algorithm })),
            None => subject,
        }
    };
    let report = certify(&subject(Some(key))).await;
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty(), "{failures:?}");

    // After a rotation without overlap the old key is no key of the bridge's any more.
    let second = world.key("second", algorithm).await;
    let stale = subject(Some(second.clone()));
    assert!(
        certify(&stale).await.failures().count() > 0,
        "a signature by a key that the product has not seen"
    );
    lock(&world.shared).now += 60_000;
    register(&simulator, world.set().await);
    assert_eq!(certify(&subject(Some(second))).await.failures().count(), 0);
    assert!(certify(&subject(None)).await.failures().count() > 0, "nobody signs");
}

#[tokio::test(flavor = "multi_thread")]
async fn epic_knows_the_bridge_by_its_set() {
    product(Epic::default(), Epic::register, JwtAlgorithm::Rs384).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oracle_health_knows_the_bridge_by_its_set() {
    product(OracleHealth::default(), OracleHealth::register, JwtAlgorithm::Es384).await;
}
