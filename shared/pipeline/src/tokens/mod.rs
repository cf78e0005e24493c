//! Tokens of connections: fetched by one process at a time, kept sealed in the ledger, and in memory.
//!
//! A refresh token that is replaced with each use must never be lost, so the order is: lease → ask → write down, with the
//! next refresh token → use. Whoever dies before the answer is there has changed nothing. Whoever dies between the product's
//! answer and the write loses the answer: the next one asks with the refresh token before it. Products that allow for a lost
//! answer honour that; with one that does not, the connection has to be authorised again, and says so. No client can help
//! that: the answer is the only copy of the new token.
//!
//! | record | pk | sk |
//! |---|---|---|
//! | token | `{tenant}#token#{connection}` | `token#{keyed hash of the grant}` |

mod record;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bridge_core::{
    Cause, Phi, Timestamp,
    id::{ConnectionId, EndpointName},
    manifest::Api,
    remote::{Authenticate, CallError, Remote, Signer, Token},
};

use crate::{
    backoff::full_jitter,
    bridge::Bridge,
    configuration::Loaded,
    keys::{Keep, KeyError},
    ledger::{LedgerError, SKEW, docs_write},
    ports::{Clock, Key, Ports, RemotePorts, Store, Write, WriteError},
    remote::{RemoteError, nonce, wait_within},
    resilience::rates::{Rates, Turn},
    stage::Failure,
};
use record::{Secrets, Seen, TokenDoc, binding, grant_of, place};

/// What a product refused is asked for again after this long, in case the product was wrong: or at once when the connection
/// is applied anew.
const REFUSED_FOR: Duration = Duration::from_hours(1);
/// A product that gives no token just now is asked again as after so many failures.
const UNSAID: u32 = 5;
/// How often who waits for another's token looks.
const LOOK: Duration = Duration::from_millis(300);
/// A token is not asked for with less time than this: its answer has to be written down.
const LEAST_TIME: Duration = Duration::from_secs(6);
/// Tries to write down an answer that is the only copy of a refresh token.
const TRIES: u32 = 8;
const A_MOMENT: Duration = Duration::from_millis(100);

/// A token that can be used.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    pub(crate) number: u64,
    pub(crate) access: Phi<String>,
    until: Timestamp,
    version: u32,
}

/// Whose token: the connection's, at one of its endpoints.
type Of = (ConnectionId, Option<EndpointName>);

/// One process's tokens.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<HashMap<Of, Known>>);

impl Tokens {
    fn get(&self, of: &Of, is_good: impl Fn(&Known) -> bool) -> Option<Known> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(of).filter(|known| is_good(known)).cloned()
    }

    fn keep(&self, of: &Of, token: &Known) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(of.clone(), token.clone());
    }
}

