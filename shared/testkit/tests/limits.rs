//! Limits of products, kept and used, in virtual time: many processes with work piled up, calls that take now more and now
//! less time, clocks that are some milliseconds apart, and a receiver that counts for itself and refuses what is too much.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bridge_adapters::Catalog;
use bridge_core::{
    Cause, Phi,
    manifest::{Adapters as _, Auth, Limit, Manifest},
    remote::{Answer, CallError, Written},
};
use bridge_pipeline::{
    ports::Clock as _,
    remote::{Ask, RemoteError},
};
use bridge_testkit::{
    load::Load,
    memory::{Called, Product, lock},
    sim::DESTINATION,
};
use serde_json::Value;

/// A process that waits for a moment does nothing else: a high limit takes some of them, one for so many calls a second.
const CALLS_PER_PROCESS: f64 = 5.0;
const FEWEST_PROCESSES: u64 = 16;

/// All profiles, each for longer: `LIMITS=all`.
#[expect(clippy::disallowed_methods, reason = "a test has no other way to be told its size")]
fn is_whole() -> bool {
    std::env::var("LIMITS").is_ok_and(|limits| limits == "all")
}

fn periods() -> u32 {
    if is_whole() { 12 } else { 4 }
}

/// What is used at least of what is allowed, and refused at most of what is called.
const USED: f64 = 0.9;
const REFUSED: f64 = 0.01;

/// A limit, or several at once, and for how many seconds it is watched.
#[derive(Debug)]
struct Profile {
    name: String,
    limits: Vec<Limit>,
    seconds: f64,
}

fn limit(calls: u32, seconds: u32) -> Limit {
    Limit { calls, seconds, on_the_clock: false }
}

fn on_the_clock(calls: u32, seconds: u32) -> Limit {
    Limit { calls, seconds, on_the_clock: true }
}

impl Profile {
    fn new(name: impl Into<String>, limits: Vec<Limit>) -> Self {
        // So many of the longest periods, and most of a minute at least.
        let longest = limits.iter().map(|limit| limit.seconds).max().unwrap_or(1);
        let seconds = if longest >= 3600 { 2 * longest } else { (periods() * longest).clamp(40, 600) };
        Self { name: name.into(), limits, seconds: f64::from(seconds) }
    }

    /// For how many seconds it is watched from `began` on: to the end of a period of the clock, where it goes by the clock.
    fn watched(&self, began: f64) -> f64 {
        let by_clock = self.limits.iter().filter(|limit| limit.on_the_clock).map(|limit| limit.seconds).max();
        by_clock.map_or(self.seconds, |period| {
            let period = f64::from(period);
            ((began + self.seconds) / period).ceil() * period - began
        })
    }

    /// The most calls that any caller could make in that time.
    fn allowed(&self, began: f64) -> f64 {
        let of = |limit: &Limit| {
            let period = f64::from(limit.seconds);
            let began_in = if limit.on_the_clock { began.rem_euclid(period) } else { 0.0 };
            f64::from(limit.calls) * ((began_in + self.watched(began)) / period).ceil()
        };
        self.limits.iter().map(of).fold(f64::MAX, f64::min)
    }

    /// How much of the allowance was used, and how many of the calls were refused.
    fn run(&self, forgets: Option<&'static str>) -> (f64, f64) {
        let a_second = |limit: &Limit| f64::from(limit.calls) / f64::from(limit.seconds);
        let rate = self.limits.iter().map(a_second).fold(f64::MAX, f64::min);
        let processes = FEWEST_PROCESSES.max((rate / CALLS_PER_PROCESS) as u64);
        let mut load = Load::limited(&self.limits, processes, forgets);
        let (seconds, allowed) = (self.watched(load.began()), self.allowed(load.began()));
        let notes = (allowed * 1.1) as usize + 30;
        // A lane has one delivery under way: of a high limit it takes many.
        load.pile_up(notes, notes.clamp(40, 400));
        load.run(seconds, 0, 1);
        let calls = load.calls(DESTINATION, 0.0, seconds) as f64;
        let used = load.delivered(DESTINATION, 0.0, seconds) as f64 / allowed;
        (used, load.refused() as f64 / calls)
    }
}

/// What the adapters of this repository declare: by the interface, or where tokens are given out.
fn declared() -> Vec<Profile> {
    let catalog = Catalog::builtin();
    let mut profiles = Vec::new();
    let mut add = |name: String, limits: &[Limit]| {
        if !limits.is_empty() {
            profiles.push(Profile::new(name, limits.to_vec()));
        }
    };
    let names: Vec<String> = catalog.names().map(str::to_owned).collect();
    for name in &names {
        let Some(manifest) = catalog.manifest(name) else { continue };
        let Manifest { api, deliver, .. } = &*manifest;
        if let Some(api) = api {
            add(format!("{name}: interface"), &api.limits);
            if let Auth::Oauth2(oauth) = &api.auth {
                add(format!("{name}: tokens"), &oauth.limits);
            }
        }
        if let Some(deliver) = deliver {
            add(format!("{name}: deliveries"), &deliver.limits);
        }
    }
    profiles
}

