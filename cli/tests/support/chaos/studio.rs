//! Practice Studio as a party that can be made to misbehave: it keeps to idempotency keys, and a book of their effects.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bridge_simulators::{Access, Answer, Book, Clock, Request, Seed, Simulator};
use serde_json::{Value, json};

/// What a caller is told to wait when it is told that it calls too often.
const WAIT: Duration = Duration::from_secs(2);

/// The first call with a key.
#[derive(Debug, Clone)]
pub(crate) struct Effect {
    /// Which effect it was.
    pub(crate) place: usize,
    /// Which message it says it is.
    pub(crate) number: usize,
}

/// The receiver.
#[derive(Debug, Default)]
pub(crate) struct Studio {
    clock: Clock,
    effects: Mutex<HashMap<String, Effect>>,
    calls: AtomicUsize,
    refusals: AtomicUsize,
}

impl Studio {
    /// The effects by key.
    pub(crate) fn effects(&self) -> MutexGuard<'_, HashMap<String, Effect>> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls that it worked, repeats among them.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Simulator for Studio {
    fn adapter(&self) -> &'static str {
        "practice-studio"
    }

    fn answer(&self, request: &Request) -> Answer {
        let bundle = request.json().unwrap_or_default();
        let number =
            bundle["entry"][0]["resource"]["description"].as_str().and_then(|text| text.parse().ok());
        let (Some(key), Some(number)) = (request.header("idempotency-key"), number) else {
            return Answer::json(400, &json!({"error": "no key, or not one of the run's messages"}));
        };
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut effects = self.effects();
        let place = effects.len();
        let repeat = effects.contains_key(key);
        effects.entry(key.to_owned()).or_insert(Effect { place, number });
        Answer::json(200, &json!({"repeat": repeat}))
    }

    fn connection(&self, base: &str) -> Access {
        Access::default()
            .zone("America/Chicago")
            .setting("url", format!("{base}/deliveries"))
            .secret("signing-secret", "whsec_Y2hhb3MtdGVzdC1zaWduaW5nLXNlY3JldC0wMDAx")
    }

    fn seed(&self, _: &Seed) {}

    fn touch(&self, _: &str, _: usize) -> Vec<String> {
        Vec::new()
    }

    fn book(&self) -> Book {
        Book::default()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Now in seconds, now as a date (RFC 9110, section 10.2.3).
    fn throttled(&self) -> Answer {
        let answer = Answer::json(429, &Value::Null);
        if self.refusals.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            return answer.with_header("retry-after", WAIT.as_secs().to_string());
        }
        let until = self.clock.now() + WAIT;
        answer.with_header("retry-after", until.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
    }
}
