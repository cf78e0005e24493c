//! Control over HTTP, so that any process can steer a simulator: paths under `/_control/`.
//!
//! | call | does |
//! |---|---|
//! | `POST seed {"number": 1, "patients": 20, "practitioners": 3, "appointments": 40}` | adds records; every word may be left out |
//! | `POST prepare` | what a practice does before anybody may ask: subscriptions |
//! | `POST subscribe {"url": "http://127.0.0.1:PORT/webhooks/a.b"}` | has webhooks sent there, where the product has any |
//! | `POST touch {"resource": "Appointment", "count": 5}` | changes records: `{"ids": […]}` |
//! | `POST faults {"fault": "status", "status": 503, "times": 2, "method": "GET", "path": "/v1"}` | [`Fault::from_json`] |
//! | `DELETE faults` | takes back those that wait: `{"cleared": n}` |
//! | `POST clock {"advance-seconds": n}`, `{"hold": "2026-03-02T09:00:00Z"}`, `{"run": true}` | `{"now": …}` |
//! | `POST deliveries` | the webhooks that are due, handed out once |
//! | `GET book`, `GET calls`, `GET connection`, `GET clock` | what it holds, was called, and is reached with |

use std::time::Duration;

use serde_json::{Value, json};

use crate::{Answer, Delivery, Fault, Request, Seed, server::Desk};

/// Where control begins.
pub const PREFIX: &str = "/_control/";

pub(crate) fn answer(desk: &Desk, request: &Request) -> Answer {
    let word = request.path.strip_prefix(PREFIX).unwrap_or_default();
    match act(desk, &request.method, word, &request.json().unwrap_or_default()) {
        Some(Ok(value)) => Answer::json(200, &value),
        Some(Err(text)) => Answer::json(400, &json!({"error": text})),
        None => Answer::json(
            404,
            &json!({"error": "control knows seed, prepare, subscribe, touch, faults, clock, deliveries, book, calls, connection"}),
        ),
    }
}

fn act(desk: &Desk, method: &str, word: &str, body: &Value) -> Option<Result<Value, String>> {
    let Desk { simulator, around, base } = desk;
    Some(match (method, word) {
        ("POST", "seed") => {
            simulator.seed(&seed(body));
            Ok(json!({}))
        }
        ("POST", "prepare") => {
            simulator.prepare();
            Ok(json!({}))
        }
        ("POST", "subscribe") => {
            let url = body.get("url").and_then(Value::as_str);
            let url = url.ok_or_else(|| "`url` must be where webhooks go".to_owned());
            url.map(|url| {
                simulator.subscribe(url);
                json!({})
            })
        }
        ("POST", "touch") => {
            let resource = body.get("resource").and_then(Value::as_str);
            let count = count(body, "count").unwrap_or(1);
            resource
                .map(|resource| json!({"ids": simulator.touch(resource, count)}))
                .ok_or_else(|| "`resource` must be a FHIR type: Appointment".to_owned())
        }
        ("POST", "faults") => Fault::from_json(body).map(|fault| {
            around.faults.add(fault);
            json!({})
        }),
        ("DELETE", "faults") => Ok(json!({"cleared": around.faults.clear()})),
        ("POST", "clock") => clock(desk, body),
        ("GET", "clock") => Ok(json!({"now": simulator.clock().now()})),
        ("POST", "deliveries") => Ok(Value::Array(simulator.deliveries().iter().map(delivery).collect())),
        ("GET", "book") => Ok(json!(simulator.book())),
        ("GET", "calls") => Ok(json!({"latest": around.calls.latest(), "counts": around.calls.counts()})),
        ("GET", "connection") => {
            let access = simulator.connection(base);
            Ok(json!({
                "adapter": simulator.adapter(), "zone": access.zone, "settings": access.settings,
                "secrets": access.secrets,
            }))
        }
        _ => return None,
    })
}

fn seed(body: &Value) -> Seed {
    let usual = Seed::default();
    Seed {
        number: body.get("number").and_then(Value::as_u64).unwrap_or(usual.number),
        patients: count(body, "patients").unwrap_or(usual.patients),
        practitioners: count(body, "practitioners").unwrap_or(usual.practitioners),
        appointments: count(body, "appointments").unwrap_or(usual.appointments),
    }
}

fn clock(desk: &Desk, body: &Value) -> Result<Value, String> {
    let clock = desk.simulator.clock();
    if let Some(seconds) = body.get("advance-seconds").and_then(Value::as_u64) {
        clock.advance(Duration::from_secs(seconds));
    } else if let Some(at) = body.get("hold").and_then(Value::as_str) {
        clock.hold(at.parse().map_err(|_| "`hold` must be a time like 2026-03-02T09:00:00Z".to_owned())?);
    } else if body.get("run").is_some() {
        clock.run();
    } else {
        return Err("one of `advance-seconds`, `hold`, `run` is needed".to_owned());
    }
    Ok(json!({"now": clock.now()}))
}

fn delivery(delivery: &Delivery) -> Value {
    let headers: serde_json::Map<String, Value> =
        delivery.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    json!({"url": delivery.url, "headers": headers, "body": String::from_utf8_lossy(&delivery.body)})
}

fn count(body: &Value, name: &str) -> Option<usize> {
    body.get(name).and_then(Value::as_u64).and_then(|count| usize::try_from(count).ok())
}