/// What products are said to allow where no adapter can know it: by tiers of keys, or in what is not confirmed.
fn said() -> Vec<Profile> {
    let profile = |name: &str, limits: &[Limit]| Profile::new(name, limits.to_vec());
    let mut profiles = vec![
        profile("one in five seconds", &[limit(1, 5)]),
        profile("one a second", &[limit(1, 1)]),
        profile("five a second", &[limit(5, 1)]),
        profile("60 a minute and 180 a minute", &[limit(60, 60), limit(180, 60)]),
        profile("60 a minute by the clock, ten a second", &[on_the_clock(60, 60), limit(10, 1)]),
        profile("50 a second", &[limit(50, 1)]),
    ];
    if is_whole() {
        profiles.extend([
            profile("100 a second", &[limit(100, 1)]),
            profile("250 a second", &[limit(250, 1)]),
            profile("2000 a minute", &[limit(2000, 60)]),
        ]);
    }
    profiles
}

#[test]
fn every_limit_is_kept_and_nearly_used_up() {
    let mut failed = Vec::new();
    println!("{:<44} {:>8} {:>8}", "limit", "used", "refused");
    for profile in said().into_iter().chain(declared()) {
        let (used, refused) = profile.run(None);
        println!("{:<44} {used:>8.3} {refused:>8.4}", profile.name);
        if used < USED || refused > REFUSED {
            failed.push(profile.name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn a_limit_that_nobody_keeps_is_noticed() {
    let (_, refused) = Profile::new("200 a minute", vec![limit(200, 60)]).run(Some("slices"));
    println!("200 a minute, leases forgotten: {refused:.4} refused");
    assert!(refused > REFUSED);
}

/// A product whose interface takes so many calls a second from everybody together.
const INTERFACE: &str = r"
adapter: profile
version: 1
title: A profile
settings: {url: {about: where}}
secrets: {signing: A key}
api:
  base: '{url}'
  auth: {kind: basic, user: '{signing}'}
  limits: [{calls: 20, seconds: 1}]
  operations: {list: {path: /list}, make: {method: POST, path: /make}}
  resources:
    Patient:
      kind: patient
      identifier: urn:profile:patient
      write: [{on: create, operation: make, record: ''}]
deliver: {transport: {kind: api}, max-attempts: 100}
";
const A_SECOND: usize = 20;

#[derive(Debug, Default)]
struct Counts {
    /// When it was called within the last second.
    latest: Vec<i64>,
    asked: usize,
    written: usize,
    refused: usize,
    /// The longest that an asker waited for an answer, in milliseconds.
    longest: i64,
}

#[derive(Debug, Default, Clone)]
struct Counting(Arc<Mutex<Counts>>);

impl Counting {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap()
    }

    fn took(&self, millis: i64) {
        let mut counts = self.counts();
        counts.longest = counts.longest.max(millis);
    }

    fn take(&self, now: i64) -> Result<(), CallError> {
        let mut counts = self.counts();
        counts.latest.retain(|at| *at > now - 1000);
        if counts.latest.len() >= A_SECOND {
            counts.refused += 1;
            let cause = Cause::new("http.429", "the product was called too often");
            return Err(CallError::Throttled(Some(Duration::from_secs(1)), cause));
        }
        counts.latest.push(now);
        Ok(())
    }
}

impl Product for Counting {
    fn call(&mut self, _: &Called, now: i64) -> Result<Answer, CallError> {
        self.take(now)?;
        self.counts().asked += 1;
        Ok(Answer::default())
    }

    fn write(&mut self, resource: &Value, _: Option<&str>, now: i64) -> Result<Written, CallError> {
        self.take(now)?;
        self.counts().written += 1;
        Ok(Written { id: Phi::new("1".to_owned()), record: Phi::new(resource.clone()), unconfirmed: false })
    }
}

#[test]
fn deliveries_reads_and_polls_of_one_connection_share_its_limits() {
    const SECONDS: f64 = 60.0;
    const ASKERS: usize = 6;
    let mut load = Load::at_interface(INTERFACE, 8);
    let product = Counting::default();
    lock(&load.practice.world).product = Some(Box::new(product.clone()));
    for _ in 0..ASKERS {
        let product = product.clone();
        load.add(|bridge| async move {
            let (connection, arguments) = (DESTINATION.parse().unwrap(), Phi::new(BTreeMap::new()));
            let mut began = bridge.ports().now();
            loop {
                let loaded = bridge.connection(&connection).await.unwrap().unwrap();
                let ask = Ask { operation: "list", arguments: &arguments, input: None, page: None };
                let now = bridge.ports().now();
                let wait = match bridge.call_remote(&loaded, &ask, now + Duration::from_secs(30)).await {
                    Ok(_) => {
                        product.took(bridge.ports().now().as_millis() - began.as_millis());
                        bridge.ports().sleep(Duration::from_millis(700)).await;
                        began = bridge.ports().now();
                        continue;
                    }
                    Err(RemoteError::NotBefore(until)) => until.since(bridge.ports().now()),
                    Err(RemoteError::Call(CallError::Throttled(after, _))) => after.unwrap_or_default(),
                    Err(error) => panic!("{error}"),
                };
                bridge.ports().sleep(wait).await;
            }
        });
    }
    load.pile_up(1_500, 300);
    load.run(SECONDS, 0, 1);
    let counts = product.counts();
    let calls = (counts.asked + counts.written) as f64;
    let used = calls / (SECONDS * A_SECOND as f64);
    let refused = counts.refused as f64 / calls;
    println!(
        "{used:.3} used and {refused:.4} refused: {} asked and {} written; asked for {} ms at most",
        counts.asked, counts.written, counts.longest
    );
    assert!(used >= USED && refused <= REFUSED);
    assert!(counts.longest <= 15_000, "deliveries starve those who ask");
    assert!(counts.written > counts.asked, "those who ask starve deliveries");
}
