//! A receiver with an idempotency key: what Practice Studio does with deliveries, and a book of all of it.

use std::collections::{BTreeMap, BTreeSet};

use bridge_core::{
    Cause, Timestamp,
    destination::Outcome,
    id::{ConnectionId, DeliveryId},
    manifest::Limit,
};
use bridge_pipeline::resilience::{Breaker, EndpointId, State};

/// A process may call for this long after a breaker opened, in milliseconds: it knew a state that was seconds old,
/// and its invocation was under way.
const GRACE_MS: i64 = 30_000;

/// The first time that a delivery had an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Its key.
    pub delivery: DeliveryId,
    /// What was delivered.
    pub body: String,
    /// Where to.
    pub destination: ConnectionId,
    /// True time, in milliseconds.
    pub at: i64,
}

/// A call that begins.
#[derive(Debug)]
pub(super) struct Beginning<'a> {
    pub(super) process: u64,
    pub(super) delivery: &'a DeliveryId,
    pub(super) destination: &'a ConnectionId,
    /// Which of its endpoints.
    pub(super) endpoint: &'a EndpointId,
    pub(super) now: i64,
    /// When its process gives it up.
    pub(super) deadline: i64,
    /// What the store says of the destination's breaker.
    pub(super) breaker: Breaker,
}

/// The receiver, and its book.
#[derive(Debug, Default)]
pub struct Receiver {
    /// Effects in order: one per key.
    pub effects: Vec<Effect>,
    /// Calls, repeats included.
    pub calls: u64,
    /// Share of calls that fail without effect.
    pub fail: f64,
    /// Share of those failures that ask for a wait of hours.
    pub puts_off: f64,
    /// Share of calls that have their effect and are not answered.
    pub mute: f64,
    /// Deliveries whose body holds this are rejected, as long as it is set.
    pub rejects: Option<String>,
    /// Every body that reached it, repeats included, where a test wants to hear them.
    pub heard: Option<Vec<String>>,
    /// What went wrong: two attempts at one delivery at the same time, by two living processes.
    pub overlaps: Vec<DeliveryId>,
    /// Destinations whose endpoint fails every call.
    pub down: BTreeSet<ConnectionId>,
    /// Endpoints that fail every call, by their names.
    pub down_at: BTreeSet<String>,
    /// All endpoints of a destination know each other's keys.
    pub one_book: bool,
    /// Calls by the endpoint's name, where it has one.
    pub calls_at: BTreeMap<String, u64>,
    /// Times that somebody asked whether an endpoint is there.
    pub knocks: u64,
    /// What went wrong: what may have happened in one place was sent to another that does not know it.
    pub blind: Vec<String>,
    /// How long an endpoint that is down keeps its callers waiting, in milliseconds.
    pub hang_ms: i64,
    /// All calls: true time in milliseconds, and where to.
    pub log: Vec<(i64, ConnectionId)>,
    /// Calls that were probes.
    pub probes: u64,
    /// What went wrong: calls that the breaker should have held back.
    pub too_early: Vec<String>,
    /// What a destination allows, and refuses above.
    pub allows: Vec<(ConnectionId, Limit)>,
    /// Calls that it refused.
    pub refused: u64,
    /// What no period of so many milliseconds may have more calls than, and how many may be under way at once.
    pub promised: Option<(usize, i64, usize)>,
    /// What went wrong: calls beyond that.
    pub too_many: Vec<String>,
    taken: BTreeMap<ConnectionId, Vec<i64>>,
    keys: BTreeSet<(String, DeliveryId)>,
    /// By endpoint: the process that probes, and when it gives up.
    probing: BTreeMap<EndpointId, (u64, i64)>,
    under_way: BTreeMap<DeliveryId, (u64, i64)>,
    /// Calls whose end nobody has heard of yet: by process, with the book that they are in.
    open: Vec<(u64, DeliveryId, String)>,
    /// Books in which a delivery may stand.
    doubts: BTreeMap<DeliveryId, BTreeSet<String>>,
}

