//! NexHealth's Synchronizer, v3.0.0: one interface over many dental systems. A key is exchanged for a token, every answer
//! has an envelope, lists have cursors, and what is written is there only when the office's agent has written it back.
//! <https://docs.nexhealth.com>
//!
//! Not confirmed, and chosen here: a new patient stands at `/data/user`; the base64 under a webhook's signature is not
//! wrapped, and the signature is hex; a throttled call says `Retry-After`.

mod events;
mod list;
mod shapes;
mod slots;
mod write;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    Access, Answer, Book, Clock, Delivery, Request, Seed, Simulator, Status,
    parts::{
        clinic::{Clinic, Place, Visit, Words},
        limits::FixedWindow,
        tokens::Tokens,
    },
};

const API_KEY: &str = "sim-nexhealth-api-key";
const SUBDOMAIN: &str = "sample-dental";
/// The one location of the institution.
const LOCATION: u64 = 1;
const ZONE: &str = "America/New_York";
/// A production token lives an hour.
const TOKEN_LIFE: Duration = Duration::from_secs(3_600);
/// How long the office's agent takes to write something back.
const WRITE_BACK: SignedDuration = SignedDuration::from_secs(20);
const WORDS: Words = Words {
    booked: "booked",
    arrived: "arrived",
    fulfilled: "fulfilled",
    cancelled: "cancelled",
    no_show: "noshow",
    paid: "cash",
};

/// A simulated institution with one location.
#[derive(Debug)]
pub struct NexHealth {
    state: Mutex<State>,
    clock: Clock,
    tokens: Tokens,
    /// For patients and appointments.
    scarce: FixedWindow,
    /// For everything else.
    plenty: FixedWindow,
}

/// What it holds.
#[derive(Debug, Default)]
struct State {
    clinic: Clinic,
    /// What was written and is not in the office's system yet, with the time of the write.
    pending: BTreeMap<u64, Timestamp>,
    /// What the office's system refused.
    refused: Vec<u64>,
    /// The agent refuses what it is to write.
    agent_refuses: bool,
    endpoints: Vec<events::Endpoint>,
    events: Vec<events::Event>,
}

impl Default for NexHealth {
    fn default() -> Self {
        Self::with(Clock::default())
    }
}

impl NexHealth {
    /// An institution whose time is this clock's.
    #[must_use]
    pub fn with(clock: Clock) -> Self {
        let mut state = State::default();
        let place = Place {
            id: LOCATION,
            name: "Testville Dental".to_owned(),
            address: ["1 Sample Street", "Testville", "NY", "00001"].map(str::to_owned),
            phone: "2125550100".to_owned(),
            zone: ZONE,
        };
        state.clinic.places.insert(LOCATION, place);
        Self {
            state: Mutex::new(state),
            clock,
            tokens: Tokens::default(),
            scarce: FixedWindow::new(1_000, 60),
            plenty: FixedWindow::new(2_000, 60),
        }
    }

    /// From now on the office's system refuses, or takes, what is written back.
    pub fn refuse_write_backs(&self, refuse: bool) {
        self.state().agent_refuses = refuse;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, request: &Request) -> Result<(), Answer> {
        if !matches!(request.header("nex-api-version"), Some("v3.0.0" | "v20240412")) {
            return Err(error(400, "Nex-Api-Version must be v3.0.0"));
        }
        if request.path == "/authenticates" {
            return Ok(());
        }
        let now = self.clock.now();
        let token = request.credentials("Bearer").unwrap_or_default();
        self.tokens.who(token, now).ok_or_else(|| error(401, "The token is missing, wrong or expired"))?;
        if request.parameter("subdomain") != Some(SUBDOMAIN) {
            return Err(error(403, "The key has no access to this subdomain"));
        }
        let is_scarce = ["/patients", "/appointments"].iter().any(|path| request.path.starts_with(path));
        let limit = if is_scarce { &self.scarce } else { &self.plenty };
        limit.take(API_KEY, now).map_err(|_| self.throttled())
    }

    fn authenticate(&self, request: &Request) -> Answer {
        if request.method != "POST" || request.header("authorization") != Some(API_KEY) {
            return error(401, "The API key is not valid");
        }
        let token = self.tokens.access(API_KEY, self.clock.now(), TOKEN_LIFE);
        data(201, &json!({"token": token}))
    }

