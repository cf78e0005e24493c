//! athenahealth athenaOne, REST API v1, with its event subscriptions.
//!
//! Simulated as documented: client credentials with a token endpoint that may be called 50 times a minute, forms in and JSON
//! out, single records as lists of one, ids that are numbers here and texts there, `1` or a sentence as the answer to a
//! change, gateway errors that are not JSON, slots that are appointments, a new id for what was rescheduled, change queues
//! that forget what they have handed out, signed notifications that hold ids alone.
//!
//! Not documented, and so a choice of the simulator: a slot that is taken is refused with 409, limits are 100 calls a second
//! and 100,000 a day, times of a change queue are the practice's.

mod feeds;
mod hooks;
mod queries;
mod records;
mod scheduling;
mod writes;

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::{
    Access, Answer, Book, Clock, Delivery, Request, Seed, Simulator, Status,
    parts::{
        clinic::{Clinic, Stamps, Visit, Words},
        limits::FixedWindow,
        tokens::Tokens,
    },
};

/// Who may call. They open nothing but the simulator.
const CLIENT: (&str, &str) = ("athena-app", "athena-app-not-a-secret");
const HUB_SECRET: &str = "athena-hub-not-a-secret";
const PRACTICE: &str = "999001";
/// Where the practice is: times outside of a department are in this zone.
const ZONE: &str = "America/New_York";
const LIFE: Duration = Duration::from_secs(3_600);
/// Not shown: the interface says `x` and sets a flag.
const NO_SHOW: &str = "n";
const WORDS: Words =
    Words { booked: "f", arrived: "2", fulfilled: "4", cancelled: "x", no_show: NO_SHOW, paid: "CASH" };

/// The product, for one practice and one application.
#[derive(Debug)]
pub struct Athenahealth {
    clock: Clock,
    tokens: Tokens,
    token_calls: FixedWindow,
    per_second: FixedWindow,
    daily: FixedWindow,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    clinic: Clinic,
    feeds: feeds::Feeds,
    hooks: hooks::Hooks,
}

impl State {
    /// Something happened to a record: the change queues and the subscriptions learn it.
    fn note(&mut self, event: feeds::Event, id: u64, now: Timestamp) {
        self.feeds.note(event, id);
        self.hooks.note(event, id, now);
    }
}

impl Default for Athenahealth {
    fn default() -> Self {
        Self {
            clock: Clock::default(),
            tokens: Tokens::default(),
            token_calls: FixedWindow::new(50, 60),
            per_second: FixedWindow::new(100, 1),
            daily: FixedWindow::new(100_000, 86_400),
            state: Mutex::default(),
        }
    }
}

impl Simulator for Athenahealth {
    fn adapter(&self) -> &'static str {
        "athenahealth"
    }

    fn answer(&self, request: &Request) -> Answer {
        let segments = request.segments();
        if let ("POST", ["oauth2", "v1", "token"]) = (request.method.as_str(), segments.as_slice()) {
            return self.token(request);
        }
        let now = self.clock.now();
        if request.credentials("Bearer").and_then(|token| self.tokens.who(token, now)).is_none() {
            return Answer::json(
                401,
                &json!({"error": "Unauthorized", "detailedmessage": "The token is not valid."}),
            );
        }
        let counted = self.per_second.take(CLIENT.0, now).and_then(|()| self.daily.take(CLIENT.0, now));
        if counted.is_err() {
            return self.throttled();
        }
        match segments.as_slice() {
            ["v1", PRACTICE, rest @ ..] => self.practice(request, rest, now),
            ["v1", ..] => Answer::json(404, &json!({"error": "Invalid practice."})),
            ["fhir", "r4", "Subscription"] if request.method == "POST" => {
                self.state().hooks.subscribe(request)
            }
            _ => Answer::text(596, "<h1>596 Service Not Found</h1>"),
        }
    }

    fn connection(&self, base: &str) -> Access {
        let state = self.state();
        let zones: Vec<String> =
            state.clinic.places.values().map(|place| format!("{}={}", place.id, place.zone)).collect();
        Access::default()
            .setting("url", base)
            .setting("practice-id", PRACTICE)
            .setting(
                "default-department",
                state.clinic.places.keys().next().map(u64::to_string).unwrap_or_default(),
            )
            .setting("department-zones", zones.join(", "))
            .secret("client-id", CLIENT.0)
            .secret("client-secret", CLIENT.1)
            .secret("hub-secret", HUB_SECRET)
    }

    fn seed(&self, seed: &Seed) {
        let now = self.clock.now();
        let mut state = self.state();
        state.clinic.seed(seed, now, &WORDS);
        add_slots(&mut state.clinic, now);
    }

    fn prepare(&self) {
        self.state().feeds.subscribe();
    }

    fn subscribe(&self, url: &str) {
        self.state().hooks.subscribe_to_all(url, HUB_SECRET);
    }

    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        let now = self.clock.now();
        let mut state = self.state();
        let ids = state.clinic.touch(resource, count, now);
        let event = match resource {
            "Appointment" => Some(feeds::Event::UpdateAppointment),
            "Patient" => Some(feeds::Event::UpdatePatient),
            "Practitioner" => Some(feeds::Event::UpdateProvider),
            _ => None,
        };
        if let Some(event) = event {
            ids.iter().for_each(|id| state.note(event, *id, now));
        }
        ids.iter().map(u64::to_string).collect()
    }

    fn book(&self) -> Book {
        self.state().clinic.book(status)
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    /// By the gateway, which does not speak JSON.
    fn throttled(&self) -> Answer {
        Answer::of(429, "text/html", "<h1>Developer Over Rate</h1>")
    }

    fn expire_tokens(&self) {
        self.tokens.expire();
    }

    fn deliveries(&self) -> Vec<Delivery> {
        let State { clinic, hooks, .. } = &mut *self.state();
        hooks.hand_out(clinic)
    }
}

