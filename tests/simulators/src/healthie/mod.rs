//! Healthie, GraphQL.
//!
//! Simulated as documented: one address, a key that is sent as it is behind `Basic`, versions by date that decide whether a
//! list is a connection, documents checked against the schema, limits of complexity and depth, errors with status 200 in two
//! places (`errors` and `messages`), times in the zone of the key's owner, deleted appointments that are in no list, and thin
//! webhooks with a signature of Healthie's own.
//!
//! Not documented, and so a choice of the simulator: 250 calls a second, and that a list of patients holds archived ones.
//! What was to be refused from 2027-01-31 on is accepted: the simulator's practice has all the time of the world.

mod graphql;
mod hooks;
mod mutations;
mod queries;
mod records;
mod schema;

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use self::{graphql::Problem, schema::Schema};
use crate::{
    Access, Answer, Book, Clock, Delivery, Request, Seed, Simulator, Status,
    parts::{
        clinic::{Clinic, Visit, Words},
        limits::FixedWindow,
    },
};

/// Opens nothing but the simulator.
const KEY: &str = "healthie-key-not-a-secret";
const HOOK_SECRET: &str = "whsec_healthie-not-a-secret";
const WORDS: Words = Words {
    booked: "",
    arrived: "Checked-In",
    fulfilled: "Occurred",
    cancelled: "Cancelled",
    no_show: "No-Show",
    paid: "cash",
};
/// Published versions, the earliest first.
const VERSIONS: &[&str] = &[
    "2024-06-01",
    "2024-07-01",
    "2024-10-01",
    "2024-10-20",
    "2024-11-01",
    "2025-01-01",
    "2025-04-01",
    "2025-05-15",
    "2025-07-31",
    "2025-10-15",
    "2025-11-30",
    "2026-01-01",
    "2026-07-01",
];
const BASELINE: &str = "2024-06-01";
const LATEST: &str = "2026-07-01";
/// From here on lists are connections.
const CONNECTIONS: &str = "2026-01-01";

/// The product, for one organization.
#[derive(Debug)]
pub struct Healthie {
    clock: Clock,
    per_second: FixedWindow,
    connections: Schema,
    lists: Schema,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    clinic: Clinic,
    hooks: hooks::Hooks,
}

impl Default for Healthie {
    fn default() -> Self {
        let types = include_str!("schema.graphql");
        Self {
            clock: Clock::default(),
            per_second: FixedWindow::new(250, 1),
            connections: Schema::read(&[types, include_str!("connections.graphql")]),
            lists: Schema::read(&[types, include_str!("lists.graphql")]),
            state: Mutex::default(),
        }
    }
}

impl Simulator for Healthie {
    fn adapter(&self) -> &'static str {
        "healthie"
    }

    fn answer(&self, request: &Request) -> Answer {
        if (request.method.as_str(), request.path.as_str()) != ("POST", "/graphql") {
            return Answer::empty(404);
        }
        let now = self.clock.now();
        if self.per_second.take(KEY, now).is_err() {
            return self.throttled();
        }
        let is_known = ["Basic", "Bearer"].iter().any(|scheme| request.credentials(scheme) == Some(KEY));
        if !is_known || request.header("authorizationsource") != Some("API") {
            return failed(Problem("You are not signed in.".to_owned(), "UNAUTHENTICATED"), None);
        }
        let given = request.header("healthie-graphql-api-version");
        let version = given.unwrap_or(BASELINE);
        if !VERSIONS.contains(&version) {
            let text = format!(
                "API version '{version}' is no longer supported. Please upgrade to a supported version."
            );
            return failed(Problem(text, "UNSUPPORTED_API_VERSION"), None);
        }
        let Some(body) = request.json() else {
            return Answer::json(400, &json!({"errors": [{"message": "The body is not JSON."}]}));
        };
        let schema = if version < CONNECTIONS { &self.lists } else { &self.connections };
        let document = body.get("query").and_then(Value::as_str).unwrap_or_default();
        let variables = body.get("variables").cloned().unwrap_or_default();
        let warnings = warnings(given);
        let state = &mut *self.state();
        let result =
            graphql::execute(schema, document, &variables, |call| match mutations::work(state, &call, now) {
                Some(result) => result,
                None => queries::work(&state.clinic, &call, now),
            });
        match result {
            Ok(data) => {
                let mut body = json!({"data": data});
                if let (Some(warnings), Value::Object(body)) = (warnings, &mut body) {
                    body.insert("extensions".to_owned(), json!({"warnings": warnings}));
                }
                Answer::json(200, &body)
            }
            Err(problem) => failed(problem, warnings),
        }
    }

    fn connection(&self, base: &str) -> Access {
        Access::default().setting("url", base).secret("api-key", KEY).secret("signing-secret", HOOK_SECRET)
    }

    fn seed(&self, seed: &Seed) {
        self.state().clinic.seed(seed, self.clock.now(), &WORDS);
    }

    fn subscribe(&self, url: &str) {
        self.state().hooks.subscribe(url.to_owned(), hooks::EVENTS.map(str::to_owned).into());
    }

    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        let now = self.clock.now();
        let State { clinic, hooks } = &mut *self.state();
        let ids = clinic.touch(resource, count, now);
        for id in &ids {
            match resource {
                "Appointment" => hooks.note("appointment.updated", *id),
                "Patient" => hooks.note("patient.updated", *id),
                _ => {}
            }
        }
        ids.iter().map(u64::to_string).collect()
    }

    fn book(&self) -> Book {
        self.state().clinic.book(status)
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn throttled(&self) -> Answer {
        failed(Problem("Too many requests. Please try again later.".to_owned(), "TOO_MANY_REQUESTS"), None)
    }

    fn deliveries(&self) -> Vec<Delivery> {
        self.state().hooks.hand_out()
    }
}

impl Healthie {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// With status 200, as everything.
fn failed(problem: Problem, warnings: Option<Value>) -> Answer {
    let Problem(message, code) = problem;
    let error = match code {
        "" => json!({"message": message}),
        code => json!({"message": message, "extensions": {"code": code}}),
    };
    let mut body = json!({"errors": [error]});
    if let (Some(warnings), Value::Object(body)) = (warnings, &mut body) {
        body.insert("extensions".to_owned(), json!({"warnings": warnings}));
    }
    Answer::json(200, &body)
}

/// What is said about a version that will end.
fn warnings(given: Option<&str>) -> Option<Value> {
    let version = given.unwrap_or(BASELINE);
    let missing = given.is_none().then(|| {
        json!({"code": "MISSING_API_VERSION_HEADER", "latest_version": LATEST,
            "message": format!("No version header was sent: {BASELINE} is used.")})
    });
    let sunset = (version != LATEST).then(|| {
        json!({"code": "API_VERSION_SUNSET_WARNING", "requested_version": version, "latest_version": LATEST,
            "sunset_date": "2027-01-31", "message": format!("API version {version} is deprecated.")})
    });
    let warnings: Vec<Value> = missing.into_iter().chain(sunset).collect();
    (!warnings.is_empty()).then_some(Value::Array(warnings))
}

/// What became of an appointment.
fn status(visit: &Visit) -> Status {
    match visit.status.as_str() {
        "Checked-In" => Status::Arrived,
        "Occurred" => Status::Fulfilled,
        "Cancelled" | "Late Cancellation" | "Re-Scheduled" => Status::Cancelled,
        "No-Show" => Status::NoShow,
        _ => Status::Booked,
    }
}

/// Whether an appointment takes its time from others.
fn takes_time(visit: &Visit) -> bool {
    !matches!(status(visit), Status::Cancelled | Status::NoShow)
}
