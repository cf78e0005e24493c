//! The product at the other end of a connection's interface: a test brings one, processes call it through
//! [`Remote`](bridge_core::remote::Remote).

use std::{collections::BTreeMap, fmt::Debug};

use bridge_core::{
    Cause, Timestamp,
    id::ConnectionId,
    manifest::Auth,
    remote::{Answer, ApiCall, Authenticate, CallError, Remote, Token as AccessToken, WriteCall, Written},
};
use bridge_pipeline::ports::RemotePorts;
use serde_json::Value;

use super::{Hook, MemoryPorts, lock};

/// A call as the product sees it.
#[derive(Debug, Clone)]
pub struct Called {
    /// Whose.
    pub connection: ConnectionId,
    /// The address that is called: its setting `url`, where it has one.
    pub at: String,
    /// The operation's name.
    pub operation: String,
    /// Its arguments.
    pub arguments: BTreeMap<String, String>,
    /// Where the list goes on.
    pub page: Option<String>,
    /// The token it carries.
    pub token: Option<String>,
}

/// A product. Times are true milliseconds since 1970.
pub trait Product: Debug + Send {
    /// Gives a token, for a refresh token where the grant is one.
    fn authenticate(&mut self, refresh: Option<&str>, now: i64) -> Result<AccessToken, CallError> {
        let _ = (refresh, now);
        Err(CallError::Invalid(Cause::new("api.none", "this product gives no tokens")))
    }

    /// Answers a call.
    fn call(&mut self, call: &Called, now: i64) -> Result<Answer, CallError>;

    /// Takes a write.
    fn write(&mut self, resource: &Value, id: Option<&str>, now: i64) -> Result<Written, CallError> {
        let _ = (resource, id, now);
        Err(CallError::Invalid(Cause::new("api.none", "this product takes no writes")))
    }

    /// The same, after an attempt that may have been one.
    fn write_again(&mut self, resource: &Value, id: Option<&str>, now: i64) -> Result<Written, CallError> {
        self.write(resource, id, now)
    }

    /// Says whether it has done what it said yes to.
    fn confirm(
        &mut self,
        resource: &Value,
        id: Option<&str>,
        now: i64,
    ) -> Result<Option<Written>, CallError> {
        let _ = (resource, id, now);
        Ok(None)
    }
}

impl<H: Hook> MemoryPorts<H> {
    /// One call that may be made and its answer lost, like any other.
    async fn of_product<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut dyn Product, i64) -> Result<T, CallError> + Send,
    ) -> Result<T, CallError> {
        let answer = self
            .call(operation, |world| {
                let now = world.now;
                let product = world.product.as_mut().expect("a test that calls out brings a product");
                effect(product.as_mut(), now)
            })
            .await;
        // The answer is on its way: whoever dies now never hears it.
        self.hook.pause().await;
        answer.unwrap_or_else(|_| Err(CallError::Unknown(Cause::new("timeout", "no answer in time"))))
    }
}

impl<H: Hook> Remote for MemoryPorts<H> {
    async fn authenticate(&self, ask: &Authenticate<'_>) -> Result<AccessToken, CallError> {
        let first = || match &ask.party.api.auth {
            Auth::Oauth2(oauth) => {
                let secret = ask.party.connection.secrets.get(oauth.refresh_token.as_ref()?)?;
                secret.values().first()
            }
            _ => None,
        };
        let refresh = ask.refresh.or_else(first).map(|token| token.expose().clone());
        let token = self
            .of_product("remote.authenticate", |product, now| product.authenticate(refresh.as_deref(), now));
        // A lifetime is told in seconds: its end is by the clock of who hears it.
        let now = lock(&self.world).now;
        token.await.map(|token| AccessToken {
            until: Timestamp::from_millis(token.until.as_millis() - now + ask.party.now.as_millis()),
            ..token
        })
    }

    async fn call(&self, call: &ApiCall<'_>) -> Result<Answer, CallError> {
        let called = Called {
            connection: call.party.connection.connection.clone(),
            at: call.party.connection.settings.get("url").cloned().unwrap_or_default(),
            operation: call.operation.to_owned(),
            arguments: call.arguments.expose().clone(),
            page: call.page.map(|page| page.expose().clone()),
            token: call.token.map(|token| token.expose().clone()),
        };
        self.of_product("remote.call", |product, now| product.call(&called, now)).await
    }

    async fn write(&self, call: &WriteCall<'_>) -> Result<Written, CallError> {
        let (resource, id, again) =
            (call.resource.expose(), call.id.map(|id| id.expose().as_str()), call.again);
        self.of_product("remote.write", |product, now| match again {
            true => product.write_again(resource, id, now),
            false => product.write(resource, id, now),
        })
        .await
    }

    async fn confirm(&self, call: &WriteCall<'_>) -> Result<Option<Written>, CallError> {
        let (resource, id) = (call.resource.expose(), call.id.map(|id| id.expose().as_str()));
        self.of_product("remote.confirm", |product, now| product.confirm(resource, id, now)).await
    }
}

impl<H: Hook> RemotePorts for MemoryPorts<H> {
    type Remote = Self;
    fn remote(&self) -> &Self {
        self
    }
}
