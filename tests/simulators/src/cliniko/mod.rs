//! Cliniko, REST v1: a key with a shard behind it, filters in `q[]`, links between records, and a limit for each user.
//!
//! Options for what is not confirmed: [`Cliniko::us1`-like shards are accepted as they stand](https://docs.api.cliniko.com);
//! the shape of a 422 body is a map of field names to texts.

mod rows;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::{
    Access, Answer, Book, Clock, Request, Seed, Simulator,
    parts::{
        limits::FixedWindow,
        paging::{Page, number},
    },
};
use rows::Row;
use state::State;

/// The key that the simulated practice made. Its last part is the shard.
const KEY: &str = "MS0xLXNpbXVsYXRlZA-au1";

/// A simulated Cliniko account.
#[derive(Debug)]
pub struct Cliniko {
    state: Mutex<State>,
    clock: Clock,
    limit: FixedWindow,
}

impl Default for Cliniko {
    fn default() -> Self {
        Self { state: Mutex::default(), clock: Clock::default(), limit: FixedWindow::new(200, 60) }
    }
}

impl Simulator for Cliniko {
    fn adapter(&self) -> &'static str {
        "cliniko"
    }

    fn answer(&self, request: &Request) -> Answer {
        if let Err(refusal) = self.admit(request) {
            return refusal;
        }
        match (request.method.as_str(), request.segments().as_slice()) {
            ("GET", ["v1", "patients"]) => list("patients", request, &self.state().patients),
            ("GET", ["v1", "practitioners"]) => list("practitioners", request, &self.state().practitioners),
            _ => error(404, "Resource not found"),
        }
    }

    fn connection(&self, base: &str) -> Access {
        Access::default().setting("url", format!("{base}/v1")).secret("api-key", KEY)
    }

    fn seed(&self, seed: &Seed) {
        let now = self.clock.now();
        self.state().seed(seed, now);
    }

    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        let now = self.clock.now();
        self.state().touch(resource, count, now)
    }

    fn book(&self) -> Book {
        self.state().book()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn throttled(&self) -> Answer {
        let next = (self.clock.now().as_second() / 60 + 1) * 60;
        error(429, "Too many requests").with_header("X-RateLimit-Reset", next.to_string())
    }
}

impl Cliniko {
    /// The key, the `User-Agent` and the limit, in the order in which they are looked at.
    fn admit(&self, request: &Request) -> Result<(), Answer> {
        let key = request.basic().map(|(user, _)| user).unwrap_or_default();
        let without_shard = KEY.rsplit_once('-').map_or(KEY, |(key, _)| key);
        if key != KEY && key != without_shard {
            return Err(error(401, "Invalid API key"));
        }
        if !request.header("user-agent").is_some_and(names_a_contact) {
            return Err(error(403, "The User-Agent must name the application and a contact address"));
        }
        self.limit.take(&key, self.clock.now()).map_err(|_| self.throttled())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `APP_NAME (contact@email)`.
fn names_a_contact(agent: &str) -> bool {
    agent.split_once('(').is_some_and(|(name, rest)| {
        !name.trim().is_empty() && rest.split_once(')').is_some_and(|(contact, _)| contact.contains('@'))
    })
}

fn list<R: Row>(name: &str, request: &Request, rows: &[R]) -> Answer {
    let (Some(page), Some(size)) = (
        number(request.parameter("page"), 1, 1, usize::MAX),
        number(request.parameter("per_page"), 50, 1, 100),
    ) else {
        return error(400, "page and per_page must be numbers, per_page up to 100");
    };
    let base = request.base();
    let page = Page::numbered(rows, page, size);
    let rows: Vec<Value> = page.rows.iter().map(|row| row.json(&base)).collect();
    Answer::json(200, &json!({name: rows, "total_entries": page.total, "links": {}}))
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"message": message}))
}
