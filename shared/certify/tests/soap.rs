//! Every SOAP request that the engine makes for Tebra, held against the schema of the service by Java's own validator.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use bridge_adapters::Catalog;
use bridge_certify::{Control, Subject, certify};
use bridge_simulators::{
    Access, Answer, Book, Clock, Delivery, Request, Seed, Simulator, serve, tebra::Tebra,
};
use serde_json::json;

/// A simulator that keeps what it is sent.
struct Listening {
    product: Tebra,
    heard: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Simulator for Listening {
    fn adapter(&self) -> &'static str {
        self.product.adapter()
    }
    fn answer(&self, request: &Request) -> Answer {
        self.heard.lock().unwrap().push(request.body.clone());
        self.product.answer(request)
    }
    fn connection(&self, base: &str) -> Access {
        self.product.connection(base)
    }
    fn seed(&self, seed: &Seed) {
        self.product.seed(seed);
    }
    fn prepare(&self) {
        self.product.prepare();
    }
    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        self.product.touch(resource, count)
    }
    fn book(&self) -> Book {
        self.product.book()
    }
    fn clock(&self) -> &Clock {
        self.product.clock()
    }
    fn throttled(&self) -> Answer {
        self.product.throttled()
    }
    fn deliveries(&self) -> Vec<Delivery> {
        self.product.deliveries()
    }
}

/// The operation's element of an envelope.
fn operation(envelope: &str) -> &str {
    let (_, body) = envelope.split_once("Body><").expect("a body");
    body.split([' ', '>']).next().unwrap()
}

/// What the suite asks, by operation: a few of each, as they differ.
async fn requests() -> BTreeMap<String, Vec<String>> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let served = serve(Arc::new(Listening { product: Tebra::default(), heard: Arc::clone(&heard) }), None)
        .await
        .unwrap();
    let control = Control::new(&served.base).unwrap();
    control.seed(20, 40).await.unwrap();
    let reached = control.connection().await.unwrap();
    let connection = serde_json::from_value(json!({
        "connection": "certify.product", "adapter": "tebra", "zone": reached.zone,
        "settings": reached.settings, "secrets": reached.secrets,
    }));
    let subject = Subject::new(Arc::new(Catalog::builtin()), connection.unwrap(), Some(control)).unwrap();
    certify(&subject).await;
    let mut by_operation: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for body in heard.lock().unwrap().iter() {
        let text = String::from_utf8(body.clone()).unwrap();
        let known = by_operation.entry(operation(&text).to_owned()).or_default();
        if known.len() < 50 && !known.contains(&text) {
            known.push(text);
        }
    }
    by_operation
}

fn soap() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/soap")
}

/// What the validator says of these envelopes, and whether all are right.
fn judged<'a>(envelopes: impl Iterator<Item = (String, &'a str)>) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in envelopes {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut java = Command::new("java");
    let output =
        java.arg(soap().join("CheckSoap.java")).arg(soap().join("tebra.xsd")).arg(folder.path()).output();
    let output = output.expect("a JDK");
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (said, output.status.success())
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a JDK: tools/validate runs it"]
async fn every_request_is_one_that_the_service_reads() {
    let requests = requests().await;
    // Each operation of the manifest was asked for: none goes unseen.
    let catalog = Catalog::builtin();
    let api = catalog.get("tebra").unwrap().manifest().api.clone().unwrap();
    let mut declared: Vec<&str> =
        api.operations.values().filter_map(|operation| operation.call.as_deref()).collect();
    declared.sort_unstable();
    declared.dedup();
    assert_eq!(requests.keys().map(String::as_str).collect::<Vec<_>>(), declared);

    let named = requests.iter().flat_map(|(operation, envelopes)| {
        envelopes.iter().enumerate().map(move |(n, text)| (format!("{operation}-{n:02}.xml"), text.as_str()))
    });
    let (said, right) = judged(named);
    assert!(right, "{said}");

    // The validator would notice: the same members in another order, one that nobody knows, one that is missing.
    let booking = &requests["CreateAppointment"][0];
    let (start, rest) = booking.split_once("<EndTime>").unwrap();
    let (end, rest) = rest.split_once("</EndTime>").unwrap();
    let late = rest.replace("</StartTime>", &format!("</StartTime><EndTime>{end}</EndTime>"));
    for wrong in [
        format!("{start}{late}"),
        booking.replace("<EndTime>", "<Colour>red</Colour><EndTime>"),
        format!("{start}{rest}"),
    ] {
        let (said, right) = judged(std::iter::once(("wrong.xml".to_owned(), wrong.as_str())));
        assert!(!right && said.contains("cvc-"), "{said}");
    }
}
