//! DrChrono: what its interface does that others don't.

use std::{sync::Arc, time::Duration};

use bridge_simulators::{Seed, Served, Simulator as _, Status, drchrono::DrChrono, serve};
use serde_json::{Value, json};

use crate::support::{client, send};

struct Practice {
    served: Served,
    token: String,
}

impl Practice {
    async fn open() -> Self {
        let simulator = DrChrono::default();
        // Limits are counted by the simulator's clock; 10 calls a second are few for a test.
        simulator.clock().hold("2026-03-02T15:00:00Z".parse().unwrap());
        simulator.seed(&Seed { appointments: 30, ..Seed::default() });
        let served = serve(Arc::new(simulator), None).await.unwrap();
        let (status, token) = refresh(&served, "drchrono-first-refresh").await;
        assert_eq!(status, 200);
        Self { token: token["access_token"].as_str().unwrap().to_owned(), served }
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.served.simulator.clock().advance(Duration::from_secs(1));
        let url =
            if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.served.base) };
        send(client().get(url).bearer_auth(&self.token)).await
    }

    async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        self.served.simulator.clock().advance(Duration::from_secs(1));
        let url = format!("{}{path}", self.served.base);
        let request = client().request(method.parse().unwrap(), url).bearer_auth(&self.token);
        send(request.header("content-type", "application/json").body(body.to_string())).await
    }

    /// A new appointment at the first free time.
    async fn booking(&self) -> Value {
        let doctor = self.get("/api/doctors").await.1["results"][0]["id"].clone();
        let path = format!("/api/availability?doctor={doctor}&date_range=2027-03-03/2027-03-09");
        let slot = self.get(&path).await.1["results"][0].clone();
        let patient = self.get("/api/patients").await.1["results"][0]["id"].clone();
        json!({
            "doctor": doctor, "office": slot["office"], "exam_room": slot["exam_room"], "patient": patient,
            "scheduled_time": slot["scheduled_time"], "duration": 30,
        })
    }
}

async fn refresh(served: &Served, token: &str) -> (u16, Value) {
    let form = format!(
        "grant_type=refresh_token&refresh_token={token}&client_id=drchrono-app&client_secret=drchrono-app-not-a-secret"
    );
    send(client().post(format!("{}/o/token/", served.base)).body(form)).await
}

#[tokio::test]
async fn refresh_tokens_rotate_and_end_what_was_before() {
    let practice = Practice::open().await;
    assert_eq!(practice.get("/api/doctors").await.0, 200);
    let again = refresh(&practice.served, "drchrono-first-refresh").await;
    assert_eq!(again, (400, json!({"error": "invalid_grant"})), "good for one use");
    assert_eq!(practice.get("/api/doctors").await.0, 200, "a wrong grant throws nobody out");
    let query = "response_type=code&client_id=drchrono-app&redirect_uri=http://127.0.0.1:9/back&state=s1";
    let no_redirects =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let page = format!("{}/o/authorize/?{query}", practice.served.base);
    let answer = no_redirects.get(page).send().await.unwrap();
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let code = location.split_once("code=").unwrap().1.split('&').next().unwrap();
    assert!(location.ends_with("&state=s1"), "{location}");
    let form = format!(
        "grant_type=authorization_code&code={code}&client_id=drchrono-app&client_secret=drchrono-app-not-a-secret"
    );
    let (status, pair) = send(client().post(format!("{}/o/token/", practice.served.base)).body(form)).await;
    assert_eq!((status, pair["expires_in"].as_u64()), (200, Some(172_800)));
    assert_eq!(practice.get("/api/doctors").await, (401, json!({"detail": "Invalid token."})));
}

