//! TLS as this side begins it: whom it trusts, and how it proves itself.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use bridge_core::Phi;
use bridge_seal::sha256;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio_rustls::rustls::{
    self, ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

/// What a connection says about TLS.
#[derive(Debug, Clone, Copy, Default)]
pub struct Material<'a> {
    /// PEM of trusted authorities; empty: the machine's.
    pub ca: &'a str,
    /// PEM of this side's certificate chain and key.
    pub identity: Option<&'a Phi<String>>,
}

/// Which TLS settings a connection was made with.
pub(super) type Fingerprint = [u8; 32];

/// Why TLS cannot be used as it is configured. Names no content: a key may be near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// What is to be trusted is no CA certificate.
    #[error("must be PEM of at least one CA certificate")]
    Ca,
    /// The own certificate can't be used.
    #[error("must be PEM of a certificate, its chain, and its private key")]
    Identity,
    /// The machine has no trusted certificates.
    #[error("the machine's trusted certificates can't be used")]
    Platform,
}

impl Material<'_> {
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let identity = self.identity.map(|pem| pem.expose().as_bytes()).unwrap_or_default();
        // The length keeps the two apart.
        sha256(&[&self.ca.len().to_be_bytes(), self.ca.as_bytes(), identity])
    }

    /// The settings, TLS 1.2 or 1.3.
    pub(crate) fn config(&self) -> Result<ClientConfig, TlsFault> {
        let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|_: rustls::Error| TlsFault::Platform)?;
        let builder = if self.ca.trim().is_empty() {
            builder.with_platform_verifier().map_err(|_: rustls::Error| TlsFault::Platform)?
        } else {
            builder.with_root_certificates(self.roots()?)
        };
        let Some(identity) = self.identity else { return Ok(builder.with_no_client_auth()) };
        let pem = identity.expose().as_bytes();
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or(TlsFault::Identity)?;
        let key = PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsFault::Identity)?;
        builder.with_client_auth_cert(chain, key).map_err(|_: rustls::Error| TlsFault::Identity)
    }

    fn roots(&self) -> Result<RootCertStore, TlsFault> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(self.ca.as_bytes()) {
            let certificate = certificate.map_err(|_| TlsFault::Ca)?;
            roots.add(certificate).map_err(|_: rustls::Error| TlsFault::Ca)?;
        }
        if roots.is_empty() { Err(TlsFault::Ca) } else { Ok(roots) }
    }
}

/// Settings that were made once: loading the machine's certificates takes milliseconds.
#[derive(Debug, Default)]
pub(super) struct Configs(Mutex<HashMap<Fingerprint, Arc<ClientConfig>>>);

impl Configs {
    /// A change of a secret leaves its settings behind; this many are kept.
    const MOST: usize = 100;

    pub(super) fn get(&self, material: &Material<'_>) -> Result<Arc<ClientConfig>, TlsFault> {
        let fingerprint = material.fingerprint();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(config) = known.get(&fingerprint) {
            return Ok(Arc::clone(config));
        }
        let config = Arc::new(material.config()?);
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.insert(fingerprint, Arc::clone(&config));
        Ok(config)
    }
}
