//! A stand-in for Practice Studio: takes signed deliveries, keeps a book of idempotency keys, and shows what arrived.
//!
//! It behaves as a careful receiver does: a wrong or old signature is refused, and a repeated key is answered like
//! the first call without a second effect. It can be told to fail a share of the calls.

mod book;
mod page;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use bridge_aws::SystemClock;
use bridge_core::{Phi, http::Request as Signed, manifest::Verify};
use bridge_pipeline::{ports::Clock as _, receive::verify};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::local::{
    server::{self, Reply, Whole, json, message, reply},
    stop::Stop,
};
use book::Book;

/// Where deliveries are posted.
pub(crate) const PATH: &str = "/deliveries";
/// How many arrived, without what they hold.
const COUNTS: &str = "/deliveries/counts";
/// A transaction Bundle of one message stays far below.
const LARGEST_BODY: usize = 20 * 1024 * 1024;
/// As Standard Webhooks recommends, in seconds.
const TOLERANCE: u64 = 300;

/// The receiver.
#[derive(Debug)]
pub(crate) struct Receiver {
    secrets: Vec<Phi<String>>,
    /// The share of calls that fail, in `0.0..=1.0`.
    fail: f64,
    book: Mutex<Book>,
    arrived: Counter,
}

/// Counts deliveries that had an effect.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counter(Arc<AtomicUsize>);

impl Counter {
    /// How many.
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Receiver {
    /// A receiver that knows this signing secret and fails this share of the calls.
    pub(crate) fn new(secret: Phi<String>, fail: f64) -> Self {
        Self {
            secrets: vec![secret],
            fail: fail.clamp(0.0, 1.0),
            book: Mutex::default(),
            arrived: Counter::default(),
        }
    }

    /// Counts what arrives from now on.
    pub(crate) fn counter(&self) -> Counter {
        self.arrived.clone()
    }

    /// Serves until it is told to stop.
    pub(crate) async fn serve(self, listener: TcpListener, stop: Stop) {
        let receiver = Arc::new(self);
        server::serve(listener, stop, LARGEST_BODY, move |request, _: SocketAddr| {
            let receiver = Arc::clone(&receiver);
            async move { receiver.answer(&request) }
        })
        .await;
    }

    fn answer(&self, request: &Whole) -> Reply {
        match (request.method(), request.uri().path()) {
            (&Method::GET, "/") => {
                reply(StatusCode::OK, "text/html; charset=utf-8", page::page(&self.book()))
            }
            (&Method::GET, PATH) => json(StatusCode::OK, &self.book().to_json()),
            (&Method::GET, COUNTS) => json(StatusCode::OK, &self.book().counts()),
            (&Method::POST, PATH) => self.take(request),
            _ => message(StatusCode::NOT_FOUND, "Not Found"),
        }
    }

    fn take(&self, request: &Whole) -> Reply {
        let now = SystemClock.now();
        let signed = signed(request);
        let rule = Verify::StandardWebhooks { secret: String::new(), tolerance: TOLERANCE };
        if let Err(refusal) = verify::signature(&rule, &self.secrets, &signed, now) {
            self.book().refused += 1;
            return message(StatusCode::UNAUTHORIZED, &refusal.cause.text);
        }
        let Some(key) = signed.header("idempotency-key").map(str::to_owned) else {
            return message(StatusCode::BAD_REQUEST, "the header Idempotency-Key is missing");
        };
        let bundle: Value = match serde_json::from_slice(request.body()) {
            Ok(bundle) => bundle,
            Err(_) => return message(StatusCode::BAD_REQUEST, "the body is not JSON"),
        };
        // Half of the failures come before the work, half after it: a sender can't tell them apart.
        let fails = SystemClock.chance() < self.fail;
        let before = SystemClock.chance() < 0.5;
        let mut book = self.book();
        if fails && before {
            book.failed += 1;
            return message(StatusCode::SERVICE_UNAVAILABLE, "told to fail, before the work");
        }
        let first = book.enter(&key, bundle, now);
        if first {
            self.arrived.0.fetch_add(1, Ordering::Relaxed);
        }
        if fails {
            book.failed += 1;
            return message(StatusCode::SERVICE_UNAVAILABLE, "told to fail, after the work");
        }
        json(StatusCode::OK, &json!({"key": key, "repeat": !first}))
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request in the pipeline's words, for its verification.
fn signed(request: &Whole) -> Signed {
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers: BTreeMap<String, String> =
        request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    Signed {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers,
        source: None,
        body: Phi::new(request.body().to_vec()),
    }
}
