//! Cliniko, REST v1: a key with a shard behind it, filters in `q[]`, links between records, a limit for each user, and no
//! webhooks. <https://docs.api.cliniko.com>
//!
//! Not confirmed, and chosen here: a refused record is 422 with `{"message", "errors": {field: text}}`; a filter by a
//! field that there is not is 400; a key without its shard is taken as the key.

mod filter;
mod list;
mod rows;
mod state;
mod times;
mod write;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::{Access, Answer, Book, Clock, Request, Seed, Simulator, parts::limits::FixedWindow};
use list::list;
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
        Self::with(Clock::default())
    }
}

impl Cliniko {
    /// An account whose time is this clock's.
    #[must_use]
    pub fn with(clock: Clock) -> Self {
        let state = Mutex::new(State::new(clock.now()));
        Self { state, clock, limit: FixedWindow::new(200, 60) }
    }

    /// With another limit for each minute: a hundred thousand changes take five minutes otherwise.
    #[must_use]
    pub fn with_limit(self, calls: u64) -> Self {
        Self { limit: FixedWindow::new(calls, 60), ..self }
    }

    /// Archives a patient, as somebody at the practice may; whether there is one.
    pub fn archive_patient(&self, id: &str) -> bool {
        let now = self.clock.now();
        self.state().archive_patient(id, now)
    }

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
        self.limit.take(KEY, self.clock.now()).map_err(|_| self.throttled())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, request: &Request, path: &[&str]) -> Answer {
        let state = self.state();
        match path {
            ["patients"] => list(request, &state.patients),
            ["patients", id] => one(request, &state.patients, id),
            ["practitioners"] => list(request, &state.practitioners),
            ["practitioners", id] => one(request, &state.practitioners, id),
            ["businesses"] => list(request, &state.businesses),
            ["businesses", id] => one(request, &state.businesses, id),
            ["appointment_types"] => list(request, &state.types),
            ["appointment_types", id] => one(request, &state.types, id),
            ["individual_appointments"] => list(request, &state.appointments),
            ["individual_appointments", id] => one(request, &state.appointments, id),
            ["individual_appointments", id, "conflicts"] => state.conflicts(id),
            ["invoices"] => list(request, &state.invoices),
            ["invoices", id] => one(request, &state.invoices, id),
            ["invoice_items"] => list(request, &state.items),
            ["invoice_items", id] => one(request, &state.items, id),
            [
                "businesses",
                business,
                "practitioners",
                practitioner,
                "appointment_types",
                kind,
                "available_times",
            ] => times::available(request, &state, (business, practitioner, kind), self.clock.now()),
            _ => error(404, "Resource not found"),
        }
    }

    fn change(&self, request: &Request, path: &[&str]) -> Answer {
        let Some(body) =
            request.json().filter(Value::is_object).or(request.body.is_empty().then(|| json!({})))
        else {
            return error(400, "The body is not a JSON object");
        };
        let (mut state, now, base) = (self.state(), self.clock.now(), request.base());
        match (request.method.as_str(), path) {
            ("POST", ["patients"]) => state.create_patient(&body, now, &base),
            ("PATCH" | "PUT", ["patients", id]) => state.change_patient(id, &body, now, &base),
            ("POST", ["patients", id, "archive"]) => match state.archive_patient(id, now) {
                true => Answer::empty(204),
                false => error(404, "Resource not found"),
            },
            ("POST", ["individual_appointments"]) => state.book_appointment(&body, now, &base),
            ("PATCH" | "PUT", ["individual_appointments", id]) => {
                state.change_appointment(id, &body, now, &base)
            }
            ("PATCH", ["individual_appointments", id, "cancel"]) => state.cancel_appointment(id, &body, now),
            ("POST", ["individual_appointments", id, "archive"])
            | ("DELETE", ["individual_appointments", id]) => state.archive_appointment(id, now),
            _ => error(404, "Resource not found"),
        }
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
        match request.segments().split_first() {
            Some((&"v1", path)) if request.method == "GET" => self.get(request, path),
            Some((&"v1", path)) => self.change(request, path),
            _ => error(404, "Resource not found"),
        }
    }

    fn connection(&self, base: &str) -> Access {
        let state = self.state();
        let first = |id: Option<u64>| id.unwrap_or_default().to_string();
        Access::default()
            .zone("Australia/Melbourne")
            .setting("url", format!("{base}/v1"))
            .setting("contact", "ops@bridge.invalid")
            .setting("default-business", first(state.businesses.first().map(Row::id)))
            .setting("default-appointment-type", first(state.types.first().map(Row::id)))
            .secret("api-key", KEY)
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

fn one<R: Row>(request: &Request, rows: &[R], id: &str) -> Answer {
    let found = rows.iter().find(|row| row.id().to_string() == id);
    found
        .map_or_else(|| error(404, "Resource not found"), |row| Answer::json(200, &row.json(&request.base())))
}

/// `APP_NAME (contact@email)`.
fn names_a_contact(agent: &str) -> bool {
    agent.split_once('(').is_some_and(|(name, rest)| {
        !name.trim().is_empty() && rest.split_once(')').is_some_and(|(contact, _)| contact.contains('@'))
    })
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"message": message}))
}

/// What is wrong with a record, by field.
fn invalid(field: &str, text: &str) -> Answer {
    Answer::json(422, &json!({"message": "Validation failed", "errors": {field: text}}))
}
