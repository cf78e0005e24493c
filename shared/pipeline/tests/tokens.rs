//! Tokens: fetched by one process at a time, never used before they are kept, renewed once, and what a revoked one says.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs)]

use std::{
    collections::BTreeMap,
    future::Future as _,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use bridge_core::{
    Cause, Phi, Timestamp,
    config::{Connection, Secret},
    manifest::Manifest,
    remote::{Answer, CallError, Token},
};
use bridge_pipeline::{
    Bridge,
    ports::Clock as _,
    remote::{Ask, RemoteError},
};
use bridge_testkit::{
    memory::{
        Called, Calm, Hook, MemoryAdapters, MemoryPorts, Product, Shared, Stepping, killed_after, lock,
    },
    practice::{Practice, actor},
};
use futures::executor::block_on;

const ADAPTER: &str = r"
adapter: office
version: 1
title: An invented product
secrets: {first: The first refresh token}
api:
  base: https://api.example
  auth:
    kind: oauth2
    grant: refresh-token
    refresh-token: first
    token-url: /token
    client: {kind: body, id: us, secret: ours}
    limits: [{calls: 50, seconds: 60}]
  operations: {list: {path: /list}}
";
const LIFETIME_MS: i64 = 3_600_000;
const NOW: i64 = 1_790_000_000_000;

/// A product whose refresh tokens are good for one use; with `grace` the one before the last is honoured, too.
#[derive(Debug, Default)]
struct Office {
    grace: bool,
    revoked: bool,
    issued: u64,
    asked: u64,
    access: BTreeMap<String, i64>,
    refused_calls: u64,
}

#[derive(Debug, Clone, Default)]
struct Desk(Arc<Mutex<Office>>);

impl Desk {
    fn office(&self) -> MutexGuard<'_, Office> {
        self.0.lock().unwrap()
    }

    /// How often it was asked for a token, and called with one that is not good.
    fn counts(&self) -> (u64, u64) {
        let office = self.office();
        (office.asked, office.refused_calls)
    }
}

impl Product for Desk {
    fn authenticate(&mut self, refresh: Option<&str>, now: i64) -> Result<Token, CallError> {
        let mut office = self.office();
        office.asked += 1;
        let given: u64 = refresh.unwrap().strip_prefix("refresh-").unwrap().parse().unwrap();
        let is_good = given == office.issued || (office.grace && given + 1 == office.issued);
        if office.revoked || !is_good {
            return Err(CallError::Unauthenticated(Cause::new("oauth.invalid_grant", "it was revoked")));
        }
        office.issued += 1;
        let number = office.issued;
        office.access.clear();
        office.access.insert(format!("access-{number}"), now + LIFETIME_MS);
        Ok(Token {
            access: Phi::new(format!("access-{number}")),
            until: Timestamp::from_millis(now + LIFETIME_MS),
            refresh: Some(Phi::new(format!("refresh-{number}"))),
        })
    }

    fn call(&mut self, call: &Called, now: i64) -> Result<Answer, CallError> {
        let mut office = self.office();
        let is_good =
            call.token.as_ref().and_then(|token| office.access.get(token)).is_some_and(|until| now < *until);
        if is_good {
            return Ok(Answer::default());
        }
        office.refused_calls += 1;
        Err(CallError::Unauthenticated(Cause::new("http.401", "the token is not good")))
    }
}

fn adapters() -> MemoryAdapters {
    let manifest: Manifest = serde_norway::from_str(ADAPTER).unwrap();
    let mut adapters = MemoryAdapters::default();
    adapters.manifests.insert("office".to_owned(), Arc::new(manifest));
    adapters
}

fn source(first: &str) -> Connection {
    let mut source = Practice::source();
    source.adapter = "office".to_owned();
    (source.webhook, source.mappings) = (None, BTreeMap::new());
    source.settings.clear();
    source.secrets = BTreeMap::from([("first".to_owned(), Secret::One(Phi::new(first.to_owned())))]);
    source
}

fn practice() -> (Practice, Desk) {
    let practice = Practice::with_adapters(source("refresh-0"), adapters());
    let desk = Desk::default();
    let mut world = lock(&practice.world);
    world.now = NOW;
    world.product = Some(Box::new(desk.clone()));
    drop(world);
    (practice, desk)
}

/// Another process over the same world.
fn process<H: Hook>(world: &Shared, hook: H, skew_ms: i64) -> Bridge<MemoryPorts<H>> {
    Bridge::new(MemoryPorts::new(world.clone(), hook, adapters(), skew_ms, 7))
}

async fn ask<H: Hook>(bridge: &Bridge<MemoryPorts<H>>) -> Result<Answer, RemoteError> {
    let connection = bridge_testkit::sim::CONNECTION.parse().unwrap();
    let loaded = bridge.connection(&connection).await.unwrap().unwrap();
    let arguments = Phi::new(BTreeMap::new());
    let ask = Ask { operation: "list", arguments: &arguments, input: None, page: None };
    bridge.call_remote(&loaded, &ask, bridge.ports().now() + Duration::from_secs(60)).await
}

