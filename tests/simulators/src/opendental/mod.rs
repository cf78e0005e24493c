//! Open Dental, REST v1: two keys in a scheme of its own, bare lists, local time without a zone, booleans as text, and API
//! events that its service posts. <https://www.opendental.com/site/apispecification.html>
//!
//! Not confirmed, and chosen here: refusals are plain text; a `Limit` above the most is refused; `DateTStamp` counts the
//! second that it names.

mod appointments;
mod events;
mod insurance;
mod list;
mod patients;
mod rows;
mod slots;
mod sql;
mod state;

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::{
    Access, Answer, Book, Clock, Delivery, Request, Seed, Simulator,
    parts::{limits::Leaky, paging::number},
};
use list::list;
use rows::Row;
use state::State;

const DEVELOPER_KEY: &str = "simDeveloperKey00";
const CUSTOMER_KEY: &str = "simCustomerKey00";
/// Where the office is.
const ZONE: &str = "America/Chicago";

/// A simulated office, as the remote interface shows it: a hundred rows at most. Its key is of a tier without a throttle.
#[derive(Debug)]
pub struct OpenDental {
    state: Mutex<State>,
    clock: Clock,
    tier: Option<Leaky>,
}

impl Default for OpenDental {
    fn default() -> Self {
        Self::with(Clock::default())
    }
}

impl OpenDental {
    /// An office whose time is this clock's.
    #[must_use]
    pub fn with(clock: Clock) -> Self {
        Self { state: Mutex::new(State::new()), clock, tier: None }
    }

    /// With a key that may call once each so many milliseconds; three calls wait in a queue.
    #[must_use]
    pub fn with_tier(self, millis: u32) -> Self {
        Self { tier: Some(Leaky::new(3, millis)), ..self }
    }

    /// Deletes an appointment, as somebody at the desk may; whether there is one. No list shows that it was there.
    pub fn delete_appointment(&self, number: &str) -> bool {
        let now = self.now();
        self.state().delete_appointment(number, &now)
    }

    fn admit(&self, request: &Request) -> Result<(), Answer> {
        let keys = request.credentials("ODFHIR").and_then(|keys| keys.split_once('/'));
        if keys != Some((DEVELOPER_KEY, CUSTOMER_KEY)) {
            return Err(Answer::text(401, "The API key is not valid."));
        }
        let Some(tier) = &self.tier else { return Ok(()) };
        tier.take(CUSTOMER_KEY, self.clock.now()).map_err(|_| self.throttled())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The office's clock: `2026-03-02 03:00:30`.
    fn now(&self) -> String {
        local(self.clock.now())
    }

    fn get(&self, request: &Request, path: &[&str]) -> Answer {
        let (state, now) = (self.state(), self.now());
        match path {
            ["patients"] | ["patients", "Simple"] => list(request, &state.patients, &now),
            ["patients", number] => one(&state.patients, number, &now),
            ["providers"] => list(request, &state.providers, &now),
            ["operatories"] => list(request, &state.operatories, &now),
            ["operatories", number] => one(&state.operatories, number, &now),
            ["appointments"] => list(request, &state.appointments, &now),
            ["appointments", "Slots"] => slots::free(request, &state, self.clock.now()),
            ["appointments", number] => one(&state.appointments, number, &now),
            ["procedurelogs"] => list(request, &state.procedures, &now),
            ["procedurelogs", number] => one(&state.procedures, number, &now),
            ["payments"] => list(request, &state.payments, &now),
            ["familymodules", number, "Insurance"] => match state.insurances_of(number) {
                Some(rows) => Answer::json(200, &Value::Array(rows)),
                None => missing(),
            },
            ["subscriptions"] => state.subscriptions(),
            _ => missing(),
        }
    }

    /// The rows of a query, a hundred at a time.
    fn query(&self, request: &Request) -> Answer {
        let body = request.json().unwrap_or_default();
        let (Some(command), Some(offset)) =
            (text_in(&body, "SqlCommand"), number(request.parameter("Offset"), 0, 0, usize::MAX))
        else {
            return refused("SqlCommand is required, and Offset is a number.");
        };
        if !command.trim_start().starts_with("SELECT") {
            return Answer::text(401, "The query is not read-only.");
        }
        let state = self.state();
        match sql::run(&command, |name| state.insurances.table(name)) {
            Ok(rows) => {
                let page: Vec<Value> = rows.into_iter().skip(offset).take(list::MOST).collect();
                Answer::json(200, &Value::Array(page))
            }
            Err(why) => refused(why),
        }
    }

    fn change(&self, request: &Request, path: &[&str]) -> Answer {
        let Some(body) = request.json().filter(Value::is_object) else {
            return Answer::text(400, "The body is not a JSON object.");
        };
        let (mut state, now, base) = (self.state(), self.now(), request.base());
        let done = match (request.method.as_str(), path) {
            ("POST", ["patients"]) => state.create_patient(&body, &now),
            ("PUT", ["patients", number]) => state.change_patient(number, &body, &now),
            ("POST", ["appointments"]) => state.book(&body, &now),
            ("PUT", ["appointments", number]) => state.change_appointment(number, &body, &now),
            ("PUT", ["appointments", number, "Break"]) => state.break_appointment(number, &body, &now),
            ("PUT", ["appointments", number, "Confirm"]) => state.confirm(number, &body, &now),
            ("POST", ["payments"]) => state.pay(&body, &now),
            ("POST", ["subscriptions"]) => state.subscribe(&body, &now),
            ("DELETE", ["subscriptions", number]) => state.unsubscribe(number),
            _ => Err(missing()),
        };
        match done {
            Ok(made) if request.method == "POST" => Answer::json(201, &made.row)
                .with_header("location", format!("{base}{}/{}", request.path, made.number)),
            Ok(made) => Answer::json(200, &made.row),
            Err(refusal) => refusal,
        }
    }
}

impl Simulator for OpenDental {
    fn adapter(&self) -> &'static str {
        "opendental"
    }

