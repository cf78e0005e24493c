//! TLS 1.3, by the same library and the same cryptography as everything else that the bridge does over a network.

use std::sync::Arc;

use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{VerifierBuilderError, WebPkiClientVerifier},
};
use tokio_rustls::TlsAcceptor;

use crate::door::Tls;

/// What the gateway shows and whom it believes, as PEM.
#[derive(Clone, Default)]
pub struct Identity {
    /// Its certificate, and those between it and a root that clients trust.
    pub certificates: String,
    /// The certificate's private key.
    pub key: String,
    /// Who vouches for clients: authorities, or clients' own self-signed certificates. Needed for [`Tls::Mutual`].
    pub clients: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

/// Why TLS can't be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Something is not PEM of the kind that it should be.
    #[error("{what}: {reason}")]
    Unreadable {
        /// Which part of the identity.
        what: &'static str,
        /// What the reader said.
        reason: String,
    },
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("the certificate and its key can't be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// No certificate that could vouch for a client.
    #[error("the certificates that vouch for clients can't be used: {0}")]
    NoClients(#[from] VerifierBuilderError),
}

impl Identity {
    /// What a door speaks; nothing for [`Tls::Off`].
    ///
    /// # Errors
    /// When a part that this door needs is missing or can't be used.
    pub fn acceptor(&self, tls: Tls) -> Result<Option<TlsAcceptor>, TlsError> {
        if tls == Tls::Off {
            return Ok(None);
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13])?;
        let builder = if tls == Tls::Mutual {
            let mut roots = RootCertStore::empty();
            for certificate in certificates("the certificates that vouch for clients", &self.clients)? {
                roots.add(certificate)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes())
            .map_err(|error| TlsError::Unreadable { what: "the key", reason: error.to_string() })?;
        let config = builder.with_single_cert(certificates("the certificate", &self.certificates)?, key)?;
        Ok(Some(TlsAcceptor::from(Arc::new(config))))
    }
}

fn certificates(what: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |reason: String| TlsError::Unreadable { what, reason };
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    let found = found.map_err(|error| unreadable(error.to_string()))?;
    if found.is_empty() { Err(unreadable("there is none".to_owned())) } else { Ok(found) }
}
