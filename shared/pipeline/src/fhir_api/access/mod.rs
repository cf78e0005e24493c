//! Who asks: a bearer token (RFC 6750) of the configured issuer, its tenant, and its scopes (SMART App Launch 2.2).

mod jwks;
mod jwt;
mod scope;

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bridge_core::{Timestamp, http::Request, id::TenantId};
use futures::lock::Mutex as AsyncMutex;
use serde_json::Value;

use self::{
    jwks::{Jwk, read_keys},
    jwt::{Claims, Expected, Fault, Token},
    scope::Scopes,
};
use super::refusal::{Code, Refused};
use crate::ports::PortError;

pub use scope::May;

/// Keys are fetched anew after this long, so that a key that the issuer takes away is not good for ever.
const KEYS_LIFETIME: Duration = Duration::from_hours(1);
/// A key that is not known makes them be fetched anew, and no more often than this.
const FETCH_PAUSE: Duration = Duration::from_mins(1);

/// Where an issuer's keys come from.
pub trait KeySource: Send + Sync {
    /// The JSON Web Key Set (RFC 7517), as text.
    fn keys(&self) -> impl Future<Output = Result<String, PortError>> + Send;

    /// What the issuer says of itself (OpenID Connect Discovery 1.0, section 4), where it does.
    fn discovery(&self) -> impl Future<Output = Result<Option<Value>, PortError>> + Send {
        async { Ok(None) }
    }
}

/// Keys that never change: of the local issuer.
#[derive(Debug, Clone)]
pub struct FixedKeys(pub String);

impl KeySource for FixedKeys {
    async fn keys(&self) -> Result<String, PortError> {
        Ok(self.0.clone())
    }
}

/// Whose tokens are taken, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// `iss`, to the letter.
    pub issuer: String,
    /// `aud`, or one of them.
    pub audience: String,
    /// The claim that holds the tenant's id.
    pub tenant_claim: String,
}

/// Tells callers from strangers.
#[derive(Debug)]
pub struct Access<K> {
    issuer: Issuer,
    source: K,
    keys: Mutex<Known>,
    fetching: AsyncMutex<()>,
    discovered: AsyncMutex<Option<(Option<Value>, Timestamp)>>,
}

#[derive(Debug, Default, Clone)]
struct Known {
    keys: Arc<Vec<Jwk>>,
    fetched_at: Timestamp,
    tried_at: Timestamp,
}

/// Who asks.
#[derive(Debug, Default)]
pub(super) struct Caller {
    subject: String,
    scopes: Scopes,
}

impl Caller {
    /// The token's subject: whose `Idempotency-Key` it is.
    pub(super) fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn may(&self, kind: &str, may: May) -> bool {
        self.scopes.allow(kind, may)
    }

    /// Refuses what the token's scopes don't allow.
    pub(super) fn must(&self, kind: &str, may: May) -> Result<(), Refused> {
        if self.may(kind, may) {
            return Ok(());
        }
        let needed = format!("system/{kind}.{}", may.letter());
        Err(Refused::new(403, Code::Forbidden, format!("the token lacks the scope {needed}"))
            .with("www-authenticate", format!("Bearer error=\"insufficient_scope\", scope=\"{needed}\"")))
    }
}

impl<K: KeySource> Access<K> {
    /// Tokens of this issuer, whose keys come from `source`.
    pub fn new(issuer: Issuer, source: K) -> Self {
        Self {
            issuer,
            source,
            keys: Mutex::default(),
            fetching: AsyncMutex::default(),
            discovered: AsyncMutex::default(),
        }
    }

    /// What the issuer says of itself: asked for once an hour, as its keys are.
    pub(super) async fn discovery(&self, now: Timestamp) -> Result<Option<Value>, PortError> {
        let mut discovered = self.discovered.lock().await;
        if let Some((said, at)) = &*discovered
            && now.since(*at) < KEYS_LIFETIME
        {
            return Ok(said.clone());
        }
        let said = self.source.discovery().await?;
        *discovered = Some((said.clone(), now));
        Ok(said)
    }

    /// Who asks, if it is somebody of this tenant.
    pub(super) async fn caller(
        &self,
        request: &Request,
        tenant: &TenantId,
        now: Timestamp,
    ) -> Result<Caller, Refused> {
        let header = request.header("authorization").unwrap_or_default();
        let text = match header.split_once(' ') {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
            _ => {
                let text = "send a token of the configured issuer: `Authorization: Bearer …`";
                return Err(Refused::new(401, Code::Login, text).with("www-authenticate", "Bearer"));
            }
        };
        let token = Token::parse(text)?;
        let key = self.key(&token, now).await?;
        let expected = Expected { issuer: &self.issuer.issuer, audience: &self.issuer.audience };
        let claims: Claims = token.verify(&key, &expected, now)?;
        if claims.text(&self.issuer.tenant_claim) != Some(tenant.as_str()) {
            return Err(Refused::new(403, Code::Forbidden, "the token is not of this connection's tenant"));
        }
        Ok(Caller {
            subject: claims.text("sub").unwrap_or_default().to_owned(),
            scopes: Scopes::parse(claims.text("scope").unwrap_or_default()),
        })
    }

    /// The key that a token names.
    async fn key(&self, token: &Token<'_>, now: Timestamp) -> Result<Jwk, Refused> {
        let known = self.known();
        let found = token.key_of(&known.keys);
        if let Some(key) = found.filter(|_| now.since(known.fetched_at) < KEYS_LIFETIME) {
            return Ok(key.clone());
        }
        let _alone = self.fetching.lock().await;
        // Another one may have fetched them meanwhile.
        let known = self.known();
        let found = token.key_of(&known.keys);
        let is_fresh = now.since(known.fetched_at) < KEYS_LIFETIME;
        if let Some(key) = found.filter(|_| is_fresh || now.since(known.tried_at) < FETCH_PAUSE) {
            return Ok(key.clone());
        }
        if now.since(known.tried_at) < FETCH_PAUSE {
            return Err(if known.keys.is_empty() { no_keys() } else { Fault::UnknownKey.into() });
        }
        let fetched = self.source.keys().await;
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.tried_at = now;
        match fetched.map(|text| read_keys(&text)) {
            Ok(Some(fresh)) => {
                keys.keys = Arc::new(fresh);
                keys.fetched_at = now;
            }
            Ok(None) => tracing::error!(issuer = %self.issuer.issuer, "the issuer's keys can't be read"),
            Err(error) => tracing::error!(issuer = %self.issuer.issuer, %error, "the issuer gives no keys"),
        }
        // Those from before are good while the issuer is not there.
        match token.key_of(&keys.keys) {
            Some(key) => Ok(key.clone()),
            None if keys.keys.is_empty() => Err(no_keys()),
            None => Err(Fault::UnknownKey.into()),
        }
    }

    fn known(&self) -> Known {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn no_keys() -> Refused {
    let text = "the issuer's keys are not at hand, so no token can be verified: ask again";
    Refused::new(503, Code::Transient, text).with("retry-after", "30")
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        let code = if fault == Fault::Expired { Code::Expired } else { Code::Login };
        let header = format!("Bearer error=\"invalid_token\", error_description=\"{fault}\"");
        Self::new(401, code, fault.to_string()).with("www-authenticate", header)
    }
}
