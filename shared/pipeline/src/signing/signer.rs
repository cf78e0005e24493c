//! Signing for a connection with a key of the key service.

use std::time::Duration;

use bridge_core::{
    Cause,
    manifest::{Api, Auth, ClientAuth, template},
    remote::{CallError, Signed, Signer},
};
use bridge_seal::JwtAlgorithm;

use super::SigningKey;
use crate::{
    bridge::Bridge,
    configuration::Loaded,
    ports::{RemotePorts, Signing},
};

/// A key that is not there is looked for again after this long.
const LATER: Duration = Duration::from_mins(1);

/// The key that signs for a connection.
pub(crate) struct KeySigner<'a, P> {
    ports: &'a P,
    key: SigningKey,
    algorithm: JwtAlgorithm,
}

impl<P: RemotePorts> Bridge<P> {
    /// What signs for a connection; `None` for one that has a key of its own, or need not sign.
    ///
    /// # Errors
    /// When there is no such key now, or the keys can't be read.
    pub(crate) async fn signer(
        &self,
        loaded: &Loaded,
        api: &Api,
    ) -> Result<Option<KeySigner<'_, P>>, CallError> {
        let Some(algorithm) = wanted(loaded, api) else { return Ok(None) };
        let not_now =
            |code, text: String| CallError::Retry(Some(LATER), Cause::new(code, text).at("api.auth.client"));
        let (tenant, now) = (loaded.connection.connection.tenant(), self.now());
        let find = |keys: &[SigningKey]| SigningKey::signing(keys, &tenant, algorithm, now).cloned();
        let keys = self.known_keys(|keys| find(keys).is_some()).await;
        let keys = keys.map_err(|error| not_now("signing.unreadable", error.to_string()))?;
        let none = || {
            let name = algorithm.as_str();
            let text =
                format!("no key signs by {name}: make one with `bridge keys create --algorithm {name}`");
            not_now("signing.no-key", text)
        };
        let key = find(&keys).ok_or_else(none)?;
        Ok(Some(KeySigner { ports: &self.ports, key, algorithm }))
    }
}

/// What the connection's product wants it to sign with, where it has no private key of its own.
fn wanted(loaded: &Loaded, api: &Api) -> Option<JwtAlgorithm> {
    let Auth::Oauth2(oauth) = &api.auth else { return None };
    let ClientAuth::PrivateKeyJwt { key, algorithm, .. } = &oauth.client else { return None };
    let is_given = |name: &&str| !loaded.secret(name).is_empty();
    if template::names(key).ok()?.iter().any(is_given) {
        return None;
    }
    JwtAlgorithm::of(&template::fill(algorithm, |name| loaded.setting(name)).ok()?)
}

impl<P: RemotePorts> Signer for KeySigner<'_, P> {
    fn key_id(&self) -> &str {
        &self.key.kid
    }

    fn algorithm(&self) -> &'static str {
        self.algorithm.as_str()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> Signed<'a> {
        Box::pin(async move {
            let signed = self.ports.signing().sign(&self.key.key, self.algorithm, message).await;
            signed.map_err(|error| {
                tracing::error!(key = self.key.key, %error, "the key service does not sign");
                let text = "the key service does not sign: is its key enabled, and may this function use it?";
                CallError::Retry(None, Cause::new("signing.failed", text).at("api.auth.client"))
            })
        })
    }
}
