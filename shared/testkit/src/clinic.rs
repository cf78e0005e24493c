//! A product whose records change while it is asked: by point in time, window, read-once queue, newest first, or whole; with
//! tokens that end, a clock of its own, and an answer for those who ask too often.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bridge_core::{
    Cause, Phi, Timestamp,
    remote::{Answer, CallError, Token},
};
use serde_json::{Value, json};

use crate::memory::{Called, Product};

/// Its manifest, but for `poll` of the resource `Patient`, which stands in for `POLL`.
pub const MANIFEST: &str = r"
adapter: clinic
version: 1
title: An invented clinic
secrets: {first: The first refresh token}
api:
  base: https://clinic.example
  auth:
    kind: oauth2
    grant: refresh-token
    refresh-token: first
    token-url: /token
    client: {kind: body, id: us, secret: ours}
  limits: LIMITS
  operations: {since: {}, window: {}, queue: {}, newest: {}, all: {}}
  kinds:
    record: KIND
  resources:
    Patient: {kind: record, identifier: 'urn:clinic', poll: POLL}
";

/// How long a token is good, in milliseconds.
const LIFETIME_MS: i64 = 900_000;

/// What stands in its books.
#[derive(Debug)]
pub struct Book {
    /// State and when it changed, in milliseconds by the clinic's clock, by id.
    records: BTreeMap<u64, (u64, i64)>,
    by_change: BTreeSet<(i64, u64)>,
    queue: VecDeque<u64>,
    handed_out: Vec<(i64, u64, u64)>,
    /// Records on a page.
    pub page: usize,
    /// How far its clock is ahead, in milliseconds.
    pub skew_ms: i64,
    /// So many calls in so many milliseconds.
    pub allows: Option<(usize, i64)>,
    calls: VecDeque<i64>,
    /// Calls that were one too many.
    pub refused: u64,
    /// Calls that were answered.
    pub answered: u64,
    issued: u64,
    access: Option<(String, i64)>,
    /// Records carry when they changed.
    pub stamps: bool,
    /// Its lists lead back to where they begin.
    pub circles: bool,
}

/// A clinic, shared by the test and the world.
#[derive(Debug, Clone)]
pub struct Clinic(Arc<Mutex<Book>>);

impl Clinic {
    /// With empty books and pages of this size.
    pub fn new(page: usize) -> Self {
        Self(Arc::new(Mutex::new(Book {
            records: BTreeMap::new(),
            by_change: BTreeSet::new(),
            queue: VecDeque::new(),
            handed_out: Vec::new(),
            page,
            skew_ms: 0,
            allows: None,
            calls: VecDeque::new(),
            refused: 0,
            answered: 0,
            issued: 0,
            access: None,
            stamps: true,
            circles: false,
        })))
    }

    /// Its books.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// A record gets a state at `now`, true milliseconds.
    pub fn set(&mut self, id: u64, state: u64, now: i64) {
        let at = now + self.skew_ms;
        if let Some((_, before)) = self.records.insert(id, (state, at)) {
            self.by_change.remove(&(before, id));
        }
        self.by_change.insert((at, id));
        self.queue.push_back(id);
    }

    /// A record is removed.
    pub fn remove(&mut self, id: u64) {
        if let Some((_, at)) = self.records.remove(&id) {
            self.by_change.remove(&(at, id));
        }
    }

    /// The states that are in the books now, by id.
    pub fn states(&self) -> BTreeMap<u64, u64> {
        self.records.iter().map(|(id, (state, _))| (*id, *state)).collect()
    }

    /// No token is good any more; from now on refresh token `number` is.
    pub fn revoke(&mut self, number: u64) {
        (self.issued, self.access) = (number, None);
    }

    fn row(&self, id: u64) -> Option<Value> {
        let (state, at) = self.records.get(&id)?;
        let changed = Timestamp::from_millis(at.div_euclid(1000) * 1000).to_string();
        Some(if self.stamps {
            json!({"id": id, "state": state, "changed": changed})
        } else {
            json!({"id": id, "state": state})
        })
    }

    /// A page of ids, and the place after it.
    fn answer(&self, ids: Vec<u64>, next: Option<String>, now: i64) -> Answer {
        let records = ids.iter().filter_map(|id| self.row(*id)).collect();
        let at = http_date(now + self.skew_ms);
        let next = if self.circles { Some("0,0".to_owned()) } else { next };
        Answer {
            records: Phi::new(records),
            next: next.map(Phi::new),
            headers: BTreeMap::from([("date".to_owned(), at)]),
            ..Answer::default()
        }
    }

    fn changed(&self, call: &Called, from: i64, to: i64, now: i64) -> Answer {
        let after =
            call.page.as_ref().map_or(Bound::Included((from, 0)), |page| Bound::Excluded(place(page)));
        let found: Vec<(i64, u64)> = self
            .by_change
            .range((after, Bound::Unbounded))
            .take_while(|(at, _)| at.div_euclid(1000) * 1000 <= to)
            .take(self.page)
            .copied()
            .collect();
        let next = (found.len() == self.page).then(|| found.last().map(text)).flatten();
        self.answer(found.iter().map(|(_, id)| *id).collect(), next, now)
    }

