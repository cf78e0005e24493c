//! DrChrono, REST API v4.
//!
//! Simulated as documented: the authorization code grant with refresh tokens that rotate and end what was before,
//! lists with `next` addresses and at most 250 rows, jobs for bulk reading, 500 calls an hour and 10 a second with
//! a wait that stands only in a sentence, times without a zone, money as number or text, an overlap as 409, changes
//! answered by 204 without the record, deliveries that carry the secret itself.
//!
//! Not documented, and so a choice of the simulator: updated stamps are UTC, `verbose` pages have at most 25 rows, and what
//! `availability` looks like. The webhook's address is entered in the product's pages; here `POST /ui/webhooks
//! {"url": …}` stands for them.

mod hooks;
mod jobs;
mod lists;
mod oauth;
mod records;
mod writes;

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::{
    Access, Answer, Book, Clock, Delivery, Request, Seed, Simulator, Status,
    parts::{
        clinic::{Clinic, Visit, Words},
        limits::FixedWindow,
        tokens::Tokens,
    },
};

/// Who may call. They open nothing but the simulator.
const CLIENT: (&str, &str) = ("drchrono-app", "drchrono-app-not-a-secret");
/// What a person's consent gave the application before.
const REFRESH: &str = "drchrono-first-refresh";
/// What the practice typed in beside the webhook's address.
const HOOK_TOKEN: &str = "drchrono-hook-not-a-secret";
const WORDS: Words = Words {
    booked: "Confirmed",
    arrived: "Arrived",
    fulfilled: "Complete",
    cancelled: "Cancelled",
    no_show: "No Show",
    paid: "CASH",
};

/// The product, for one practice and one application.
#[derive(Debug)]
pub struct DrChrono {
    clock: Clock,
    tokens: Tokens,
    hourly: FixedWindow,
    burst: FixedWindow,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    clinic: Clinic,
    jobs: jobs::Jobs,
    hooks: hooks::Hooks,
}

impl Default for DrChrono {
    fn default() -> Self {
        let tokens = Tokens::default();
        tokens.grant(REFRESH, CLIENT.0);
        Self {
            clock: Clock::default(),
            tokens,
            hourly: FixedWindow::new(500, 3_600),
            burst: FixedWindow::new(10, 1),
            state: Mutex::default(),
        }
    }
}

impl Simulator for DrChrono {
    fn adapter(&self) -> &'static str {
        "drchrono"
    }

    fn answer(&self, request: &Request) -> Answer {
        let segments = request.segments();
        match (request.method.as_str(), segments.as_slice()) {
            ("GET", ["o", "authorize"]) => self.authorize(request),
            ("POST", ["o", "token"]) => self.token(request),
            ("POST", ["ui", "webhooks"]) => {
                let url = request.json().and_then(|body| body.get("url")?.as_str().map(str::to_owned));
                self.state().hooks.subscribe(url);
                Answer::empty(204)
            }
            (_, ["api", rest @ ..]) => self.api(request, rest),
            _ => detail(404, "Not found."),
        }
    }

    fn connection(&self, base: &str) -> Access {
        let zones =
            self.state().clinic.places.values().map(|place| format!("{}={}", place.id, place.zone)).collect();
        let zones: Vec<String> = zones;
        Access::default()
            .setting("url", base)
            .setting("office-zones", zones.join(", "))
            .secret("client-id", CLIENT.0)
            .secret("client-secret", CLIENT.1)
            .secret("refresh-token", REFRESH)
            .secret("secret-token", HOOK_TOKEN)
    }

    fn seed(&self, seed: &Seed) {
        let now = self.clock.now();
        let mut state = self.state();
        state.clinic.seed(seed, now, &WORDS);
        records::add_breaks(&mut state.clinic, now);
    }

    fn subscribe(&self, url: &str) {
        self.state().hooks.subscribe(Some(url.to_owned()));
    }

    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        let now = self.clock.now();
        let State { clinic, hooks, .. } = &mut *self.state();
        let ids = clinic.touch(resource, count, now);
        for id in &ids {
            match resource {
                "Appointment" => hooks.note("APPOINTMENT_MODIFY", *id),
                "Patient" => hooks.note("PATIENT_MODIFY", *id),
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
        throttled(30)
    }

    fn expire_tokens(&self) {
        self.tokens.expire();
    }

    fn deliveries(&self) -> Vec<Delivery> {
        let State { clinic, hooks, .. } = &mut *self.state();
        hooks.hand_out(clinic)
    }
}

impl DrChrono {
    fn api(&self, request: &Request, path: &[&str]) -> Answer {
        let now = self.clock.now();
        let Some(token) = request.credentials("Bearer") else {
            return detail(401, "Authentication credentials were not provided.");
        };
        if self.tokens.who(token, now).is_none() {
            return detail(401, "Invalid token.");
        }
        if let Err(until) = self.burst.take(CLIENT.0, now).and_then(|()| self.hourly.take(CLIENT.0, now)) {
            return throttled(seconds_until(until, now));
        }
        let state = &mut *self.state();
        match (request.method.as_str(), path) {
            ("GET", [list]) if list.ends_with("_list") => state.jobs.result(request, now, &state.clinic),
            ("POST", [list]) if list.ends_with("_list") => state.jobs.start(list, request, now),
            ("GET", [list]) => lists::list(&state.clinic, list, request),
            ("GET", [list, id]) => lists::one(&state.clinic, list, id, request),
            ("POST", [list]) => writes::create(state, list, request, now),
            ("PATCH" | "PUT", [list, id]) => writes::change(state, list, id, request, now),
            ("DELETE", ["appointments", id]) => writes::delete(state, id, now),
            _ => detail(405, &format!("Method \"{}\" not allowed.", request.method)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of an appointment.
fn status(visit: &Visit) -> Status {
    match visit.status.as_str() {
        "Arrived" | "Checked In" | "In Room" => Status::Arrived,
        "In Session" | "Complete" => Status::Fulfilled,
        "Cancelled" | "Rescheduled" => Status::Cancelled,
        "No Show" => Status::NoShow,
        _ => Status::Booked,
    }
}

/// Whether an appointment takes its time from others.
fn takes_time(visit: &Visit) -> bool {
    !matches!(status(visit), Status::Cancelled | Status::NoShow)
}

fn detail(status: u16, text: &str) -> Answer {
    Answer::json(status, &json!({"detail": text}))
}

/// What is wrong with a field.
fn invalid(field: &str, text: &str) -> Answer {
    let mut body = serde_json::Map::new();
    body.insert(field.to_owned(), json!([text]));
    Answer::json(400, &Value::Object(body))
}

fn throttled(seconds: i64) -> Answer {
    detail(429, &format!("Request was throttled. Expected available in {seconds} seconds."))
}

fn seconds_until(until: Timestamp, now: Timestamp) -> i64 {
    let wait = until.duration_since(now);
    wait.as_secs() + i64::from(wait > SignedDuration::from_secs(wait.as_secs()))
}