/// The outbox, as a place where a delivery may be.
const OUTBOX: &str = "outbox";

impl Receiver {
    /// A call begins.
    pub(super) fn begin(&mut self, call: &Beginning<'_>) {
        let Beginning { process, delivery, destination, now, deadline, .. } = *call;
        self.calls += 1;
        self.log.push((now, destination.clone()));
        *self.calls_at.entry(call.endpoint.word().to_owned()).or_default() += 1;
        self.watch_breaker(call);
        let book = self.book_of(call.endpoint);
        self.opens(process, delivery, book);
        if let Some((other, until)) = self.under_way.insert(delivery.clone(), (process, deadline))
            && other != process
            && now < until
        {
            self.overlaps.push(delivery.clone());
        }
        if let Some((calls, period, seats)) = self.promised {
            let within = self.log.iter().rev().take_while(|(at, _)| *at > now - period).count();
            let at_once = self.under_way.values().filter(|(_, until)| now < *until).count();
            if within > calls || at_once > seats {
                self.too_many.push(format!("{within} calls within {period} ms, {at_once} at once"));
            }
        }
    }

    /// While a breaker is open nobody calls but the one who was elected to.
    fn watch_breaker(&mut self, call: &Beginning<'_>) {
        let (State::Open { since, .. } | State::Probing { since, .. }) = call.breaker.state else { return };
        let is_late =
            since + std::time::Duration::from_millis(GRACE_MS as u64) < Timestamp::from_millis(call.now);
        if matches!(call.breaker.state, State::Open { .. }) {
            if is_late {
                self.too_early.push(format!("{} is open, and called", call.destination));
            }
            return;
        }
        self.probes += 1;
        let other = self.probing.insert(call.endpoint.clone(), (call.process, call.deadline));
        if is_late && other.is_some_and(|(other, until)| other != call.process && call.now < until) {
            self.too_early.push(format!("{} is probed by two", call.destination));
        }
    }

    /// Who shares this book knows a repeat.
    fn book_of(&self, endpoint: &EndpointId) -> String {
        let name = if self.one_book { "" } else { endpoint.word() };
        format!("{}/{name}", endpoint.connection)
    }

    /// Something is sent to who keeps `book`.
    fn opens(&mut self, process: u64, delivery: &DeliveryId, book: String) {
        let known = self.doubts.get(delivery);
        if let Some(other) = known.and_then(|books| books.iter().find(|other| **other != book)) {
            self.blind.push(format!("{delivery} may be at {other}, and was sent to {book}"));
        }
        self.open.push((process, delivery.clone(), book));
    }

    /// What was sent is answered, or never will be.
    fn closes(&mut self, process: u64, delivery: Option<&DeliveryId>, is_known: bool) {
        let is_it = |open: &(u64, DeliveryId, String)| {
            open.0 == process && delivery.is_none_or(|delivery| open.1 == *delivery)
        };
        for (_, delivery, book) in self.open.extract_if(.., |open| is_it(open)) {
            if !is_known {
                self.doubts.entry(delivery).or_default().insert(book);
            }
        }
    }

    /// A file was put into the outbox.
    pub(super) fn filed(&mut self, process: u64, key: &str, bytes: &[u8], now: i64) {
        let Some((destination, delivery)) = undelivered(key) else { return };
        self.opens(process, &delivery, OUTBOX.to_owned());
        if self.keys.insert((OUTBOX.to_owned(), delivery.clone())) {
            let body = String::from_utf8_lossy(bytes).into_owned();
            self.effects.push(Effect { delivery, body, destination, at: now });
        }
    }

    /// Whoever put a file into the outbox is told so, or is told that it failed.
    pub(super) fn is_told(&mut self, process: u64, key: &str, done: bool) {
        if let Some((_, delivery)) = undelivered(key) {
            self.closes(process, Some(&delivery), done);
        }
    }

    /// Whether an endpoint fails every call.
    pub(super) fn is_down(&self, endpoint: &EndpointId) -> bool {
        self.down.contains(&endpoint.connection) || self.down_at.contains(endpoint.word())
    }