    fn newest(&self, call: &Called, now: i64) -> Answer {
        let before = call.page.as_ref().map_or(Bound::Unbounded, |page| Bound::Excluded(place(page)));
        let all = self.by_change.range((Bound::Unbounded, before));
        let found: Vec<(i64, u64)> = all.rev().take(self.page).copied().collect();
        let next = (found.len() == self.page).then(|| found.last().map(text)).flatten();
        self.answer(found.iter().map(|(_, id)| *id).collect(), next, now)
    }

    fn all(&self, call: &Called, now: i64) -> Answer {
        let after = call.page.as_ref().map_or(0, |page| page.parse().expect("our page"));
        let found: Vec<u64> = self.records.range(after..).take(self.page).map(|(id, _)| *id).collect();
        let next = (found.len() == self.page).then(|| found.last().map(|id| (id + 1).to_string())).flatten();
        self.answer(found, next, now)
    }

    /// Hands out and forgets; with a time, what it handed out in it, as it was.
    fn handed_out(&mut self, call: &Called, now: i64) -> Answer {
        if let Some((from, to)) = argument(call, "from").zip(argument(call, "to")) {
            let from_place = call.page.as_ref().map_or(0, |page| page.parse().expect("our page"));
            let within = |(_, (at, ..)): &(usize, &(i64, u64, u64))| from <= *at && *at <= to;
            let found: Vec<(usize, (u64, u64))> = self
                .handed_out
                .iter()
                .enumerate()
                .skip(from_place)
                .filter(within)
                .take(self.page)
                .map(|(place, (_, id, state))| (place, (*id, *state)))
                .collect();
            let next = (found.len() == self.page).then(|| found.last().map(|(at, _)| (at + 1).to_string()));
            let rows = found.iter().map(|(_, (id, state))| json!({"id": id, "state": state})).collect();
            return Answer {
                records: Phi::new(rows),
                next: next.flatten().map(Phi::new),
                ..Answer::default()
            };
        }
        let mut rows = Vec::new();
        while rows.len() < self.page
            && let Some(id) = self.queue.pop_front()
        {
            if let Some((state, _)) = self.records.get(&id) {
                self.handed_out.push((now + self.skew_ms, id, *state));
                rows.push(json!({"id": id, "state": state}));
            }
        }
        let next = (!self.queue.is_empty()).then(|| Phi::new("more".to_owned()));
        Answer { records: Phi::new(rows), next, ..Answer::default() }
    }

    fn allows(&mut self, now: i64) -> Result<(), CallError> {
        let Some((calls, period)) = self.allows else { return Ok(()) };
        while self.calls.pop_front_if(|at| *at <= now - period).is_some() {}
        if self.calls.len() >= calls {
            self.refused += 1;
            let wait = self.calls.front().map_or(1, |first| first + period - now);
            let wait = Duration::from_millis(wait.unsigned_abs());
            return Err(CallError::Throttled(Some(wait), Cause::new("http.429", "too often")));
        }
        self.calls.push_back(now);
        Ok(())
    }
}

impl Product for Clinic {
    fn authenticate(&mut self, refresh: Option<&str>, now: i64) -> Result<Token, CallError> {
        let mut book = self.book();
        let given: u64 = refresh.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX);
        // The one before the last is honoured, too: an answer may have been lost.
        if given != book.issued && given.wrapping_add(1) != book.issued {
            return Err(CallError::Unauthenticated(Cause::new("oauth.invalid_grant", "not the last one")));
        }
        book.issued += 1;
        let (access, until) = (format!("access-{}", book.issued), now + LIFETIME_MS);
        book.access = Some((access.clone(), until));
        let refresh = Some(Phi::new(book.issued.to_string()));
        Ok(Token { access: Phi::new(access), until: Timestamp::from_millis(until), refresh })
    }

    fn call(&mut self, call: &Called, now: i64) -> Result<Answer, CallError> {
        let mut book = self.book();
        book.allows(now)?;
        let is_good = |(access, until): &(String, i64)| call.token.as_ref() == Some(access) && now < *until;
        if !book.access.as_ref().is_some_and(is_good) {
            return Err(CallError::Unauthenticated(Cause::new("http.401", "not a token that is good now")));
        }
        book.answered += 1;
        let from = || argument(call, "from").expect("from where");
        Ok(match call.operation.as_str() {
            "since" => book.changed(call, from(), i64::MAX, now),
            "window" => book.changed(call, from(), argument(call, "to").expect("up to where"), now),
            "queue" => book.handed_out(call, now),
            "newest" => book.newest(call, now),
            "all" => book.all(call, now),
            other => panic!("no operation {other}"),
        })
    }
}

fn argument(call: &Called, name: &str) -> Option<i64> {
    let text = call.arguments.get(name)?;
    Some(text.parse::<Timestamp>().expect("a time as the manifest says").as_millis())
}

fn text((at, id): &(i64, u64)) -> String {
    format!("{at},{id}")
}

fn place(page: &str) -> (i64, u64) {
    let (at, id) = page.split_once(',').expect("our page");
    (at.parse().expect("our page"), id.parse().expect("our page"))
}

/// As the header `date` says it (RFC 9110, section 5.6.7).
fn http_date(now: i64) -> String {
    let text = Timestamp::from_millis(now).to_string();
    let (day, time) = text.split_once('T').expect("RFC 3339");
    let number: u32 = day[8..].parse().expect("a day");
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        [day[5..7].parse::<usize>().expect("a month") - 1];
    let days = now.div_euclid(86_400_000);
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][days.rem_euclid(7) as usize];
    format!("{weekday}, {number:02} {month} {} {} GMT", &day[..4], &time[..8])
}
