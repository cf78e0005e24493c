//! A client's proof of itself by a signed JWT (RFC 7523; SMART App Launch 2.2, "Client Authentication: Asymmetric").

use std::time::Duration;

use bridge_core::{
    Timestamp,
    remote::{CallError, Signer},
};
use bridge_seal::{JwtAlgorithm, sign_jwt};
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};

use super::site::configuration;

const PLACE: &str = "api.auth.client";
/// SMART allows five minutes; clocks differ.
const GOOD_FOR: Duration = Duration::from_mins(4);

/// What the assertion claims.
pub(super) struct Claims<'a> {
    /// `iss` and `sub`.
    pub(super) client: &'a str,
    /// The token endpoint: `aud`.
    pub(super) audience: &'a str,
    /// `jti`.
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// The assertion, signed with a private key in PEM.
pub(super) fn signed(
    claims: &Claims<'_>,
    key_id: &str,
    key: &str,
    algorithm: &str,
) -> Result<String, CallError> {
    if key_id.is_empty() {
        return Err(configuration("a private key needs the `kid` by which the product knows it", PLACE));
    }
    let algorithm =
        JwtAlgorithm::of(algorithm).ok_or_else(|| configuration("the algorithm is RS384 or ES384", PLACE))?;
    let message = claims.message(key_id, algorithm.as_str());
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes());
    let signature = key.ok().and_then(|key| sign_jwt(algorithm, key.secret_der(), message.as_bytes()));
    let signature = signature.ok_or_else(|| {
        configuration("the key is no PEM of a private key (PKCS #8) that fits the algorithm", PLACE)
    })?;
    Ok(whole(message, &signature))
}

/// The assertion, signed where the key is kept.
pub(super) async fn signed_by(claims: &Claims<'_>, signer: &dyn Signer) -> Result<String, CallError> {
    let message = claims.message(signer.key_id(), signer.algorithm());
    let signature = signer.sign(message.as_bytes()).await?;
    Ok(whole(message, &signature))
}

impl Claims<'_> {
    /// Header and claims: what is signed.
    fn message(&self, key_id: &str, algorithm: &str) -> String {
        let header = json!({"alg": algorithm, "kid": key_id, "typ": "JWT"});
        let payload = json!({
            "iss": self.client,
            "sub": self.client,
            "aud": self.audience,
            "jti": self.nonce,
            "iat": self.now.as_secs(),
            "exp": (self.now + GOOD_FOR).as_secs(),
        });
        let part = |value: serde_json::Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        format!("{}.{}", part(header), part(payload))
    }
}

fn whole(message: String, signature: &[u8]) -> String {
    format!("{message}.{}", BASE64URL_NOPAD.encode(signature))
}
