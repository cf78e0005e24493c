//! Deliveries to Practice Studio, over a real socket: what is sent, and what is made of every kind of answer.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use crate::receiver::{Receiver, Then};
use bridge_adapters::{Catalog, Transports};
use bridge_core::{
    Phi, Timestamp,
    config::Connection,
    destination::{Call, Destination, Outcome},
    manifest::{Manifest, Signal},
};

/// `whsec_` and the base 64 of the bytes 0 to 31.
const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn connection(url: &str, secrets: &str) -> Connection {
    let yaml = format!(
        "{{connection: demo.studio, adapter: practice-studio, zone: America/Chicago, \
          settings: {{url: '{url}'}}, secrets: {{signing-secret: {secrets}}}}}"
    );
    serde_norway::from_str(&yaml).unwrap()
}

/// One attempt to deliver.
struct Attempt {
    body: String,
    delivery: String,
    now: Timestamp,
    time_left: Duration,
}

impl Default for Attempt {
    fn default() -> Self {
        Self {
            body: r#"{"resourceType":"Bundle","type":"transaction","entry":[]}"#.to_owned(),
            delivery: "dlv_abcdefghijklmnopqrstuvwxyz".to_owned(),
            // 2026-01-01T00:00:00Z
            now: Timestamp::from_millis(1_767_225_600_000),
            time_left: Duration::from_secs(5),
        }
    }
}

impl Attempt {
    async fn make(&self, http: &Transports, connection: &Connection) -> Outcome {
        self.make_with(http, connection, &[]).await
    }

    /// With these signals in the manifest.
    async fn make_with(&self, http: &Transports, connection: &Connection, signals: &[Signal]) -> Outcome {
        let catalog = Catalog::builtin();
        let mut manifest = Manifest::clone(catalog.get(&connection.adapter).unwrap().manifest());
        signals.clone_into(&mut manifest.deliver.as_mut().unwrap().signals);
        http.deliver(&Call {
            delivery: &self.delivery.parse().unwrap(),
            attempt: 1,
            connection,
            manifest: &manifest,
            body: &Phi::new(self.body.as_bytes().to_vec()),
            now: self.now,
            time_left: self.time_left,
        })
        .await
    }
}

async fn deliver_within(time_left: Duration, connection: &Connection) -> Outcome {
    Attempt { time_left, ..Attempt::default() }.make(&Transports::new().unwrap(), connection).await
}

async fn deliver_to(receiver: &Receiver) -> Outcome {
    deliver_within(Duration::from_secs(5), &connection(&receiver.url, SECRET)).await
}

