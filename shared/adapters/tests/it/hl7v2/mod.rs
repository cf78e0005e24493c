//! Deliveries of HL7 v2, over real sockets.

mod http;
mod mllp;
pub(crate) mod peer;
mod tls;

use std::{collections::BTreeMap, time::Duration};

use bridge_adapters::Transports;
use bridge_core::{
    Phi, Timestamp,
    config::{Connection, Secret},
    destination::{Call, Destination as _, Outcome},
    manifest::Manifest,
};

const MANIFEST: &str = "
adapter: peer
version: 1
title: A receiver
settings: {send-to: {about: where}, send-ca: {about: whom to trust, default: ''}}
optional-secrets: {authorization: a header, client-certificate: PEM}
deliver:
  transport:
    kind: hl7v2
    url: '{send-to}'
    ca: '{send-ca}'
    authorization: authorization
    identity: client-certificate
";

/// A message with this MSH-10.
fn message(id: &str) -> String {
    format!("MSH|^~\\&|BRIDGE||PEER||20260302||ADT^A28^ADT_A05|{id}|P|2.5.1\rPID|1||4711^^^NORTH^MR\r")
}

/// A connection to a receiver, and what it is to get.
struct Delivery {
    connection: Connection,
    body: String,
    time: Duration,
}

impl Delivery {
    fn to(url: &str) -> Self {
        let yaml =
            format!("{{connection: demo.peer, adapter: peer, zone: UTC, settings: {{send-to: '{url}'}}}}");
        Self {
            connection: serde_norway::from_str(&yaml).unwrap(),
            body: message("M1"),
            time: Duration::from_secs(5),
        }
    }

    fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    fn within(mut self, millis: u64) -> Self {
        self.time = Duration::from_millis(millis);
        self
    }

    fn setting(mut self, name: &str, value: &str) -> Self {
        self.connection.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    fn secret(mut self, name: &str, value: &str) -> Self {
        self.connection.secrets.insert(name.to_owned(), Secret::One(Phi::new(value.to_owned())));
        self
    }

    fn hl7v2(mut self, yaml: &str) -> Self {
        self.connection.hl7v2 = Some(serde_norway::from_str(yaml).unwrap());
        self
    }

    async fn make(&self) -> Outcome {
        self.make_over(&Transports::new().unwrap()).await
    }

    async fn make_over(&self, transports: &Transports) -> Outcome {
        let manifest: Manifest = serde_norway::from_str(MANIFEST).unwrap();
        transports
            .deliver(&Call {
                delivery: &"dlv_abcdefghijklmnopqrstuvwxyz".parse().unwrap(),
                attempt: 1,
                connection: &self.connection,
                manifest: &manifest,
                body: &Phi::new(self.body.clone().into_bytes()),
                now: Timestamp::from_millis(1_767_225_600_000),
                time_left: self.time,
            })
            .await
    }
}

/// One word, and the cause as an operator reads it.
fn told(outcome: Outcome) -> (&'static str, String) {
    match outcome {
        Outcome::Delivered => ("delivered", String::new()),
        Outcome::Retry { cause, .. } => ("retry", cause.to_string()),
        Outcome::Throttled { cause, .. } => ("throttled", cause.to_string()),
        Outcome::Rejected(cause) => ("rejected", cause.to_string()),
        Outcome::Unknown(cause) => ("unknown", cause.to_string()),
    }
}

#[test]
fn what_is_wrong_in_a_connection_is_said_before_it_is_used() {
    let manifest: BTreeMap<&str, &str> = BTreeMap::from([("adapter.yaml", MANIFEST)]);
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("peer");
    std::fs::create_dir(&place).unwrap();
    for (name, text) in manifest {
        std::fs::write(place.join(name), text).unwrap();
    }
    let catalog = bridge_adapters::Catalog::from_dir(folder.path()).unwrap();
    let problems = |delivery: &Delivery| -> Vec<String> {
        let found = catalog.get("peer").unwrap().check_connection(&delivery.connection);
        found.iter().map(ToString::to_string).collect()
    };
    assert!(problems(&Delivery::to("mllp://127.0.0.1:2575")).is_empty());
    assert!(problems(&Delivery::to("")).is_empty(), "a connection that only receives");
    let plain = problems(&Delivery::to("mllp://198.51.100.7:2575"));
    assert!(plain[0].starts_with("settings.send-to: must be mllps://"), "{plain:?}");
    let ca = problems(&Delivery::to("mllps://peer.example:2575").setting("send-ca", "no PEM"));
    assert_eq!(ca, ["settings.send-ca: must be PEM of at least one CA certificate"]);
    let identity =
        problems(&Delivery::to("mllps://peer.example:2575").secret("client-certificate", "no PEM"));
    assert_eq!(
        identity,
        ["secrets.client-certificate: must be PEM of a certificate, its chain, and its private key"]
    );
    let unknown = problems(&Delivery::to("mllps://peer.example:2575").secret("password", "x"));
    assert_eq!(unknown, ["secrets.password: there is no secret `password`"]);
}
