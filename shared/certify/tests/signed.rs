//! Products that know the bridge by its own keys: they verify with the set that the bridge publishes, and the bridge signs
//! with keys that nobody holds. `CERTIFY_SIGNED=1` certifies them whole, signed so.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{sync::Arc, time::Duration};

use bridge_adapters::{Catalog, Transports};
use bridge_certify::{Control, Subject, certify};
use bridge_core::{
    Cause, Timestamp,
    config::Connection,
    remote::{Authenticate, CallError, Party, Remote as _, Signed, Signer},
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
        let (key, overlap) = (name.to_owned(), Duration::ZERO);
        let new = NewKey { tenant: None, algorithm, key, public, signs_from: now, overlap };
        let actor = Actor { name: "test".to_owned(), reason: String::new() };
        self.bridge.add_signing_key(new, actor).await.unwrap()
    }

    async fn set(&self) -> Vec<Value> {
        self.bridge.jwks().await.unwrap()["keys"].as_array().unwrap().clone()
    }
}

/// A product, as a connection without a private key reaches it.
struct Product<S> {
    simulator: Arc<S>,
    world: World,
    connection: Connection,
    control: Control,
    algorithm: JwtAlgorithm,
    // Stops with its last use.
    _served: bridge_simulators::Served,
}

impl<S: Simulator> Product<S> {
    async fn new(simulator: S, algorithm: JwtAlgorithm) -> Self {
        let simulator = Arc::new(simulator);
        let served = bridge_simulators::serve(simulator.clone(), None).await.unwrap();
        let control = Control::new(&served.base).unwrap();
        control.seed(60, 120).await.unwrap();
        control.prepare().await.unwrap();
        let reached = control.connection().await.unwrap();
        let mut settings = reached.settings;
        settings.remove("key-id");
        settings.insert("algorithm".to_owned(), algorithm.as_str().to_owned());
        let connection = serde_json::from_value(json!({
            "connection": "certify.product", "adapter": reached.adapter, "zone": reached.zone,
            "settings": settings,
        }));
        let connection = connection.unwrap();
        Self { simulator, world: World::new(), connection, control, algorithm, _served: served }
    }

    fn signer(&self, key: &SigningKey) -> BySet {
        BySet { ports: ports(&self.world.shared), key: key.clone(), algorithm: self.algorithm }
    }

    /// Asks for a token with what a key signs.
    async fn token(&self, key: Option<&SigningKey>, nonce: &str) -> Result<(), CallError> {
        let catalog = Catalog::builtin();
        let manifest = Arc::clone(catalog.get(&self.connection.adapter).unwrap().manifest());
        let now = Timestamp::from_millis(self.simulator.clock().now().as_millisecond());
        let party = Party {
            connection: &self.connection,
            manifest: &manifest,
            api: manifest.api.as_deref().unwrap(),
            adapters: &catalog,
            now,
            time_left: Duration::from_secs(30),
        };
        let signer = key.map(|key| self.signer(key));
        let signer = signer.as_ref().map(|signer| signer as &dyn Signer);
        let ask = Authenticate { party, refresh: None, nonce, signer };
        Transports::new().unwrap().authenticate(&ask).await.map(drop)
    }
}

async fn product<S: Simulator>(simulator: S, register: fn(&S, Vec<Value>), algorithm: JwtAlgorithm) {
    let product = Product::new(simulator, algorithm).await;
    let (world, simulator) = (&product.world, &product.simulator);
    // A key that is not the product's: which one signed is told by its name.
    world.key("other", JwtAlgorithm::ALL.into_iter().find(|other| *other != algorithm).unwrap()).await;
    let first = world.key("first", algorithm).await;
    register(simulator, world.set().await);
    product.token(Some(&first), "n1").await.unwrap();
    let unsigned = product.token(None, "n2").await.unwrap_err();
    assert_eq!(unsigned.cause().code, "api.configuration", "{unsigned}");

    // After a rotation without overlap the old key is no key of the bridge's any more.
    let second = world.key("second", algorithm).await;
    let unseen = product.token(Some(&second), "n3").await.unwrap_err();
    assert!(matches!(unseen, CallError::Unauthenticated(_)), "the product has not seen it yet: {unseen}");
    lock(&world.shared).now += 60_000;
    register(simulator, world.set().await);
    product.token(Some(&second), "n4").await.unwrap();
    let gone = product.token(Some(&first), "n5").await.unwrap_err();
    assert!(matches!(gone, CallError::Unauthenticated(_)), "{gone}");

    // All that the product is certified for, signed so.
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the test, not for the bridge")]
    if std::env::var_os("CERTIFY_SIGNED").is_some() {
        let catalog = Arc::new(Catalog::builtin());
        let subject =
            Subject::new(catalog, product.connection.clone(), Some(product.control.clone())).unwrap();
        let report = certify(&subject.signed_by(Arc::new(product.signer(&second)))).await;
        let failures: Vec<_> = report.failures().collect();
        assert!(failures.is_empty(), "{failures:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn epic_knows_the_bridge_by_its_set() {
    product(Epic::default(), Epic::register, JwtAlgorithm::Rs384).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn oracle_health_knows_the_bridge_by_its_set() {
    product(OracleHealth::default(), OracleHealth::register, JwtAlgorithm::Es384).await;
}
