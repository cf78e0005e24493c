//! The JSON Web Key Set (RFC 7517) that products verify the bridge's signatures with.

use bridge_core::http::{Request, Response};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{SigningError, SigningKey};
use crate::{bridge::Bridge, ports::Ports};

/// Where it is served.
pub const JWKS_PATH: &str = "/.well-known/jwks.json";

/// Seconds for which a copy may be used: far less than the time between a key's publication and its first signature.
const FRESH: u32 = 3_600;

impl<P: Ports> Bridge<P> {
    /// The set of all keys that are published now.
    ///
    /// # Errors
    /// When the keys can't be read.
    pub async fn jwks(&self) -> Result<Value, SigningError> {
        let (keys, now) = (self.known_keys(|_| true).await?, self.now());
        Ok(json!({"keys": keys.iter().filter(|key| key.is_published(now)).map(jwk).collect::<Vec<_>>()}))
    }

    /// Answers a request for the set. Whoever asks may have it.
    pub async fn answer_jwks(&self, request: &Request) -> Response {
        let set = match self.jwks().await {
            Ok(set) => set.to_string(),
            Err(error) => {
                tracing::error!(%error, "the keys that sign can't be read");
                return Response::empty(503).with_header("retry-after", "5");
            }
        };
        let tag = format!("\"{}\"", HEXLOWER.encode(&bridge_seal::sha256(&[set.as_bytes()])[..8]));
        let is_known = request.header("if-none-match").is_some_and(|known| known.contains(&tag));
        let response = if is_known { Response::empty(304) } else { Response::empty(200) };
        let response = response
            .with_header("cache-control", format!("public, max-age={FRESH}"))
            // Browser-based tools that check a registration may read it as well.
            .with_header("access-control-allow-origin", "*")
            .with_header("etag", tag);
        if is_known {
            return response;
        }
        Response { body: set, ..response.with_header("content-type", "application/jwk-set+json") }
    }
}

fn jwk(key: &SigningKey) -> Value {
    let mut jwk = json!({"kid": key.kid, "use": "sig", "alg": key.algorithm, "key_ops": ["verify"]});
    for (name, value) in &key.public {
        jwk[name] = json!(value);
    }
    jwk
}
