//! An OpenID Connect issuer's keys (OpenID Connect Discovery 1.0, section 4).

use std::time::Duration;

use reqwest::{Client, Url, redirect};
use serde_json::Value;

use crate::NoClient;

/// For each of the two calls.
const TIMEOUT: Duration = Duration::from_secs(5);
/// No issuer has so many keys.
const LARGEST: usize = 256 * 1024;

/// An issuer.
#[derive(Debug)]
pub struct OpenId {
    client: Client,
    issuer: String,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum IssuerError {
    /// There is no issuer.
    #[error("no issuer is configured: set the stack's parameter FhirIssuer")]
    None,
    /// An address that is not asked.
    #[error("{0} must be an https address")]
    Address(&'static str),
    /// It was not there.
    #[error("{0} could not be reached")]
    Unreachable(&'static str),
    /// It answered something else.
    #[error("{0} answered {1}")]
    Status(&'static str, u16),
    /// It answered what can't be used.
    #[error("{0} is not what OpenID Connect Discovery says")]
    Content(&'static str),
}

const DISCOVERY: &str = "the issuer's openid-configuration";
const KEYS: &str = "the issuer's jwks_uri";

impl OpenId {
    /// The issuer of this address, as it stands in tokens.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(issuer: &str) -> Result<Self, NoClient> {
        let client = Client::builder()
            .user_agent(concat!("pms-bridge/", env!("CARGO_PKG_VERSION")))
            // Whoever answers for the issuer is trusted with everything: no other address gets to.
            .redirect(redirect::Policy::none())
            .timeout(TIMEOUT);
        Ok(Self { client: client.build().map_err(NoClient::from)?, issuer: issuer.to_owned() })
    }

    /// Its JSON Web Key Set, as text.
    ///
    /// # Errors
    /// See [`IssuerError`].
    pub async fn keys(&self) -> Result<String, IssuerError> {
        let discovery = self.discovery().await?;
        let keys =
            discovery.get("jwks_uri").and_then(Value::as_str).ok_or(IssuerError::Content(DISCOVERY))?;
        self.get(keys, KEYS).await
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// See [`IssuerError`].
    pub async fn discovery(&self) -> Result<Value, IssuerError> {
        if self.issuer.is_empty() {
            return Err(IssuerError::None);
        }
        let place = format!("{}/.well-known/openid-configuration", self.issuer.trim_end_matches('/'));
        let discovery: Value = serde_json::from_str(&self.get(&place, DISCOVERY).await?)
            .map_err(|_| IssuerError::Content(DISCOVERY))?;
        // Section 4.3: another issuer's configuration would bring another issuer's keys.
        if discovery.get("issuer").and_then(Value::as_str) != Some(self.issuer.as_str()) {
            return Err(IssuerError::Content(DISCOVERY));
        }
        Ok(discovery)
    }

    async fn get(&self, address: &str, what: &'static str) -> Result<String, IssuerError> {
        let url = Url::parse(address).map_err(|_| IssuerError::Address(what))?;
        let is_here =
            matches!(url.host_str(), Some("127.0.0.1" | "localhost")) && self.issuer.starts_with("http://");
        if url.scheme() != "https" && !is_here {
            return Err(IssuerError::Address(what));
        }
        let unreachable = |_| IssuerError::Unreachable(what);
        let mut answer = self.client.get(url).send().await.map_err(unreachable)?;
        if answer.status() != 200 {
            return Err(IssuerError::Status(what, answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST {
                return Err(IssuerError::Content(what));
            }
        }
        String::from_utf8(body).map_err(|_| IssuerError::Content(what))
    }
}