impl<P: RemotePorts> Bridge<P> {
    /// The connection's token, where its interface needs one: another one than number `stale`, which was refused.
    ///
    /// # Errors
    /// See [`RemoteError`].
    pub(crate) async fn token(
        &self,
        loaded: &Loaded,
        api: &Api,
        deadline: Timestamp,
        stale: Option<u64>,
    ) -> Result<Option<Known>, RemoteError> {
        if !api.auth.needs_token() {
            return Ok(None);
        }
        let connection = &loaded.connection.connection;
        let is_good = |number: u64, version: u32, until: Timestamp| {
            version == loaded.version && until > self.now() && stale.is_none_or(|stale| number > stale)
        };
        let of = (connection.clone(), loaded.endpoint.clone());
        if let Some(known) = self.tokens.get(&of, |known| is_good(known.number, known.version, known.until)) {
            return Ok(Some(known));
        }
        let grant = grant_of(loaded, &*self.index_key(&connection.tenant()).await.map_err(Failure::from)?);
        let place = place(connection, &grant);
        loop {
            let seen = self.seen_token(&place).await?;
            if is_good(seen.doc.number, seen.doc.version, seen.doc.until) {
                let (known, _) = self.opened(connection, &seen).await?;
                self.tokens.keep(&of, &known);
                return Ok(Some(known));
            }
            let now = self.now();
            if let Some(until) = seen.doc.lease.filter(|until| *until > now) {
                if wait_within(self, LOOK, deadline).await {
                    continue;
                }
                return Err(RemoteError::NotBefore(until));
            }
            let is_same = seen.doc.version == loaded.version;
            if let Some(until) = seen.doc.not_before.filter(|until| is_same && *until > now) {
                return Err(match &seen.doc.refused {
                    Some(cause) => RemoteError::Unauthorized(unauthorized(cause)),
                    None => RemoteError::NotBefore(until),
                });
            }
            if deadline.since(now) < LEAST_TIME {
                return Err(RemoteError::NotBefore(now));
            }
            self.may_ask(connection, api, deadline).await?;
            let base = TokenDoc {
                version: loaded.version,
                lease: Some(deadline + SKEW),
                not_before: None,
                refused: None,
                ..seen.doc.clone()
            };
            // What is sealed stays until there is something newer.
            let sealed = seen.sealed.clone();
            let Ok(rev) = self.put_token(&place, &seen, &base, sealed.clone()).await? else { continue };
            let leased = Seen { rev, doc: base, sealed };
            if let Some(known) = self.fetch(loaded, api, deadline, (&place, leased)).await? {
                self.tokens.keep(&of, &known);
                return Ok(Some(known));
            }
        }
    }

    /// Waits until the token endpoint may be called.
    async fn may_ask(
        &self,
        connection: &ConnectionId,
        api: &Api,
        deadline: Timestamp,
    ) -> Result<(), RemoteError> {
        let turn = Turn { holder: "", first: false, calls: 1, deadline, patience: LEAST_TIME };
        match self.within_rates(connection, &Rates::of_tokens(api), &turn).await? {
            Ok(_) => Ok(()),
            Err(until) => Err(RemoteError::NotBefore(until)),
        }
    }

    /// Asks for a token under a lease. `None`: another was given one meanwhile; look again.
    async fn fetch(
        &self,
        loaded: &Loaded,
        api: &Api,
        deadline: Timestamp,
        (place, leased): (&Key, Seen),
    ) -> Result<Option<Known>, RemoteError> {
        let connection = &loaded.connection.connection;
        let refresh = match &leased.sealed {
            Some(_) => self.opened(connection, &leased).await?.1,
            None => None,
        };
        let nonce = nonce()?;
        let signer = match self.signer(loaded, api).await {
            Ok(signer) => signer,
            Err(error) => return self.not_given(place, leased, error).await,
        };
        let signer = signer.as_ref().map(|signer| signer as &dyn Signer);
        let party = self.party(loaded, api, deadline);
        let ask = Authenticate { party, refresh: refresh.as_ref(), nonce: &nonce, signer };
        match self.ports.remote().authenticate(&ask).await {
            Ok(token) => {
                let token = Token { refresh: token.refresh.or(refresh), ..token };
                self.written_down(connection, (place, leased), token, nonce).await
            }
            Err(error) => self.not_given(place, leased, error).await,
        }
    }

