//! OAuth 2 tokens (RFC 6749): they expire, and a refresh token is good for one use where the product rotates it.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

/// What a token endpoint gave out.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<Store>);

#[derive(Debug, Default)]
struct Store {
    /// Access tokens: for whom, until when.
    access: HashMap<String, (String, Timestamp)>,
    /// Refresh tokens that were not used yet: for whom.
    refresh: HashMap<String, String>,
    given: u64,
}

/// A pair of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// For calls.
    pub access: String,
    /// For the next pair.
    pub refresh: String,
}

impl Tokens {
    /// A new access token for `who`, for as long as `life`.
    pub fn access(&self, who: &str, now: Timestamp, life: Duration) -> String {
        let mut store = self.store();
        let token = store.name("access", who);
        let until = now.saturating_add(life).unwrap_or(Timestamp::MAX);
        store.access.insert(token.clone(), (who.to_owned(), until));
        token
    }

    /// A new pair for `who`; the access token lives as long as `life`.
    pub fn pair(&self, who: &str, now: Timestamp, life: Duration) -> Pair {
        let access = self.access(who, now, life);
        let mut store = self.store();
        let refresh = store.name("refresh", who);
        store.refresh.insert(refresh.clone(), who.to_owned());
        Pair { access, refresh }
    }

    /// A refresh token that is known from the start, as if a person had given consent before.
    pub fn grant(&self, refresh: &str, who: &str) {
        self.store().refresh.insert(refresh.to_owned(), who.to_owned());
    }

    /// A new pair for a refresh token, which is spent by it: used again it gives `None`.
    pub fn rotate(&self, refresh: &str, now: Timestamp, life: Duration) -> Option<Pair> {
        let who = self.store().refresh.remove(refresh)?;
        Some(self.pair(&who, now, life))
    }

    /// Whose access token this is, if it is good now.
    #[must_use]
    pub fn who(&self, access: &str, now: Timestamp) -> Option<String> {
        let store = self.store();
        let (who, until) = store.access.get(access)?;
        (now < *until).then(|| who.clone())
    }

    /// Forgets every access token. Refresh tokens stay.
    pub fn expire(&self) {
        self.store().access.clear();
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// A name that was not given before. It guards nothing but a simulator, so it need not be hard to guess.
    fn name(&mut self, kind: &str, who: &str) -> String {
        self.given += 1;
        format!("sim-{kind}-{who}-{}", self.given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn tokens_expire_and_rotate() {
        let tokens = Tokens::default();
        let start = Timestamp::UNIX_EPOCH;
        tokens.grant("first", "app");
        let pair = tokens.rotate("first", start, HOUR).unwrap();
        assert_eq!(tokens.rotate("first", start, HOUR), None, "good for one use");
        assert_eq!(tokens.who(&pair.access, start).as_deref(), Some("app"));
        assert_eq!(tokens.who(&pair.access, start + HOUR), None);
        let next = tokens.rotate(&pair.refresh, start + HOUR, HOUR).unwrap();
        assert_ne!(next, pair);
        tokens.expire();
        assert_eq!(tokens.who(&next.access, start + HOUR), None);
    }
}