    fn get(&self, request: &Request, path: &[&str]) -> Answer {
        let (state, now) = (self.state(), self.clock.now());
        let clinic = &state.clinic;
        match path {
            ["locations"] => data(200, &Value::Array(clinic.places.values().map(shapes::location).collect())),
            ["operatories"] => list::operatories(request),
            ["providers"] => list::providers(request, clinic),
            ["providers", id] => one(clinic.practitioners.get(&number(id)).map(shapes::provider)),
            ["patients"] => list::patients(request, &state, now),
            ["patients", id] => {
                one(clinic.patients.get(&number(id)).map(|patient| shapes::patient(patient, &state, now)))
            }
            ["insurance_coverages"] => list::coverages(request, clinic),
            ["insurance_coverages", id] => one(list::coverage(clinic, number(id))),
            ["appointments"] => list::appointments(request, &state, now),
            ["appointments", id] => {
                one(clinic.visits.get(&number(id)).map(|visit| shapes::appointment(visit, &state, now)))
            }
            ["available_slots"] => slots::available(request, clinic, now),
            ["charges"] => list::charges(request, clinic),
            ["charges", id] => one(clinic.charges.get(&number(id)).map(shapes::charge)),
            ["payments"] => list::payments(request, clinic),
            ["payments", id] => one(clinic.payments.get(&number(id)).map(shapes::payment)),
            ["sync_status"] => data(200, &json!({"read_status": "green", "write_status": "green"})),
            ["webhook_endpoints"] => state.endpoints(),
            _ => error(404, "Not found"),
        }
    }

    fn change(&self, request: &Request, path: &[&str]) -> Answer {
        let Some(body) = request.json().filter(Value::is_object) else {
            return error(400, "The body is not a JSON object");
        };
        let (mut state, now) = (self.state(), self.clock.now());
        match (request.method.as_str(), path) {
            ("POST", ["appointments"]) => state.book(request, &body, now),
            ("PATCH", ["appointments", id]) => state.change_appointment(number(id), &body, now),
            ("POST", ["patients"]) => state.create_patient(request, &body, now),
            ("POST", ["webhook_endpoints"]) => state.add_endpoint(&body),
            ("POST", ["webhook_endpoints", id, "webhook_subscriptions"]) => {
                state.subscribe(number(id), &body)
            }
            _ => error(404, "Not found"),
        }
    }
}

impl Simulator for NexHealth {
    fn adapter(&self) -> &'static str {
        "nexhealth"
    }

    fn answer(&self, request: &Request) -> Answer {
        if let Err(refusal) = self.admit(request) {
            return refusal;
        }
        let segments = request.segments();
        match (request.method.as_str(), segments.as_slice()) {
            (_, ["authenticates"]) => self.authenticate(request),
            ("GET", path) => self.get(request, path),
            (_, path) => self.change(request, path),
        }
    }

    fn connection(&self, base: &str) -> Access {
        let provider = self.state().clinic.practitioners.keys().next().map(u64::to_string);
        Access::default()
            .zone(ZONE)
            .setting("url", base)
            .setting("default-provider", provider.unwrap_or_default())
            .setting("subdomain", SUBDOMAIN)
            .setting("location", LOCATION.to_string())
            .secret("api-key", API_KEY)
            .secret("webhook-secret", events::SECRET)
    }

    fn seed(&self, seed: &Seed) {
        let now = self.clock.now();
        self.state().clinic.seed(seed, now, &WORDS);
    }

    fn subscribe(&self, url: &str) {
        self.state().subscribe_to_all(url);
    }

    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        let now = self.clock.now();
        let mut state = self.state();
        let ids = state.clinic.touch(resource, count, now);
        if resource == "Appointment" {
            ids.iter().for_each(|id| state.tell("appointment_updated", *id, now));
        }
        ids.iter().map(ToString::to_string).collect()
    }

    fn book(&self) -> Book {
        self.state().clinic.book(status)
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn throttled(&self) -> Answer {
        let now = self.clock.now().as_second();
        error(429, "Too many requests").with_header("retry-after", (60 - now.rem_euclid(60)).to_string())
    }

    fn expire_tokens(&self) {
        self.tokens.expire();
    }

    fn deliveries(&self) -> Vec<Delivery> {
        let now = self.clock.now();
        self.state().deliver(now)
    }
}

impl State {
    /// Whether the office's system has a record: those that were read from it do, those that were written do later.
    fn is_synced(&self, id: u64, now: Timestamp) -> bool {
        let written = self.pending.get(&id);
        written.is_none_or(|at| now.duration_since(*at) >= WRITE_BACK && !self.refused.contains(&id))
    }
}

fn status(visit: &Visit) -> Status {
    match visit.status.as_str() {
        "arrived" => Status::Arrived,
        "fulfilled" => Status::Fulfilled,
        "cancelled" => Status::Cancelled,
        "noshow" => Status::NoShow,
        _ => Status::Booked,
    }
}

fn one(record: Option<Value>) -> Answer {
    record.map_or_else(|| error(404, "Not found"), |record| data(200, &record))
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_default()
}

/// The envelope around everything that went well.
fn data(status: u16, data: &Value) -> Answer {
    Answer::json(status, &json!({"code": true, "description": null, "error": null, "data": data}))
}

/// The envelope around a refusal.
fn error(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({"code": false, "description": text, "error": [text], "data": null}))
}