#[tokio::test]
async fn lists_go_on_by_next_and_ask_for_a_time() {
    let practice = Practice::open().await;
    assert_eq!(practice.get("/api/appointments").await.0, 400);
    assert_eq!(practice.get("/api/appointments?since=2020-01-01&page_size=251").await.0, 400);
    let mut seen = Vec::new();
    let mut next = "/api/appointments?since=2020-01-01&page_size=7".to_owned();
    loop {
        let (status, page) = practice.get(&next).await;
        assert_eq!(status, 200, "{page}");
        let rows = page["results"].as_array().unwrap();
        assert!(rows.len() <= 7);
        seen.extend(rows.iter().map(|row| row["id"].as_str().expect("text").to_owned()));
        match page["next"].as_str() {
            Some(address) => next = address.to_owned(),
            None => break,
        }
    }
    seen.dedup();
    // Three doctors have a break each, which is an appointment without a patient.
    assert_eq!(seen.len(), 33);
    let touched = practice.served.simulator.touch("Appointment", 4);
    let now = practice.served.simulator.clock().now().strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let (_, page) = practice.get(&format!("/api/appointments?since={now}")).await;
    let found: Vec<_> =
        page["results"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!(found, touched);
    let heavy = practice.get("/api/patients?verbose=true&page_size=200").await.1;
    assert!(heavy["results"][1]["primary_insurance"]["insurance_company"].is_string());
    assert!(practice.get("/api/patients").await.1["results"][1].get("primary_insurance").is_none());
}

#[tokio::test]
async fn appointments_are_booked_moved_and_cancelled() {
    let practice = Practice::open().await;
    let mut body = practice.booking().await;
    let incomplete = practice.call("POST", "/api/appointments", json!({"doctor": body["doctor"]})).await;
    assert_eq!(incomplete, (400, json!({"exam_room": ["This field is required."]})));
    let zoned = json!({"scheduled_time": format!("{}Z", body["scheduled_time"].as_str().unwrap())});
    let (status, made) = practice.call("POST", "/api/appointments", body.clone()).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    let path = format!("/api/appointments/{id}");
    assert_eq!(practice.call("PATCH", &path, zoned).await.0, 400, "times have no zone");
    let (status, clash) = practice.call("POST", "/api/appointments", body.clone()).await;
    assert_eq!(status, 409);
    assert!(clash["detail"].as_str().unwrap().contains(&id));
    body["allow_overlapping"] = json!(true);
    assert_eq!(practice.call("POST", "/api/appointments", body).await.0, 201);

    assert_eq!(practice.call("PATCH", &path, json!({"status": "Gone"})).await.0, 400);
    assert_eq!(practice.call("PATCH", &path, json!({"status": "Cancelled"})).await, (204, Value::Null));
    let book = practice.served.simulator.book();
    let booking = book.appointments.iter().find(|booking| booking.id == id).unwrap();
    assert_eq!(booking.status, Status::Cancelled);
    assert_eq!(practice.call("DELETE", &path, Value::Null).await.0, 204);
    let (_, page) = practice.get("/api/appointments?since=2020-01-01").await;
    let row = page["results"].as_array().unwrap().iter().find(|row| row["id"] == json!(id)).unwrap();
    assert_eq!(row["deleted_flag"], true, "what is deleted is told");
    let (_, page) = practice.get("/api/appointments?date_range=2027-03-03/2027-03-09").await;
    assert!(page["results"].as_array().unwrap().iter().all(|row| row["id"] != json!(id)));
}

#[tokio::test]
async fn patients_charges_and_payments_are_written() {
    let practice = Practice::open().await;
    let doctor = practice.get("/api/doctors").await.1["results"][0]["id"].clone();
    let patient = json!({"doctor": doctor, "gender": "Female", "first_name": "Alba", "last_name": "Onlyonce",
        "date_of_birth": "1980-02-03"});
    let (status, made) = practice.call("POST", "/api/patients", patient.clone()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(practice.call("POST", "/api/patients", patient).await.0, 409);
    let payment = |amount: Value| json!({"patient": made["id"], "amount": amount, "payment_method": "CHCK"});
    assert_eq!(practice.call("POST", "/api/patient_payments", payment(json!(0))).await.0, 400);
    let (status, paid) = practice.call("POST", "/api/patient_payments", payment(json!(12.5))).await;
    assert_eq!((status, paid["amount"].to_string().as_str()), (201, "12.50"));
    let visit = practice.get("/api/appointments?since=2020-01-01").await.1["results"][0]["id"].clone();
    let item = json!({"appointment": visit, "code": "X1", "procedure_type": "U", "diagnosis_pointers": ["1"], "price": 9.99});
    let (status, charged) = practice.call("POST", "/api/line_items", item).await;
    assert_eq!(status, 201, "{charged}");
    assert!(charged["price"].is_number() && charged["balance_total"] == "9.99", "{charged}");
}

#[tokio::test]
async fn jobs_are_waited_for_and_forgotten() {
    let practice = Practice::open().await;
    let (status, job) = practice.call("POST", "/api/patients_list?page_size=15&page=2", Value::Null).await;
    assert_eq!((status, job["status"].as_str()), (201, Some("In progress")));
    let path = format!("/api/patients_list?uuid={}", job["uuid"].as_str().unwrap());
    assert_eq!(practice.get(&path).await.1["status"], "In progress");
    let (_, done) = practice.get(&path).await;
    assert_eq!(
        (done["results"].as_array().unwrap().len(), done["pagination"]["pages"].as_u64()),
        (5, Some(2))
    );
    practice.served.simulator.clock().advance(Duration::from_secs(3_600));
    assert_eq!(practice.get(&path).await, (400, json!({"detail": "Invalid uuid specified"})));
}

#[tokio::test]
async fn the_wait_stands_in_a_sentence() {
    let practice = Practice::open().await;
    let request =
        || client().get(format!("{}/api/doctors", practice.served.base)).bearer_auth(&practice.token);
    for _ in 0..10 {
        assert_eq!(send(request()).await.0, 200);
    }
    let text = "Request was throttled. Expected available in 1 seconds.";
    assert_eq!(send(request()).await, (429, json!({"detail": text})));
}

#[tokio::test]
async fn deliveries_carry_the_record_and_the_secret() {
    let practice = Practice::open().await;
    let url = format!("{}/ui/webhooks", practice.served.base);
    send(client().post(url).body(json!({"url": "http://127.0.0.1:9/hook"}).to_string())).await;
    let ids = practice.served.simulator.touch("Patient", 1);
    let deliveries = practice.served.simulator.deliveries();
    let [delivery] = deliveries.as_slice() else { panic!("{deliveries:?}") };
    let body: Value = serde_json::from_slice(&delivery.body).unwrap();
    assert_eq!(body["object"]["id"].to_string(), ids[0]);
    assert!(delivery.headers.contains(&("x-drchrono-event".to_owned(), "PATIENT_MODIFY".to_owned())));
    assert!(
        delivery
            .headers
            .contains(&("x-drchrono-signature".to_owned(), "drchrono-hook-not-a-secret".to_owned()))
    );
    assert!(practice.served.simulator.deliveries().is_empty(), "once");
}