    /// The call of a process ends without an answer.
    pub(super) fn gives_up(&mut self, process: u64, delivery: &DeliveryId) {
        self.closes(process, Some(delivery), false);
        self.end(process, delivery);
    }

    pub(super) fn end(&mut self, process: u64, delivery: &DeliveryId) {
        if self.under_way.get(delivery).is_some_and(|(owner, _)| *owner == process) {
            self.under_way.remove(delivery);
        }
        self.probing.retain(|_, (owner, _)| *owner != process);
    }

    /// How long a caller must wait, where this call is one too many.
    fn refuses(&mut self, destination: &ConnectionId, now: i64) -> Option<std::time::Duration> {
        let limits: Vec<Limit> =
            self.allows.iter().filter(|(of, _)| of == destination).map(|(_, limit)| *limit).collect();
        let taken = self.taken.entry(destination.clone()).or_default();
        for limit in limits {
            let period = i64::from(limit.seconds) * 1000;
            let from = if limit.on_the_clock { now - now.rem_euclid(period) } else { now - period + 1 };
            let within: Vec<i64> = taken.iter().copied().filter(|at| *at >= from).collect();
            if within.len() >= limit.calls as usize {
                let free = if limit.on_the_clock { from + period } else { within[0] + period };
                return Some(std::time::Duration::from_millis((free - now).unsigned_abs()));
            }
        }
        taken.push(now);
        None
    }

    /// A process is gone, and its calls with it.
    pub fn forget(&mut self, process: u64) {
        self.closes(process, None, false);
        self.under_way.retain(|_, (owner, _)| *owner != process);
        self.probing.retain(|_, (owner, _)| *owner != process);
    }

    pub(super) fn answer(&mut self, call: &Beginning<'_>, body: &[u8], roll: f64) -> Outcome {
        let outcome = self.outcome(call, body, roll);
        self.closes(call.process, Some(call.delivery), !matches!(outcome, Outcome::Unknown(_)));
        outcome
    }

    fn outcome(&mut self, call: &Beginning<'_>, body: &[u8], roll: f64) -> Outcome {
        let delivery = call.delivery;
        let text = String::from_utf8_lossy(body).into_owned();
        if let Some(heard) = &mut self.heard {
            heard.push(text.clone());
        }
        if self.is_down(call.endpoint) {
            return Outcome::Retry { after: None, cause: Cause::new("http.503", "the receiver is down") };
        }
        if let Some(after) = self.refuses(call.destination, call.now) {
            self.refused += 1;
            let cause = Cause::new("http.429", "the receiver was called too often");
            return Outcome::Throttled { after: Some(after), cause };
        }
        if self.rejects.as_ref().is_some_and(|mark| text.contains(mark.as_str())) {
            return Outcome::Rejected(Cause::new("http.422", "the receiver rejects it"));
        }
        if roll < self.fail * self.puts_off {
            let after = Some(std::time::Duration::from_hours(8));
            return Outcome::Retry {
                after,
                cause: Cause::new("http.503", "the receiver is closed for the night"),
            };
        }
        if roll < self.fail {
            return Outcome::Retry { after: None, cause: Cause::new("http.500", "the receiver failed") };
        }
        if self.keys.insert((self.book_of(call.endpoint), delivery.clone())) {
            let (delivery, destination) = (delivery.clone(), call.destination.clone());
            self.effects.push(Effect { delivery, body: text, destination, at: call.now });
        }
        if roll < self.fail + self.mute {
            return Outcome::Unknown(Cause::new("timeout", "no answer in time"));
        }
        Outcome::Delivered
    }
}

/// Whose delivery a file in the outbox is: `outbox/{destination}/undelivered/{order}.{delivery}.json`.
pub(super) fn undelivered(key: &str) -> Option<(ConnectionId, DeliveryId)> {
    let (destination, file) = key.strip_prefix("outbox/")?.split_once("/undelivered/")?;
    Some((destination.parse().ok()?, file.split('.').nth(1)?.parse().ok()?))
}
