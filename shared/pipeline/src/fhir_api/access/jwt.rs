//! Access tokens as signed JWTs (RFC 7519, RFC 9068).

use std::time::Duration;

use bridge_core::Timestamp;
use bridge_seal::JwsAlgorithm;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value};

use super::jwks::Jwk;

/// No access token is longer.
const LONGEST: usize = 16 * 1024;
/// The issuer's clock and ours may differ by so much.
const SKEW: Duration = Duration::from_mins(1);

/// Why a token is not good. The texts say nothing of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("the token is not a signed JWT")]
    Malformed,
    #[error("the token must be signed with RS256, RS384, ES256 or ES384")]
    Algorithm,
    #[error("the token has critical extensions that are not known here")]
    Critical,
    #[error("the token is signed with a key that the issuer does not list")]
    UnknownKey,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYet,
    #[error("the token is of another issuer")]
    Issuer,
    #[error("the token is for another audience")]
    Audience,
    #[error("this is an ID token: send the access token")]
    IdToken,
}

/// What must stand in a token.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audience: &'a str,
}

/// A token that has been taken apart, and not been verified.
pub(super) struct Token<'a> {
    algorithm: JwsAlgorithm,
    key_id: Option<String>,
    signed: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
}

/// What a verified token says.
pub(super) struct Claims(Map<String, Value>);

impl Claims {
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        let seconds = self.0.get(name)?.as_f64()?;
        // Beyond any calendar: as good as none.
        (0.0..1e11).contains(&seconds).then(|| Timestamp::from_millis((seconds * 1000.0) as i64))
    }
}

impl<'a> Token<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Fault> {
        if text.len() > LONGEST {
            return Err(Fault::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Fault::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(Fault::Malformed)?;
        let header = object(header)?;
        let algorithm = match header.get("alg").and_then(Value::as_str) {
            Some("RS256") => JwsAlgorithm::Rs256,
            Some("RS384") => JwsAlgorithm::Rs384,
            Some("ES256") => JwsAlgorithm::Es256,
            Some("ES384") => JwsAlgorithm::Es384,
            _ => return Err(Fault::Algorithm),
        };
        if header.contains_key("crit") {
            return Err(Fault::Critical);
        }
        let signature = BASE64URL_NOPAD.decode(signature.as_bytes()).map_err(|_| Fault::Malformed)?;
        let key_id = header.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { algorithm, key_id, signed, claims, signature })
    }

    /// The key that it names; where it names none, the only one that fits.
    pub(super) fn key_of<'k>(&self, keys: &'k [Jwk]) -> Option<&'k Jwk> {
        let mut fitting = keys.iter().filter(|key| key.fits(self.algorithm));
        match &self.key_id {
            Some(id) => fitting.find(|key| key.id.as_ref() == Some(id)),
            None => fitting.next().filter(|_| fitting.next().is_none()),
        }
    }

    pub(super) fn verify(&self, key: &Jwk, expected: &Expected<'_>, now: Timestamp) -> Result<Claims, Fault> {
        if !bridge_seal::verify_jws(self.algorithm, &key.key, self.signed.as_bytes(), &self.signature) {
            return Err(Fault::Signature);
        }
        let claims = Claims(object(self.claims)?);
        let ends = claims.time("exp").ok_or(Fault::Expired)?;
        if ends + SKEW <= now {
            return Err(Fault::Expired);
        }
        if claims.0.contains_key("nbf") && claims.time("nbf").is_none_or(|begins| begins > now + SKEW) {
            return Err(Fault::NotYet);
        }
        if claims.text("iss") != Some(expected.issuer) {
            return Err(Fault::Issuer);
        }
        let is_ours = |audience: &Value| audience.as_str() == Some(expected.audience);
        let is_for_us = match claims.0.get("aud") {
            Some(Value::Array(audiences)) => audiences.iter().any(is_ours),
            Some(audience) => is_ours(audience),
            None => false,
        };
        if !is_for_us {
            return Err(Fault::Audience);
        }
        if ["nonce", "at_hash"].iter().any(|name| claims.0.contains_key(*name)) {
            return Err(Fault::IdToken);
        }
        Ok(claims)
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Fault> {
    let bytes = BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| Fault::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Fault::Malformed)
}
