//! Calling a product's interface: at a healthy endpoint, within the connection's limits, with its token.
//!
//! Reads, polls and writes all come through here, so that one connection is one party to its product, whoever calls.

mod errand;

use std::{sync::Arc, time::Duration};

use bridge_core::{
    Cause, Phi, Timestamp,
    config::{Serves, Sticky},
    manifest::Api,
    remote::{CallError, Party},
};
use bridge_seal::SealError;
use data_encoding::HEXLOWER;

pub use errand::{Ask, Change, Confirmation, Errand};

use crate::{
    bridge::Bridge,
    configuration::Loaded,
    keys::KeyError,
    ports::{Clock, Ports, RemotePorts},
    resilience::{
        endpoint::Pass,
        rates::{Rates, Turn},
        ways::{Pick, Want, Way},
    },
    stage::Failure,
};

/// Longer waits for a limit are not sat out.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is left of the time after a call, to write down what it said.
const AFTERWARDS: Duration = Duration::from_secs(3);
/// The interface's causes for calls that could not be made.
const UNSENT: [&str; 3] = ["api.configuration", "api.address", "api.impossible"];

/// Why an errand came to nothing. Holds no PHI.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The product's answer.
    #[error(transparent)]
    Call(#[from] CallError),
    /// Nothing was called: the product fails, is called as often as it allows, or somebody fetches a token just now. Not
    /// before this.
    #[error("the product fails, or is called as often as it allows: not before {0}")]
    NotBefore(Timestamp),
    /// The product gives no token for what the connection was given: somebody has to look.
    #[error("{0}")]
    Unauthorized(Cause),
    /// The world failed.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What a call says about the interface; nothing where the bridge itself was in the way.
fn health<T>(result: &Result<T, CallError>) -> Option<bool> {
    match result {
        Err(CallError::Throttled(..)) => None,
        Err(error) if UNSENT.contains(&error.cause().code.as_str()) => None,
        Err(CallError::Retry(..) | CallError::Unknown(_)) => Some(false),
        Ok(_) | Err(_) => Some(true),
    }
}

/// Unique for each call. Its text says nothing.
pub(crate) fn nonce() -> Result<String, Failure> {
    let bytes: [u8; 16] = bridge_seal::random_bytes().ok_or(KeyError::Seal(SealError::Seal))?;
    Ok(HEXLOWER.encode(&bytes))
}

impl Loaded {
    /// The interface of the connection's product.
    ///
    /// # Errors
    /// When its adapter has none.
    pub fn api(&self) -> Result<&Api, CallError> {
        let none = || {
            let text = "the adapter does not know how to ask this product: see the adapter's guide";
            CallError::Invalid(Cause::new("api.none", text))
        };
        self.manifest.api.as_deref().ok_or_else(none)
    }
}

impl<P: Ports> Bridge<P> {
    /// The connection as its product sees it, for a call that is over by `deadline`.
    pub(crate) fn party<'a>(&'a self, loaded: &'a Loaded, api: &'a Api, deadline: Timestamp) -> Party<'a> {
        let now = self.now();
        Party {
            connection: &loaded.connection,
            manifest: &loaded.manifest,
            api,
            adapters: self.ports.adapters(),
            now,
            time_left: deadline.since(now).saturating_sub(AFTERWARDS),
        }
    }
}

impl<P: RemotePorts> Bridge<P> {
    /// Runs an errand at one of the endpoints of the connection's product by `deadline`. What one of them does not do goes to
    /// the next, unless it may have changed something there.
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub async fn call_remote<E: Errand<P::Remote>>(
        &self,
        loaded: &Arc<Loaded>,
        errand: &E,
        deadline: Timestamp,
    ) -> Result<E::Done, RemoteError> {
        let api = loaded.api()?;
        let mut ways = loaded.ways(Serves::Interface);
        let connection = loaded.connection.connection.as_str();
        let key = match loaded.failover(Serves::Interface).sticky {
            Some(Sticky::Token) => connection.to_owned(),
            _ if ways.len() > 1 => errand.key(),
            _ => String::new(),
        };
        let mut failed: Option<RemoteError> = None;
        loop {
            let survey = self.survey(&ways).await?;
            let want = Want { key: Some(&key), avoid: None };
            let Pick { way, probe } = match self.pick(&ways, &survey, want) {
                Ok(pick) => pick,
                Err(until) => return Err(failed.unwrap_or(RemoteError::NotBefore(until))),
            };
            // What changes nothing may find out whether a better endpoint is back.
            let way = probe.filter(|_| !errand.changes(api)).unwrap_or(way);
            let stop = match self.call_way(&way, api, errand, deadline).await {
                Ok(done) => return Ok(done),
                Err(Stopped::All(error)) => return Err(error),
                Err(Stopped::Here(error)) => error,
            };
            ways.retain(|other| other.id != way.id);
            // What it answered says more than that another one is to be left alone.
            failed = match failed {
                Some(before) if matches!(stop, RemoteError::NotBefore(_)) => Some(before),
                _ => Some(stop),
            };
            if ways.is_empty() {
                return Err(failed.unwrap_or(RemoteError::NotBefore(self.now())));
            }
        }
    }

