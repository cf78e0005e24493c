//! Acme Dental, which nobody sells: patients by page, `updated_since`, a bearer key.

use std::sync::Mutex;

use bridge_simulators::{Access, Answer, Book, Clock, Patient, Request, Seed, Simulator};
use serde_json::{Value, json};

const KEY: &str = "acme-test-key";
const PAGE: usize = 50;

#[derive(Debug, Clone)]
struct Row {
    id: usize,
    family: String,
    updated: jiff::Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct Acme {
    rows: Mutex<Vec<Row>>,
    clock: Clock,
}

fn record(row: &Row) -> Value {
    json!({
        "id": row.id.to_string(), "first_name": "Quill", "last_name": row.family, "birth_date": "1970-01-01",
        "updated_at": row.updated.to_string(),
    })
}

impl Acme {
    fn list(&self, request: &Request) -> Answer {
        let since: Option<jiff::Timestamp> =
            request.parameter("updated_since").and_then(|text| text.parse().ok());
        let page: usize = request.parameter("page").and_then(|text| text.parse().ok()).unwrap_or(1);
        let rows = self.rows.lock().unwrap();
        let fitting = rows.iter().filter(|row| since.is_none_or(|since| row.updated >= since));
        // However many are wished for, there are fifty on a page.
        let records: Vec<Value> = fitting.skip((page.max(1) - 1) * PAGE).take(PAGE).map(record).collect();
        Answer::json(200, &json!({"patients": records}))
    }
}

impl Simulator for Acme {
    fn adapter(&self) -> &'static str {
        "acme-dental"
    }

    fn answer(&self, request: &Request) -> Answer {
        if request.credentials("Bearer") != Some(KEY) {
            return Answer::json(401, &json!({"error": "who are you?"}));
        }
        match request.segments().as_slice() {
            ["patients"] => self.list(request),
            ["patients", id] => {
                let rows = self.rows.lock().unwrap();
                match rows.iter().find(|row| row.id.to_string() == *id) {
                    Some(row) => Answer::json(200, &record(row)),
                    None => Answer::json(404, &json!({"error": "no such patient"})),
                }
            }
            _ => Answer::json(404, &json!({"error": "no such path"})),
        }
    }

    fn connection(&self, base: &str) -> Access {
        Access::default().setting("base-url", base).secret("api-key", KEY)
    }

    fn seed(&self, seed: &Seed) {
        let mut rows = self.rows.lock().unwrap();
        for _ in 0..seed.patients {
            let id = rows.len() + 1;
            rows.push(Row { id, family: format!("Testperson{id}"), updated: self.clock.now() });
        }
    }

    fn touch(&self, resource: &str, count: usize) -> Vec<String> {
        let mut rows = self.rows.lock().unwrap();
        let (now, count) = (self.clock.now(), if resource == "Patient" { count } else { 0 });
        let touch = |row: &mut Row| {
            row.updated = now;
            row.id.to_string()
        };
        rows.iter_mut().take(count).map(touch).collect()
    }

    fn book(&self) -> Book {
        let patient = |row: &Row| Patient {
            id: row.id.to_string(),
            family: row.family.clone(),
            given: "Quill".to_owned(),
            birth_date: "1970-01-01".to_owned(),
        };
        Book { patients: self.rows.lock().unwrap().iter().map(patient).collect(), ..Book::default() }
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn throttled(&self) -> Answer {
        Answer::json(429, &json!({"error": "slow down"})).with_header("retry-after", "7")
    }
}
