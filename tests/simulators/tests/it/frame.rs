//! What is put around every simulator: faults, the log, control.

use std::time::{Duration, Instant};

use bridge_simulators::{Access, Answer, Book, Clock, Fault, Request, Seed, Simulator, Trouble};
use serde_json::{Value, json};

use crate::support::{client, control, send, served};

/// A product that counts what it did.
#[derive(Default)]
struct Counting {
    clock: Clock,
    done: std::sync::atomic::AtomicU64,
}

impl Simulator for Counting {
    fn adapter(&self) -> &'static str {
        "counting"
    }
    fn answer(&self, request: &Request) -> Answer {
        let done = self.done.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1;
        let query: Vec<String> =
            request.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Answer::json(200, &json!({"done": done, "query": query, "path": request.path}))
    }
    fn connection(&self, base: &str) -> Access {
        Access::default().setting("url", base)
    }
    fn seed(&self, _: &Seed) {}
    fn touch(&self, _: &str, count: usize) -> Vec<String> {
        (0..count).map(|id| id.to_string()).collect()
    }
    fn book(&self) -> Book {
        Book::default()
    }
    fn clock(&self) -> &Clock {
        &self.clock
    }
    fn throttled(&self) -> Answer {
        Answer::text(420, "calm down")
    }
}

#[tokio::test]
async fn faults_come_to_the_calls_that_they_are_for() {
    let served = served(Counting::default()).await;
    let get = |path: &str| client().get(format!("{}{path}", served.base));
    let fault = json!({"fault": "status", "status": 503, "body": "{\"a\":1}", "path": "/v1", "times": 2});
    assert_eq!(control(&served, "faults", fault).await.0, 200);
    assert_eq!(send(get("/v2/x")).await.0, 200);
    assert_eq!(send(get("/v1/x")).await, (503, json!({"a": 1})));
    assert_eq!(send(get("/v1/x")).await.0, 503);
    assert_eq!(send(get("/v1/x")).await.1["done"], 2, "refused calls did no work");

    served.faults().add(Fault::next(Trouble::Throttle));
    assert_eq!(send(get("/")).await.0, 420);
    served.faults().add(Fault::next(Trouble::Malformed));
    assert_eq!(send(get("/")).await, (200, Value::Null));
    assert_eq!(control(&served, "faults", json!({"fault": "flood"})).await.0, 400);
}

#[tokio::test]
async fn an_answer_can_be_lost_with_the_work_done() {
    let served = served(Counting::default()).await;
    for (trouble, done) in [(Trouble::Reset, 1), (Trouble::Lost, 3)] {
        served.faults().add(Fault::next(trouble));
        let error = client().post(&served.base).send().await.unwrap_err();
        assert!(!error.is_timeout(), "{error:?}");
        assert_eq!(send(client().get(&served.base)).await.1["done"], done);
    }
    let statuses: Vec<u16> = served.calls().latest().iter().map(|call| call.status).collect();
    assert_eq!(statuses, [0, 200, 0, 200]);
}

#[tokio::test]
async fn an_answer_can_be_late_or_never_come() {
    let served = served(Counting::default()).await;
    let short = client().get(&served.base).timeout(Duration::from_millis(100));
    for (trouble, done) in [(Trouble::Hang, 1), (Trouble::Late(Duration::from_secs(20)), 3)] {
        served.faults().add(Fault::next(trouble));
        assert!(short.try_clone().unwrap().send().await.unwrap_err().is_timeout());
        assert_eq!(send(client().get(&served.base)).await.1["done"], done);
    }
    served.faults().add(Fault::next(Trouble::Late(Duration::from_millis(150))));
    let began = Instant::now();
    assert_eq!(send(client().get(&served.base)).await.0, 200);
    assert!(began.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn it_is_steered_over_http() {
    let served = served(Counting::default()).await;
    let at = "2026-03-02T09:00:00Z";
    assert_eq!(control(&served, "clock", json!({"hold": at})).await.1["now"], at);
    let now = control(&served, "clock", json!({"advance-seconds": 61})).await.1;
    assert_eq!(now["now"], "2026-03-02T09:01:01Z");
    let dated = client().get(&served.base).send().await.unwrap();
    assert_eq!(dated.headers()["date"], "Mon, 02 Mar 2026 09:01:01 GMT");
    let touched = control(&served, "touch", json!({"resource": "Patient", "count": 2})).await;
    assert_eq!(touched.1, json!({"ids": ["0", "1"]}));
    let query = send(client().get(format!("{}/a%20b?q[]=x%3A%3E1&q[]=y", served.base))).await.1;
    assert_eq!((&query["path"], &query["query"]), (&json!("/a b"), &json!(["q[]=x:>1", "q[]=y"])));

    let get = |word: &str| client().get(format!("{}/_control/{word}", served.base));
    let calls = send(get("calls")).await.1;
    assert_eq!(
        calls["counts"],
        json!({"GET /": {"calls": 1, "refusals": 0}, "GET /a b": {"calls": 1, "refusals": 0}}),
        "control is not counted"
    );
    assert_eq!(calls["latest"][0]["at"], "2026-03-02T09:01:01Z");
    let connection = send(get("connection")).await.1;
    assert_eq!(connection["settings"]["url"], served.base);
    assert_eq!(send(get("nothing")).await.0, 404);
}

#[tokio::test]
async fn it_stops_when_it_is_dropped() {
    let served = served(Counting::default()).await;
    let base = served.base.clone();
    assert_eq!(send(client().get(&base)).await.0, 200);
    drop(served);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(client().get(&base).send().await.is_err());
}