#[test]
fn a_token_is_fetched_once_and_used_until_it_ends() {
    let (practice, desk) = practice();
    for _ in 0..5 {
        block_on(ask(&practice.bridge)).unwrap();
    }
    block_on(ask(&process(&practice.world, Calm, 1_500))).unwrap();
    assert_eq!(desk.office().asked, 1, "another process finds it in the ledger");
    lock(&practice.world).now += LIFETIME_MS + 1;
    block_on(ask(&practice.bridge)).unwrap();
    assert_eq!(desk.counts(), (2, 0));
}

#[test]
fn a_token_that_is_refused_is_renewed_once() {
    let (practice, desk) = practice();
    block_on(ask(&practice.bridge)).unwrap();
    desk.office().access.clear();
    block_on(ask(&practice.bridge)).unwrap();
    assert_eq!(desk.counts(), (2, 1));
    // One that is refused whatever it is, is not renewed again and again.
    let other = process(&practice.world, Calm, 0);
    desk.office().access.clear();
    block_on(ask(&other)).unwrap();
    assert_eq!(desk.office().asked, 3);
}

#[test]
fn a_revoked_grant_says_that_the_connection_needs_to_be_authorised_again() {
    let (practice, desk) = practice();
    block_on(ask(&practice.bridge)).unwrap();
    desk.office().revoked = true;
    desk.office().access.clear();
    for _ in 0..3 {
        let error = block_on(ask(&practice.bridge)).unwrap_err();
        let RemoteError::Unauthorized(cause) = error else { panic!("{error:?}") };
        assert_eq!(cause.code, "connection.unauthorized");
        assert!(cause.text.contains("needs to be authorised again"), "{}", cause.text);
    }
    assert_eq!(desk.office().asked, 2, "it is not asked for again and again");
    // Somebody authorises it anew.
    desk.office().revoked = false;
    desk.office().issued = 40;
    block_on(practice.bridge.apply_connection(source("refresh-40"), actor())).unwrap();
    block_on(ask(&practice.bridge)).unwrap();
    // And a wrong secret that is taken back loses nothing of the right one.
    block_on(practice.bridge.apply_connection(source("refresh-7"), actor())).unwrap();
    assert!(matches!(block_on(ask(&practice.bridge)), Err(RemoteError::Unauthorized(_))));
    block_on(practice.bridge.apply_connection(source("refresh-40"), actor())).unwrap();
    block_on(ask(&practice.bridge)).unwrap();
}

#[test]
fn many_processes_at_once_fetch_one_token() {
    let (practice, desk) = practice();
    let processes: Vec<_> = (0..6).map(|n| process(&practice.world, Stepping, n * 700 - 2_000)).collect();
    let asked = block_on(futures::future::join_all(processes.iter().map(spinning)));
    assert!(asked.iter().all(Result::is_ok), "{asked:?}");
    assert_eq!(desk.office().asked, 1);
}

/// A process whose steps alternate with others': each pause wakes the executor again.
async fn spinning(bridge: &Bridge<MemoryPorts<Stepping>>) -> Result<Answer, RemoteError> {
    let mut future = Box::pin(ask(bridge));
    futures::future::poll_fn(move |context| {
        let polled = future.as_mut().poll(context);
        context.waker().wake_by_ref();
        polled
    })
    .await
}

/// Whoever is killed anywhere, the next one gets on: but for the answer that nobody heard, of a product that does not
/// allow for that.
#[test]
fn a_crash_anywhere_costs_nothing_that_the_product_still_honours() {
    for grace in [true, false] {
        let mut lost = Vec::new();
        let mut steps = 1;
        loop {
            let (practice, desk) = practice();
            desk.office().grace = grace;
            // Its second token, so that there is one to lose.
            block_on(ask(&practice.bridge)).unwrap();
            lock(&practice.world).now += LIFETIME_MS + 1;
            let victim = process(&practice.world, Stepping, 0);
            let done = killed_after(steps, ask(&victim));
            let heard = desk.office().issued;
            lock(&practice.world).now += 120_000;
            let next = block_on(ask(&process(&practice.world, Calm, 0)));
            match next {
                Ok(_) => {}
                Err(RemoteError::Unauthorized(_)) => lost.push((steps, heard)),
                Err(error) => panic!("killed after {steps} steps: {error}"),
            }
            if done.is_some() {
                break;
            }
            steps += 1;
        }
        assert!(steps > 8, "{steps} steps are not the whole way");
        if grace {
            assert!(lost.is_empty(), "{lost:?}");
        } else {
            assert!(lost.len() <= 3 && lost.iter().all(|(_, issued)| *issued == 2), "{lost:?}");
            assert!(!lost.is_empty(), "the test does not stop where it matters");
        }
    }
}
