//! Whose certificates are believed.

use aws_smithy_http_client::tls::{TlsContext, TrustStore};

use crate::{client::Place, settings::variable};

const AMAZON: &[u8] = include_bytes!("amazon-roots.pem");

/// Anywhere: what the system trusts. On Lambda, which talks to AWS and nobody else: Amazon's own roots. Reading the
/// system's 150 is three quarters of what a function does before its first event.
///
/// `SSL_CERT_FILE` brings the system's way back, for networks that look into TLS.
pub(crate) fn context(place: Place, endpoint: Option<&str>) -> TlsContext {
    if !is_amazon_enough(place, endpoint, variable("SSL_CERT_FILE").is_some()) {
        return TlsContext::default();
    }
    let amazon = TrustStore::empty().with_pem_certificate(AMAZON);
    TlsContext::builder().with_trust_store(amazon).build().unwrap_or_default()
}

/// PEM of the roots that other servers of the account are believed by: those of `SSL_CERT_FILE`, else Amazon's own on Lambda;
/// `None` for what the system trusts.
pub(crate) fn roots() -> Option<Vec<u8>> {
    if let Some(file) = variable("SSL_CERT_FILE") {
        return std::fs::read(file).ok();
    }
    variable("AWS_LAMBDA_FUNCTION_NAME").map(|_| AMAZON.to_vec())
}

fn is_amazon_enough(place: Place, endpoint: Option<&str>, has_cert_file: bool) -> bool {
    let talks_tls_to_others = endpoint.is_some_and(|endpoint| endpoint.starts_with("https://"));
    place == Place::Lambda && !talks_tls_to_others && !has_cert_file
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use bridge_seal::sha256;
    use data_encoding::{BASE64, HEXLOWER};

    use super::*;

    /// SHA-256 fingerprints, as published at <https://www.amazontrust.com/repository/>.
    const PUBLISHED: [&str; 5] = [
        "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
        "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
        "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
        "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
    ];

    #[test]
    fn the_roots_are_amazons() {
        let text = std::str::from_utf8(AMAZON).unwrap();
        let certificates = text.split("-----BEGIN CERTIFICATE-----").skip(1).map(|rest| {
            let body = rest.split("-----END").next().unwrap();
            BASE64.decode(body.split_whitespace().collect::<String>().as_bytes()).unwrap()
        });
        let fingerprints: Vec<String> =
            certificates.map(|certificate| HEXLOWER.encode(&sha256(&[&certificate]))).collect();
        assert_eq!(fingerprints, PUBLISHED);
    }

    #[test]
    fn amazon_is_enough_where_lambda_talks_to_nobody_else() {
        let emulator = Some("http://127.0.0.1:4566");
        assert!(
            is_amazon_enough(Place::Lambda, None, false) && is_amazon_enough(Place::Lambda, emulator, false)
        );
        assert!(!is_amazon_enough(Place::Lambda, Some("https://aws.example.org"), false));
        assert!(!is_amazon_enough(Place::Lambda, None, true));
        assert!(!is_amazon_enough(Place::Anywhere, None, false));
    }
}