    /// Writes a token down, whatever it takes: only then may it be used.
    async fn written_down(
        &self,
        connection: &ConnectionId,
        (place, leased): (&Key, Seen),
        token: Token,
        nonce: String,
    ) -> Result<Option<Known>, RemoteError> {
        let doc = TokenDoc {
            number: leased.doc.number + 1,
            fetched: nonce,
            until: token.until,
            lease: None,
            ..leased.doc.clone()
        };
        let known = Known {
            number: doc.number,
            access: token.access.clone(),
            until: token.until,
            version: doc.version,
        };
        let plain = docs_write(&Secrets { access: token.access, refresh: token.refresh });
        let id = doc.number.to_string();
        let mut over = leased;
        let mut last = None;
        for attempt in 0..TRIES {
            let sealed = match self.seal(binding(connection, &id), Keep::Lasting, plain.as_bytes()).await {
                Ok(sealed) => sealed,
                Err(error) => {
                    last = Some(Failure::from(error));
                    self.ports.clock().sleep(A_MOMENT * (1 << attempt)).await;
                    continue;
                }
            };
            match self.put_token(place, &over, &doc, Some(sealed)).await {
                Ok(Ok(_)) => return Ok(Some(known)),
                // Written by the try before this one, whose answer was lost.
                Ok(Err(current)) if current.doc.fetched == doc.fetched => return Ok(Some(known)),
                // The lease was over, and another has got one since: theirs is the newer.
                Ok(Err(current)) if current.doc.number >= doc.number => return Ok(None),
                // Another is about to ask with the token that this answer replaces.
                Ok(Err(current)) => over = current,
                Err(error) => {
                    last = Some(error);
                    self.ports.clock().sleep(A_MOMENT * (1 << attempt)).await;
                }
            }
        }
        Err(last.unwrap_or_else(|| LedgerError::Contended.into()).into())
    }

    /// Writes down why there is none.
    async fn not_given(
        &self,
        place: &Key,
        leased: Seen,
        error: CallError,
    ) -> Result<Option<Known>, RemoteError> {
        let mut doc = TokenDoc { lease: None, ..leased.doc.clone() };
        let now = self.now();
        let told = match &error {
            CallError::Throttled(after, _) | CallError::Retry(after, _) => {
                doc.not_before = Some(now + after.unwrap_or_else(|| self.unsaid()));
                RemoteError::Call(error)
            }
            CallError::Unknown(_) => {
                doc.not_before = Some(now + self.unsaid());
                RemoteError::Call(error)
            }
            refused => {
                doc.not_before = Some(now + REFUSED_FOR);
                doc.refused = Some(refused.cause().clone());
                RemoteError::Unauthorized(unauthorized(refused.cause()))
            }
        };
        match self.put_token(place, &leased, &doc, leased.sealed.clone()).await? {
            // A late word: another has got one since.
            Err(current) if current.doc.number > doc.number => Ok(None),
            Ok(_) | Err(_) => Err(told),
        }
    }

    fn unsaid(&self) -> Duration {
        full_jitter(UNSAID, self.ports.clock().chance())
    }
}

impl<P: Ports> Bridge<P> {
    async fn seen_token(&self, place: &Key) -> Result<Seen, Failure> {
        let record = self.ports.store().get(place).await?;
        Ok(Seen::of(record)?)
    }

    /// The new revision, or what stands there.
    async fn put_token(
        &self,
        place: &Key,
        over: &Seen,
        doc: &TokenDoc,
        sealed: Option<Vec<u8>>,
    ) -> Result<Result<u64, Seen>, Failure> {
        let write: Write = over.replaced(place, doc, sealed, self.now());
        match self.ports.store().write(vec![write]).await {
            Ok(()) => Ok(Ok(over.rev + 1)),
            Err(WriteError::Conflict { current, .. }) => Ok(Err(Seen::of(current.map(|record| *record))?)),
            Err(WriteError::Failed(error)) => Err(error.into()),
        }
    }

    /// What is sealed in a record: the token, and the refresh token.
    async fn opened(
        &self,
        connection: &ConnectionId,
        seen: &Seen,
    ) -> Result<(Known, Option<Phi<String>>), Failure> {
        let TokenDoc { number, until, version, .. } = seen.doc;
        let sealed = seen.sealed.as_deref().ok_or(KeyError::Expired)?;
        let plain = self.open(binding(connection, &number.to_string()), sealed).await?;
        let secrets: Secrets =
            serde_json::from_slice(plain.expose()).map_err(|_| LedgerError::Unreadable("token"))?;
        let known = Known { number, access: secrets.access, until, version };
        Ok((known, secrets.refresh))
    }
}

fn unauthorized(cause: &Cause) -> Cause {
    let text = format!(
        "the connection needs to be authorised again: {} ({}). Apply it with its new secret",
        cause.text, cause.code
    );
    Cause::new("connection.unauthorized", text).at(cause.place.clone())
}
