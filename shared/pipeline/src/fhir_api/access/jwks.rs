//! An issuer's keys (RFC 7517, RFC 7518).

use bridge_seal::{JwsAlgorithm, PublicKey};
use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

/// A key of an issuer.
#[derive(Debug, Clone)]
pub(super) struct Jwk {
    pub(super) id: Option<String>,
    pub(super) key: PublicKey,
    /// The one algorithm it is for, where it says so.
    only: Option<String>,
}

impl Jwk {
    pub(super) fn fits(&self, algorithm: JwsAlgorithm) -> bool {
        self.key.fits(algorithm) && self.only.as_deref().is_none_or(|only| only == algorithm.as_str())
    }
}

/// The signing keys of a set. Those of kinds that are not known here are left out; `None` for what is no set.
pub(super) fn read_keys(text: &str) -> Option<Vec<Jwk>> {
    let set: Value = serde_json::from_str(text).ok()?;
    Some(set.get("keys")?.as_array()?.iter().filter_map(read_key).collect())
}

fn read_key(key: &Value) -> Option<Jwk> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let bytes = |name: &str| BASE64URL_NOPAD.decode(text(name)?.as_bytes()).ok();
    if text("use").is_some_and(|used_for| used_for != "sig") {
        return None;
    }
    let public = match (text("kty")?, text("crv")) {
        ("RSA", _) => PublicKey::rsa(bytes("n")?, bytes("e")?),
        ("EC", Some("P-256")) => PublicKey::p256(&bytes("x")?, &bytes("y")?)?,
        ("EC", Some("P-384")) => PublicKey::p384(&bytes("x")?, &bytes("y")?)?,
        _ => return None,
    };
    Some(Jwk { id: text("kid").map(str::to_owned), key: public, only: text("alg").map(str::to_owned) })
}
