//! Endpoints and fallbacks of a connection: each endpoint's address is held against the rules of any address.

use std::{net::TcpListener, time::Duration};

use bridge_adapters::{Catalog, Transports};
use bridge_core::{
    config::{Connection, Serves},
    destination::Destination as _,
};

use crate::{
    hl7v2::peer::{Peer, Then as Does},
    receiver::{Receiver, Then},
};

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The problems of a connection file, with their lines.
fn problems(yaml: &str) -> Vec<String> {
    let connection: Connection = serde_norway::from_str(yaml).unwrap();
    let catalog = Catalog::builtin();
    let problems = catalog.get(&connection.adapter).unwrap().check_connection(&connection);
    problems.iter().map(|problem| format!("{}: {problem}", problem.line(yaml))).collect()
}

/// Of a destination for webhooks; `rest` begins on line 6.
fn studio(rest: &str) -> Vec<String> {
    let head = "connection: demo.one\nzone: UTC\nadapter: practice-studio\n";
    problems(&format!("{head}secrets:\n  signing-secret: {SECRET}\n{rest}"))
}

/// Of a product with an interface; `rest` begins on line 6.
fn opendental(rest: &str) -> Vec<String> {
    let head = "connection: demo.two\nzone: UTC\nadapter: opendental\n";
    problems(&format!("{head}secrets:\n  customer-key: invented\n{rest}"))
}

#[test]
fn a_right_one_needs_no_address_of_its_own() {
    let both = "endpoints:\n- {name: east, url: 'https://east.example/hook', weight: 3}\n\
                - {name: spare, url: 'https://spare.example/hook', role: standby}\n\
                failover: {sticky: lane, one-book: true}\nfallback:\n  deliveries: {after: 30, to: outbox}\n";
    assert_eq!(studio(both), [""; 0]);
    assert_eq!(opendental("endpoints:\n- {name: east, url: 'https://east.example/api/v1'}\n"), [""; 0]);
}

#[test]
fn no_endpoint_leads_where_no_address_may() {
    for url in ["http://east.example/hook", "https://user:word@east.example/", "ftp://east.example/"] {
        let found = studio(&format!("endpoints:\n- name: east\n  url: {url}\n"));
        let rule = "must be an https URL without user or fragment (http only to this machine)";
        assert_eq!(found, [format!("8: endpoints.0.url: {rule}")], "{url}");
    }
    for url in ["https://10.0.0.7/api", "https://169.254.169.254/latest", "http://east.example"] {
        let found = opendental(&format!("endpoints:\n- name: east\n  url: {url}\n"));
        assert!(
            matches!(found.as_slice(), [one] if one.starts_with("8: endpoints.0.url: must be an https URL"))
        );
    }
}

#[test]
fn what_cannot_work_is_told_with_its_place() {
    let standbys = "endpoints:\n- {name: a, url: 'https://a.example/', role: standby}\n";
    assert_eq!(
        studio(standbys),
        ["6: endpoints: every endpoint of this side is a standby: make one of them `primary`"]
    );
    let twice = "endpoints:\n- {name: a, url: 'https://a.example/'}\n- {name: a, url: 'https://b.example/', weight: 0}\n";
    assert_eq!(
        studio(twice),
        [
            "8: endpoints.1.name: another endpoint has this name",
            "8: endpoints.1.weight: must be from 1 to 1000"
        ]
    );
    let outbox = "endpoints:\n- {name: outbox, url: 'https://a.example/'}\n";
    assert_eq!(
        studio(outbox),
        ["7: endpoints.0.name: `outbox` is the outbox: give the endpoint another name"]
    );
    let side = "endpoints:\n- {name: a, url: 'https://a.example/', serves: interface}\n";
    assert_eq!(
        studio(side),
        [
            "1: settings: the setting `url` is missing",
            "7: endpoints.0.serves: the adapter `practice-studio` calls nothing there"
        ]
    );
    let url = "settings: {url: 'https://a.example/'}\n";
    let itself = format!("{url}fallback:\n  deliveries: {{after: 0, to: demo.one}}\n");
    assert_eq!(
        studio(&itself),
        [
            "8: fallback.deliveries.after: must be from 1 to 10080",
            "8: fallback.deliveries.to: leads back to the connection itself"
        ]
    );
    let foreign =
        format!("{url}fallback:\n  deliveries: {{after: 5, to: other.one}}\n  reads: {{stale-for: 60}}\n");
    assert_eq!(
        studio(&foreign),
        [
            "8: fallback.deliveries.to: a fallback stays within its tenant",
            "9: fallback.reads: `fallback.reads` needs `api`"
        ]
    );
    let session = format!("{url}failover: {{sticky: token}}\n");
    assert_eq!(studio(&session), ["7: failover.sticky: `token` needs `api.auth with tokens`"]);
}

/// Whether somebody answers to a knock at a connection of this adapter with this address.
async fn knock(adapter: &str, setting: &str, url: &str, serves: Serves) -> bool {
    let catalog = Catalog::builtin();
    let yaml =
        format!("{{connection: demo.one, adapter: {adapter}, zone: UTC, settings: {{{setting}: '{url}'}}}}");
    let connection: Connection = serde_norway::from_str(&yaml).unwrap();
    let manifest = catalog.get(adapter).unwrap().manifest();
    Transports::new().unwrap().knock(&connection, manifest, serves, Duration::from_secs(2)).await
}

/// An address of this machine at which nobody is.
fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_knock_over_http_has_no_effect_and_tells_a_failure_from_a_refusal() {
    for (status, there) in
        [(200, true), (204, true), (404, true), (405, true), (429, false), (500, false), (503, false)]
    {
        let receiver = Receiver::start(Then::status(status, "", "")).await;
        for (adapter, serves) in [("practice-studio", Serves::Deliveries), ("opendental", Serves::Interface)]
        {
            assert_eq!(knock(adapter, "url", &receiver.url, serves).await, there, "{adapter} {status}");
        }
        let lines = receiver.received();
        assert!(
            lines.iter().all(|received| received.line.starts_with("OPTIONS ") && received.body.is_empty())
        );
    }
    for then in [Then::Hang, Then::Reset, Then::BreakOff] {
        let receiver = Receiver::start(then).await;
        assert!(!knock("practice-studio", "url", &receiver.url, Serves::Deliveries).await);
    }
    let nowhere = format!("http://127.0.0.1:{}/", nobody());
    assert!(!knock("practice-studio", "url", &nowhere, Serves::Deliveries).await);
    assert!(!knock("opendental", "url", "https://10.0.0.7/", Serves::Interface).await, "the guard holds");
}

#[tokio::test]
async fn a_knock_over_mllp_is_a_connection() {
    let peer = Peer::start(&[Does::Hang]).await;
    let at = |port: u16| format!("mllp://127.0.0.1:{port}");
    assert!(knock("hl7v2", "send-to", &at(peer.port), Serves::Deliveries).await);
    assert!(peer.received().is_empty());
    assert!(!knock("hl7v2", "send-to", &at(nobody()), Serves::Deliveries).await);
}