    /// The same at one endpoint. A token that is no longer good is renewed, once.
    async fn call_way<E: Errand<P::Remote>>(
        &self,
        way: &Way,
        api: &Api,
        errand: &E,
        deadline: Timestamp,
    ) -> Result<E::Done, Stopped> {
        let loaded = &way.to;
        let token = match self.token(loaded, api, deadline, None).await {
            Ok(token) => token,
            Err(error @ RemoteError::Call(CallError::Retry(..) | CallError::Unknown(_))) => {
                self.leave(&way.id, &Pass::Ordinary, Some(false)).await;
                return Err(Stopped::Here(error));
            }
            Err(error) => return Err(Stopped::All(error)),
        };
        let access = token.as_ref().map(|token| &token.access);
        let done = self.call_once(way, api, errand, access, deadline).await;
        match (done, &token) {
            (Err(Stopped::All(RemoteError::Call(CallError::Unauthenticated(_)))), Some(stale)) => {
                let token = self.token(loaded, api, deadline, Some(stale.number)).await?;
                let access = token.as_ref().map(|token| &token.access);
                self.call_once(way, api, errand, access, deadline).await
            }
            (done, _) => done,
        }
    }

    async fn call_once<E: Errand<P::Remote>>(
        &self,
        way: &Way,
        api: &Api,
        errand: &E,
        token: Option<&Phi<String>>,
        deadline: Timestamp,
    ) -> Result<E::Done, Stopped> {
        let (id, loaded) = (&way.id, &way.to);
        let connection = &id.connection;
        let calls = errand.calls(api);
        let longest = Duration::from_secs(api.timeout) * calls + AFTERWARDS + PATIENCE;
        let pass = match self.enter(id, longest.min(deadline.since(self.now()))).await? {
            Ok(pass) => pass,
            Err(until) => return Err(Stopped::Here(RemoteError::NotBefore(until))),
        };
        let rates = Rates::of_api(api);
        let holder = if rates.seats.is_some() { nonce()? } else { String::new() };
        // Who comes back for a call is not known here, and nobody may go to the end of the row each time.
        let turn = Turn { holder: &holder, first: false, calls, deadline, patience: PATIENCE };
        let seat = match self.within_rates(connection, &rates, &turn).await? {
            Ok(seat) => seat,
            Err(until) => {
                self.leave(id, &pass, None).await;
                return Err(Stopped::All(RemoteError::NotBefore(until)));
            }
        };
        let done = errand.run(self.ports.remote(), self.party(loaded, api, deadline), token).await;
        self.leave(id, &pass, health(&done)).await;
        if let Some(seat) = seat {
            self.leave_seat(connection, &holder, seat).await;
        }
        match done {
            Ok(done) => Ok(done),
            Err(CallError::Throttled(after, cause)) => {
                let after = self.throttled(id, after).await?;
                Err(Stopped::All(CallError::Throttled(Some(after), cause).into()))
            }
            Err(error @ CallError::Retry(..)) => Err(Stopped::Here(error.into())),
            Err(error @ CallError::Unknown(_)) if !errand.changes(api) => Err(Stopped::Here(error.into())),
            Err(error) => Err(Stopped::All(error.into())),
        }
    }
}

/// Why an endpoint did not do an errand.
enum Stopped {
    /// Another one may.
    Here(RemoteError),
    /// No other one would, or it must not be asked.
    All(RemoteError),
}

impl<E: Into<RemoteError>> From<E> for Stopped {
    fn from(error: E) -> Self {
        Self::All(error.into())
    }
}

/// Waits, and says whether there is time for it.
pub(crate) async fn wait_within<P: Ports>(bridge: &Bridge<P>, wait: Duration, deadline: Timestamp) -> bool {
    let enough = deadline.since(bridge.now()) > wait + AFTERWARDS;
    if enough {
        bridge.ports.clock().sleep(wait).await;
    }
    enough
}
