//! MLLP and HTTP over TLS, with authorities and certificates made for the test.

use std::sync::Arc;

use bridge_core::destination::Outcome;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::aws_lc_rs,
        pki_types::{PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
};

use super::{
    Delivery,
    peer::{Peer, Then},
    told,
};

/// An authority of our own, and what it signs.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for this name, and its key.
    fn sign(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &self.0).unwrap();
        (certificate, key)
    }

    /// What a receiver shows; with `clients`, whose certificates it asks for.
    fn acceptor(&self, name: &str, clients: Option<&Self>) -> TlsAcceptor {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(authority.0.der().clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let (certificate, key) = self.sign(name);
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
        let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

async fn peer(acceptor: TlsAcceptor) -> Peer {
    Peer::start_with(&[Then::Ack("MSA|AA|{id}")], Some(acceptor)).await
}

fn to(peer: &Peer) -> Delivery {
    Delivery::to(&format!("mllps://localhost:{}", peer.port))
}

#[tokio::test]
async fn a_receiver_is_trusted_by_its_authority() {
    let authority = Authority::new();
    let peer = peer(authority.acceptor("localhost", None)).await;
    assert_eq!(to(&peer).setting("send-ca", &authority.0.pem()).make().await, Outcome::Delivered);

    let other = Authority::new().0.pem();
    for distrusting in [to(&peer), to(&peer).setting("send-ca", &other)] {
        let (outcome, cause) = told(distrusting.make().await);
        assert_eq!(
            (outcome, cause.as_str()),
            ("retry", "destination.tls: no TLS: the receiver's certificate is not trusted")
        );
    }
    assert_eq!(peer.ids(), ["M1"], "who is not trusted gets nothing");
}

#[tokio::test]
async fn a_certificate_of_another_name_is_not_trusted() {
    let authority = Authority::new();
    let peer = peer(authority.acceptor("elsewhere.example", None)).await;
    let (outcome, cause) = told(to(&peer).setting("send-ca", &authority.0.pem()).make().await);
    assert_eq!((outcome, cause.contains("not trusted")), ("retry", true), "{cause}");
}

#[tokio::test]
async fn we_prove_ourselves_where_the_receiver_asks_for_it() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let peer = peer(authority.acceptor("localhost", Some(&clients))).await;
    let (certificate, key) = clients.sign("bridge.example");
    let identity = certificate.pem() + &key.serialize_pem();
    let known = to(&peer).setting("send-ca", &authority.0.pem()).secret("client-certificate", &identity);
    assert_eq!(known.make().await, Outcome::Delivered);

    let (outcome, cause) = told(to(&peer).setting("send-ca", &authority.0.pem()).make().await);
    assert_eq!(
        (outcome, cause.as_str()),
        ("retry", "destination.tls: no TLS: the receiver refused our certificate")
    );
}

#[tokio::test]
async fn a_receiver_without_tls_gets_nothing() {
    let peer = Peer::start(&[Then::Hang]).await;
    let (outcome, cause) = told(to(&peer).within(7_000).make().await);
    assert_eq!(outcome, "retry", "{cause}");
    assert!(peer.ids().is_empty());
}
