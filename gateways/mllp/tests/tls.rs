//! TLS: nothing older than 1.3, and with mutual TLS a client is who its certificate says.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use std::{sync::Arc, time::Duration};

use bridge_core::id::ConnectionId;
use bridge_seal::sha256;
use data_encoding::HEXLOWER;
use mllp_gateway::{
    Gateway, Limits,
    door::{Door, Tls},
    renewal,
    sink::Route,
    tls::Identity,
};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject as _},
    version,
};
use support::{Client, Memory, Running, accepted};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

const AUTHORITY: &str = include_str!("certificates/authority.pem");
const LABORATORY: (&str, &str) =
    (include_str!("certificates/laboratory.pem"), include_str!("certificates/laboratory.key"));
const DESK: (&str, &str) = (include_str!("certificates/desk.pem"), include_str!("certificates/desk.key"));
const OTHER: (&str, &str) = (include_str!("certificates/other.pem"), include_str!("certificates/other.key"));
const STRANGER: (&str, &str) =
    (include_str!("certificates/stranger.pem"), include_str!("certificates/stranger.key"));

fn identity() -> Identity {
    Identity {
        certificates: include_str!("certificates/server.pem").to_owned(),
        key: include_str!("certificates/server.key").to_owned(),
        clients: AUTHORITY.to_owned(),
    }
}

async fn gateway(door: &str) -> Running {
    Running::with_door(Limits::default(), &serde_norway::from_str(door).unwrap(), &identity()).await
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

async fn connect(
    gateway: &Running,
    client: Option<(&str, &str)>,
    speaks: &'static SupportedProtocolVersion,
) -> std::io::Result<Client<TlsStream<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate(AUTHORITY)).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[speaks])
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some((pem, key)) => {
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(vec![certificate(pem)], key).unwrap()
        }
    };
    let stream = TcpStream::connect(gateway.at).await?;
    let name = ServerName::try_from("localhost").unwrap();
    Ok(Client::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
}

/// The route of a message that a client with this certificate sends; nothing when it is turned away.
async fn route(gateway: &Running, client: Option<(&str, &str)>) -> Option<Route> {
    let mut client = connect(gateway, client, &version::TLS13).await.ok()?;
    // A client learns that it is turned away when it reads: the handshake of TLS 1.3 ends before.
    let mut byte = [0];
    let sent = tokio::io::AsyncWriteExt::write_all(&mut client.stream, &support::frame("1", "a")).await;
    let read = tokio::io::AsyncReadExt::read(&mut client.stream, &mut byte).await;
    (sent.is_ok() && read.is_ok_and(|bytes| bytes == 1)).then(|| gateway.origin())
}

fn connection(name: &str) -> Option<Route> {
    Some(Route::Connection(name.parse::<ConnectionId>().unwrap()))
}

#[tokio::test]
async fn messages_are_answered_over_tls_1_3_and_over_nothing_older() {
    let gateway = gateway("{port: 0, tls: server, connection: practice.lab}").await;
    let mut client = connect(&gateway, None, &version::TLS13).await.unwrap();
    for id in ["1", "2"] {
        assert_eq!(client.exchange(id, "a").await, accepted(id));
    }
    assert!(connect(&gateway, None, &version::TLS12).await.is_err());
    let mut plain = gateway.client().await;
    let _ = tokio::io::AsyncWriteExt::write_all(&mut plain.stream, &support::frame("3", "a")).await;
    let mut rest = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut plain.stream, &mut rest).await;
    assert!(!String::from_utf8_lossy(&rest).contains("MSA"));
    assert_eq!(gateway.sink.stored(), ["1", "2"]);
}

#[tokio::test]
async fn a_client_is_the_connection_that_its_certificate_names() {
    let digest = HEXLOWER.encode(&sha256(&[&certificate(LABORATORY.0)]));
    let gateway = gateway(&format!(
        "{{port: 0, tls: mutual, certificates: [{{sha256: {digest}, connection: practice.lab}}, \
         {{dns: Desk.example, connection: practice.desk}}]}}"
    ))
    .await;
    assert_eq!(route(&gateway, Some(LABORATORY)).await, connection("practice.lab"));
    assert_eq!(route(&gateway, Some(DESK)).await, connection("practice.desk"));
    let prepared = gateway.sink.origins.lock().unwrap().len();
    for turned_away in [Some(OTHER), Some(STRANGER), None] {
        assert_eq!(route(&gateway, turned_away).await, None);
    }
    assert_eq!(gateway.sink.origins.lock().unwrap().len(), prepared);
}

#[tokio::test]
async fn a_port_of_its_own_still_asks_for_a_certificate_where_tls_is_mutual() {
    let gateway = gateway("{port: 0, tls: mutual, connection: practice.lab}").await;
    assert_eq!(route(&gateway, Some(OTHER)).await, connection("practice.lab"));
    assert_eq!(route(&gateway, Some(STRANGER)).await, None);
    assert_eq!(route(&gateway, None).await, None);
}

#[tokio::test]
async fn a_door_without_what_tls_needs_does_not_open() {
    let door = |tls| Door { tls, ..serde_norway::from_str("{port: 0, connection: practice.lab}").unwrap() };
    let mut gateway = Gateway::new(Arc::new(Memory::default()), Limits::default());
    let mut error = async |tls, identity: Identity| {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        gateway.open(&door(tls), listener, &identity).unwrap_err().to_string()
    };
    let nothing = Identity::default();
    assert!(error(Tls::Server, nothing).await.contains("the key"));
    let no_clients = Identity { clients: String::new(), ..identity() };
    assert!(error(Tls::Mutual, no_clients).await.contains("vouch for clients: there is none"));
    let mixed = Identity { key: DESK.1.to_owned(), ..identity() };
    assert!(error(Tls::Server, mixed).await.contains("can't be used"));
}

#[tokio::test]
async fn certificates_are_renewed_while_the_door_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("certificate.pem", &identity().certificates);
    write("key.pem", &identity().key);
    write("clients.pem", AUTHORITY);
    let known = renewal::read(folder.path()).unwrap();
    let door = serde_norway::from_str("{port: 0, tls: mutual, connection: practice.lab}").unwrap();
    let gateway = Running::with_door(Limits::default(), &door, &known).await;
    let every = Duration::from_millis(10);
    let following = gateway.renewal.clone().follow(folder.path().to_owned(), known, every);
    let following = tokio::spawn(following);
    let mut early = connect(&gateway, Some(DESK), &version::TLS13).await.unwrap();
    assert_eq!(early.exchange("early", "a").await, accepted("early"));
    assert_eq!(route(&gateway, Some(STRANGER)).await, None);

    // Half of a change can't be used, and the door goes on as it was.
    write("key.pem", DESK.1);
    tokio::time::sleep(every * 10).await;
    assert!(route(&gateway, Some(DESK)).await.is_some());

    write("clients.pem", STRANGER.0);
    write("key.pem", &identity().key);
    let deadline = tokio::time::Instant::now() + support::PATIENCE;
    while route(&gateway, Some(STRANGER)).await.is_none() {
        assert!(tokio::time::Instant::now() < deadline, "never renewed");
    }
    assert_eq!(route(&gateway, Some(DESK)).await, None, "nobody vouches for it any more");
    assert_eq!(early.exchange("late", "a").await, accepted("late"), "what is open stays open");
    following.abort();
}