    fn answer(&self, request: &Request) -> Answer {
        if let Err(refusal) = self.admit(request) {
            return refusal;
        }
        match request.segments().as_slice() {
            ["api", "v1", path @ ..] if request.method == "GET" => self.get(request, path),
            ["api", "v1", "queries", "ShortQuery"] if request.method == "PUT" => self.query(request),
            ["api", "v1", path @ ..] => self.change(request, path),
            _ => missing(),
        }
    }

    fn connection(&self, base: &str) -> Access {
        Access::default()
            .zone(ZONE)
            .setting("url", format!("{base}/api/v1"))
            .setting("queries", "yes")
            .secret("developer-key", DEVELOPER_KEY)
            .secret("customer-key", CUSTOMER_KEY)
    }

    fn seed(&self, seed: &Seed) {
        let now = self.clock.now();
        self.state().seed(seed, now);
    }

    fn subscribe(&self, url: &str) {
        let now = self.now();
        self.state().subscribe_to_all(url, &now);
    }

    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        let now = self.now();
        self.state().touch(resource, count, &now)
    }

    fn book(&self) -> Book {
        self.state().in_book()
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn throttled(&self) -> Answer {
        Answer::text(429, "Too many requests.").with_header("retry-after", "5")
    }

    fn deliveries(&self) -> Vec<Delivery> {
        let now = self.now();
        self.state().events(&now)
    }
}

/// What a change made, and what it is known by.
struct Made {
    number: u64,
    row: Value,
}

impl Made {
    fn of(row: &impl Row, now: &str) -> Self {
        Self { number: row.number(), row: row.json(now) }
    }
}

fn one<R: Row>(rows: &[R], number: &str, now: &str) -> Answer {
    let found = rows.iter().find(|row| row.number().to_string() == number);
    found.map_or_else(missing, |row| Answer::json(200, &row.json(now)))
}

fn missing() -> Answer {
    Answer::text(404, "Not found.")
}

fn refused(why: &str) -> Answer {
    Answer::text(400, why)
}

/// A foreign key in a body: a number, or text with one.
fn key_in(body: &Value, name: &str) -> Option<u64> {
    match body.get(name)? {
        Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    }
}

fn text_in(body: &Value, name: &str) -> Option<String> {
    body.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// On the office's clock, without a zone.
fn local(at: jiff::Timestamp) -> String {
    at.to_zoned(zone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

fn zone() -> TimeZone {
    TimeZone::get(ZONE).unwrap_or(TimeZone::UTC)
}

/// A local time of the office; nothing where it is none.
fn instant(local: &str) -> Option<jiff::Timestamp> {
    let civil = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", local).ok()?;
    zone().to_timestamp(civil).ok()
}

/// Booleans are text.
fn truth(value: bool) -> Value {
    json!(if value { "true" } else { "false" })
}