/// The vector that receivers can test themselves with: `adapters/practice-studio/fixtures/signed-delivery`.
#[tokio::test]
async fn a_delivery_is_a_signed_post() {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../adapters/practice-studio/fixtures/signed-delivery");
    let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let meta: serde_json::Value = serde_norway::from_str(&text("meta.yaml")).unwrap();
    let expected: BTreeMap<String, String> = serde_json::from_str(&text("expected.json")).unwrap();
    let receiver = Receiver::start(Then::status(202, "", "")).await;
    let call = Attempt {
        body: text("input.json"),
        delivery: meta["delivery"].as_str().unwrap().to_owned(),
        now: meta["at"].as_str().unwrap().parse().unwrap(),
        ..Attempt::default()
    };
    let outcome = call
        .make(&Transports::new().unwrap(), &connection(&receiver.url, &meta["secrets"].to_string()))
        .await;
    assert_eq!(outcome, Outcome::Delivered);

    let [request] = receiver.received().try_into().ok().expect("one request");
    assert_eq!(request.line, "POST /hook HTTP/1.1");
    assert_eq!(request.body, call.body.as_bytes());
    for (name, value) in &expected {
        assert_eq!(request.headers.get(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn one_secret_signs_once() {
    let receiver = Receiver::start(Then::status(200, "", "")).await;
    assert_eq!(deliver_to(&receiver).await, Outcome::Delivered);
    let signature = "v1,vu6guU+10V0v7jr+5An3ljy+Rkai6SUdBr7EWh8Cddo=";
    assert_eq!(receiver.received()[0].headers["webhook-signature"], signature);
}

#[tokio::test]
async fn every_status_has_its_outcome() {
    for status in [200, 201, 202, 204, 299] {
        let receiver = Receiver::start(Then::status(status, "", "")).await;
        assert_eq!(deliver_to(&receiver).await, Outcome::Delivered, "{status}");
    }
    for status in [300, 301, 304, 308, 400, 401, 403, 404, 405, 409, 410, 413, 415, 422, 451, 499] {
        let receiver = Receiver::start(Then::status(status, "", "")).await;
        let Outcome::Rejected(cause) = deliver_to(&receiver).await else {
            panic!("{status} was not rejected")
        };
        assert_eq!(cause.to_string(), format!("destination.status: answered {status}"));
    }
    for status in [408, 425, 500, 501, 502, 503, 504, 599] {
        let receiver = Receiver::start(Then::status(status, "", "")).await;
        let Outcome::Retry { after, cause } = deliver_to(&receiver).await else {
            panic!("{status} is no retry")
        };
        assert_eq!((after, cause.text), (None, format!("answered {status}")));
    }
}

#[tokio::test]
async fn a_wait_that_is_asked_for_is_passed_on() {
    let cases = [
        (429, "retry-after: 17\r\n", Some(17)),
        (429, "", None),
        (503, "Retry-After: Thu, 01 Jan 2026 00:02:00 GMT\r\n", Some(120)),
        (500, "retry-after: when hell freezes\r\n", None),
    ];
    for (status, header, seconds) in cases {
        let receiver = Receiver::start(Then::status(status, header, "busy")).await;
        let (after, throttled) = match deliver_to(&receiver).await {
            Outcome::Retry { after, .. } => (after, false),
            Outcome::Throttled { after, .. } => (after, true),
            other => panic!("{status} is no retry: {other:?}"),
        };
        assert_eq!((after.map(|after| after.as_secs()), throttled), (seconds, status == 429), "{header}");
    }
}

/// The ways in which products say that they were called too often, each as a manifest declares it.
#[tokio::test]
async fn a_signal_is_obeyed_as_it_is_declared() {
    let signals: Vec<Signal> = serde_norway::from_str(
        r#"
        - {status: 429, text: 'available in {seconds} second'}
        - {status: 429, header: x-ratelimit-reset, form: epoch}
        - {status: 200, text: '"code":"TOO_MANY"', seconds: 30}
        - {status: 500, text: exceeded the throttle, seconds: 60}
        "#,
    )
    .unwrap();
    let reset = "x-ratelimit-reset: 1767225645\r\n";
    let cases = [
        (429, "", r#"{"detail":"Throttled: available in 42 seconds."}"#, Some(Some(42))),
        (429, reset, r#"{"detail":"slow down"}"#, Some(Some(45))),
        (429, "retry-after: 17\r\n", "", Some(Some(17))),
        (429, "", "", Some(None)),
        (200, "", r#"{"errors":[{"code":"TOO_MANY"}]}"#, Some(Some(30))),
        (200, "", r#"{"data":{}}"#, None),
        (500, "", "<faultstring>You exceeded the throttle.</faultstring>", Some(Some(60))),
        (500, "", "<faultstring>Something else.</faultstring>", None),
    ];
    for (status, headers, body, expected) in cases {
        let receiver = Receiver::start(Then::status(status, headers, body)).await;
        let connection = connection(&receiver.url, SECRET);
        let outcome = Attempt::default().make_with(&Transports::new().unwrap(), &connection, &signals).await;
        let throttled = match outcome {
            Outcome::Throttled { after, .. } => Some(after.map(|after| after.as_secs())),
            Outcome::Delivered | Outcome::Retry { .. } => None,
            other => panic!("{status} {body}: {other:?}"),
        };
        assert_eq!(throttled, expected, "{status} {body}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Receiver::start(Then::status(200, "", "")).await;
    let location = format!("location: {}\r\n", elsewhere.url);
    let receiver = Receiver::start(Then::status(307, &location, "")).await;
    assert!(matches!(deliver_to(&receiver).await, Outcome::Rejected(_)));
    assert_eq!(elsewhere.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn no_answer_in_time_is_unknown() {
    let receiver = Receiver::start(Then::Hang).await;
    let began = Instant::now();
    let outcome = deliver_within(Duration::from_millis(300), &connection(&receiver.url, SECRET)).await;
    let Outcome::Unknown(cause) = outcome else { panic!("{outcome:?}") };
    assert_eq!(cause.to_string(), "destination.timeout: no answer in time");
    assert!(began.elapsed() < Duration::from_secs(3), "took {:?}", began.elapsed());
    assert_eq!(receiver.received().len(), 1, "it was sent once");
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_unknown() {
    for then in [Then::Reset, Then::BreakOff] {
        let receiver = Receiver::start(then).await;
        let outcome = deliver_to(&receiver).await;
        let Outcome::Unknown(cause) = outcome else { panic!("{outcome:?}") };
        assert_eq!(cause.code, "destination.broken");
        assert_eq!(receiver.received().len(), 1, "it was sent once");
    }
}

#[tokio::test]
async fn without_a_connection_nothing_was_sent_and_it_is_tried_again() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let refused =
        deliver_within(Duration::from_secs(5), &connection(&format!("http://{free}/"), SECRET)).await;
    let Outcome::Retry { after: None, cause } = refused else { panic!("{refused:?}") };
    assert_eq!(cause.to_string(), "destination.connect: no connection: connection refused");

    // Somebody is there, but does not speak TLS.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("https://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let no_tls = deliver_within(Duration::from_secs(5), &connection(&address, SECRET)).await;
    assert!(matches!(no_tls, Outcome::Retry { after: None, .. }), "{no_tls:?}");
}

#[tokio::test]
async fn what_the_receiver_says_stays_there() {
    let receiver = Receiver::start(Then::status(422, "x-note: Zyxwv Planted\r\n", "Zyxwv Planted")).await;
    let outcome = deliver_to(&receiver).await;
    assert!(!format!("{outcome:?}").contains("Planted"), "{outcome:?}");
}

#[tokio::test]
async fn connections_are_used_again() {
    let receiver = Receiver::start(Then::status(200, "", "thank you")).await;
    let connection = connection(&receiver.url, SECRET);
    let http = Transports::new().unwrap();
    for _ in 0..5 {
        assert_eq!(Attempt::default().make(&http, &connection).await, Outcome::Delivered);
    }
    assert_eq!(receiver.connections.load(Ordering::SeqCst), 1);
    assert_eq!(receiver.received().len(), 5);
}

#[tokio::test]
async fn a_long_answer_is_not_waited_for() {
    // Announces more than it sends, and keeps the connection open.
    let receiver =
        Receiver::start(Then::Answer("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\nabc".into())).await;
    let began = Instant::now();
    assert_eq!(deliver_to(&receiver).await, Outcome::Delivered);
    assert!(began.elapsed() < Duration::from_secs(2), "took {:?}", began.elapsed());
}

#[tokio::test]
async fn a_connection_that_cannot_work_is_rejected_without_a_call() {
    let receiver = Receiver::start(Then::status(200, "", "")).await;
    let cases = [
        connection("http://example.org/", SECRET),
        connection(&receiver.url, "not-a-signing-secret"),
        connection(&receiver.url, "[]"),
    ];
    for connection in cases {
        let Outcome::Rejected(cause) = deliver_within(Duration::from_secs(1), &connection).await else {
            panic!("{connection:?}")
        };
        assert_eq!(cause.code, "destination.configuration");
    }
    assert_eq!(receiver.connections.load(Ordering::SeqCst), 0);
}