impl Athenahealth {
    fn token(&self, request: &Request) -> Answer {
        let now = self.clock.now();
        if self.token_calls.take(CLIENT.0, now).is_err() {
            return self.throttled();
        }
        let form = form(request);
        let is_known = request.basic().is_some_and(|(id, secret)| (id.as_str(), secret.as_str()) == CLIENT);
        if !is_known {
            return Answer::json(401, &json!({"error": "invalid_client"}));
        }
        if form.get("grant_type") != Some("client_credentials") {
            return Answer::json(400, &json!({"error": "unsupported_grant_type"}));
        }
        let Some(scope) = form.get("scope").filter(|scope| scope.contains("athena/service/Athenanet.MDP"))
        else {
            return Answer::json(400, &json!({"error": "invalid_scope"}));
        };
        let token = self.tokens.access(CLIENT.0, now, LIFE);
        let body = json!({"token_type": "Bearer", "expires_in": LIFE.as_secs(), "access_token": token, "scope": scope});
        Answer::json(200, &body)
    }

    fn practice(&self, request: &Request, path: &[&str], now: Timestamp) -> Answer {
        let state = &mut *self.state();
        match (request.method.as_str(), path) {
            ("GET", ["ping"]) => Answer::json(200, &json!({"pong": "true"})),
            (_, [feed, "changed", rest @ ..]) => state.feeds.answer(&state.clinic, request, feed, rest, now),
            ("GET", ["appointments", rest @ ..]) => scheduling::read(&state.clinic, request, rest),
            (_, ["appointments", rest @ ..]) => scheduling::write(state, request, rest, now),
            ("GET", path) => queries::answer(&state.clinic, request, path),
            (_, path) => writes::answer(state, request, path, now),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of an appointment.
fn status(visit: &Visit) -> Status {
    match visit.status.as_str() {
        "x" => Status::Cancelled,
        NO_SHOW => Status::NoShow,
        "2" => Status::Arrived,
        "3" | "4" => Status::Fulfilled,
        _ => Status::Booked,
    }
}

/// Open times at the half hours of the next ten days, once for each practitioner.
fn add_slots(clinic: &mut Clinic, now: Timestamp) {
    let providers: Vec<(u64, u64)> = clinic.practitioners.values().map(|p| (p.id, p.place)).collect();
    for (practitioner, place) in providers {
        if clinic.visits.values().any(|visit| visit.status == "o" && visit.practitioner == practitioner) {
            continue;
        }
        let zone = clinic.zone(place);
        let today = now.to_zoned(zone.clone()).date();
        for (day, hour) in (1..=10).flat_map(|day| (9..17).map(move |hour| (day, hour))) {
            let start = today.saturating_add(day.days()).at(hour, 30, 0, 0).to_zoned(zone.clone());
            if let Ok(start) = start {
                add_slot(clinic, (practitioner, place, 2), start.timestamp(), 30, now);
            }
        }
    }
}

/// An open time of a provider, a department and a kind of appointment.
fn add_slot(
    clinic: &mut Clinic,
    (practitioner, place, kind): (u64, u64, u64),
    start: Timestamp,
    minutes: i64,
    now: Timestamp,
) -> u64 {
    let id = clinic.number();
    let visit = Visit {
        id,
        patient: None,
        practitioner,
        place,
        start,
        minutes,
        kind,
        room: 0,
        status: "o".to_owned(),
        reason: String::new(),
        note: String::new(),
        is_deleted: false,
        stamps: Stamps::new(now),
    };
    clinic.visits.insert(id, visit);
    id
}

/// The fields of a form; those of the query of a call without a body.
struct Form(Vec<(String, String)>);

impl Form {
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name)?.parse().ok()
    }
}

/// JSON in a body is not looked at: forms alone are.
fn form(request: &Request) -> Form {
    let is_form =
        request.header("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
    Form(if is_form { request.form() } else { request.query.clone() })
}

fn error(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({"error": text}))
}

fn missing(fields: &[&str]) -> Answer {
    Answer::json(400, &json!({"error": "Additional fields are required.", "missingfields": fields}))
}

/// Those of `fields` that are not there.
fn require(form: &Form, fields: &[&str]) -> Result<(), Answer> {
    let absent: Vec<&str> = fields.iter().copied().filter(|field| form.get(field).is_none()).collect();
    if absent.is_empty() { Ok(()) } else { Err(missing(&absent)) }
}

/// A list of one.
fn single(record: Option<Value>, what: &str) -> Answer {
    record.map_or_else(
        || error(404, &format!("The {what} does not exist.")),
        |record| Answer::json(200, &json!([record])),
    )
}
