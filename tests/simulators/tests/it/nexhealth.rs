//! NexHealth's quirks, over HTTP.

use std::time::Duration;

use bridge_simulators::{
    Clock, Seed, Served, Simulator as _, Status, nexhealth::NexHealth, parts::sign::hmac_sha256_hex,
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{client, control, send, served};

/// A Monday, eight in the morning in New York.
const NOW: &str = "2026-03-02T13:00:30Z";
const WINDOW: &str = "start=2000-01-01&end=2100-01-01";

fn institution() -> NexHealth {
    let institution = NexHealth::with(Clock::still(NOW.parse().unwrap()));
    institution.seed(&Seed { number: 1, patients: 30, practitioners: 2, appointments: 40 });
    institution
}

async fn token(served: &Served) -> String {
    let key = served.simulator.connection(&served.base).secrets["api-key"].clone();
    let request = client().post(format!("{}/authenticates", served.base));
    let request = request.header("authorization", key).header("nex-api-version", "v3.0.0");
    let (status, answer) = send(request).await;
    assert_eq!((status, &answer["code"]), (201, &json!(true)));
    answer["data"]["token"].as_str().unwrap().to_owned()
}

fn call(served: &Served, token: &str, method: Method, path: &str) -> RequestBuilder {
    let mark = if path.contains('?') { '&' } else { '?' };
    let url = format!("{}{path}{mark}subdomain=sample-dental&location_id=1", served.base);
    client().request(method, url).bearer_auth(token).header("nex-api-version", "v3.0.0")
}

async fn get(served: &Served, token: &str, path: &str) -> (u16, Value) {
    send(call(served, token, Method::GET, path)).await
}

async fn write(served: &Served, token: &str, method: Method, path: &str, body: Value) -> (u16, Value) {
    send(call(served, token, method, path).body(body.to_string())).await
}

#[tokio::test]
async fn a_key_is_exchanged_for_a_token_that_lives_an_hour() {
    let served = served(institution()).await;
    let url = format!("{}/authenticates", served.base);
    assert_eq!(send(client().post(&url).header("authorization", "x")).await.0, 400, "no version");
    let wrong = client().post(&url).header("authorization", "x").header("nex-api-version", "v3.0.0");
    assert_eq!(send(wrong).await.0, 401);
    let token = token(&served).await;
    assert_eq!(get(&served, &token, "/providers").await.0, 200);
    let elsewhere = client().get(format!("{}/providers?subdomain=other&location_id=1", served.base));
    assert_eq!(send(elsewhere.bearer_auth(&token).header("nex-api-version", "v3.0.0")).await.0, 403);
    served.simulator.clock().advance(Duration::from_secs(3_600));
    assert_eq!(get(&served, &token, "/providers").await.0, 401);
}

#[tokio::test]
async fn lists_have_cursors_and_five_rows_unless_more_are_asked_for() {
    let served = served(institution()).await;
    let token = token(&served).await;
    assert_eq!(get(&served, &token, "/patients").await.1["data"].as_array().unwrap().len(), 5);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&served, &token, &format!("/patients?per_page=12&end_cursor={cursor}")).await.1;
        seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()));
        if page["page_info"]["has_next_page"] != true {
            break;
        }
        cursor = page["page_info"]["end_cursor"].as_str().unwrap().to_owned();
    }
    seen.dedup();
    assert_eq!(seen.len(), 30);
    for wrong in ["/patients?per_page=1001", "/patients?end_cursor=xyz", "/appointments", "/charges"] {
        let (status, answer) = get(&served, &token, wrong).await;
        assert_eq!((status, &answer["code"]), (400, &json!(false)), "{wrong}");
    }
}

#[tokio::test]
async fn what_changed_is_found_by_time() {
    let served = served(institution()).await;
    let token = token(&served).await;
    served.simulator.clock().advance(Duration::from_secs(60));
    let touched = control(&served, "touch", json!({"resource": "Appointment", "count": 3})).await.1;
    let path = format!("/appointments?{WINDOW}&per_page=100&updated_since=2026-03-02T13:01:00Z");
    let found = get(&served, &token, &path).await.1;
    let ids: Vec<String> =
        found["data"].as_array().unwrap().iter().map(|row| row["id"].to_string()).collect();
    assert_eq!(json!(ids), touched["ids"]);
    assert_eq!(found["data"][0]["updated_at"], "2026-03-02T13:01:30.000Z");
}

#[tokio::test]
async fn a_booking_is_there_when_the_agent_has_written_it() {
    let served = served(institution()).await;
    let token = token(&served).await;
    let patient = get(&served, &token, "/patients").await.1["data"][0]["id"].clone();
    let provider = get(&served, &token, "/providers").await.1["data"][0]["id"].clone();
    let free =
        format!("/available_slots?start_date=2026-03-20&days=2&lids[]=1&pids[]={provider}&slot_length=30");
    let slots = get(&served, &token, &free).await.1["data"][0].clone();
    let slot = &slots["slots"][0];
    assert_eq!(slot["time"], "2026-03-20T09:00:00.000-04:00");
    let booking = json!({"appt": {"patient_id": patient, "provider_id": provider, "operatory_id": slot["operatory_id"],
        "start_time": slot["time"], "end_time": slot["end_time"]}});
    let (status, made) = write(&served, &token, Method::POST, "/appointments", booking.clone()).await;
    let made = &made["data"]["appt"];
    assert_eq!((status, &made["foreign_id"]), (201, &Value::Null));
    let again = write(&served, &token, Method::POST, "/appointments", booking).await;
    assert_eq!(again.0, 400, "the time is taken now");

    let path = format!("/appointments/{}", made["id"]);
    served.simulator.clock().advance(Duration::from_secs(20));
    let read = get(&served, &token, &path).await.1;
    assert_eq!(read["data"]["foreign_id"], format!("EHR-{}", made["id"]));

    let moved = json!({"appt": {"start_time": "2026-03-21T14:00:00Z", "end_time": "2026-03-21T14:30:00Z"}});
    let (status, moved) = write(&served, &token, Method::PATCH, &path, moved).await;
    assert_eq!((status, &moved["data"]["appt"]["start_time"]), (200, &json!("2026-03-21T14:00:00.000Z")));
    let cancelled =
        write(&served, &token, Method::PATCH, &path, json!({"appt": {"cancelled": true}})).await.1;
    assert_eq!(cancelled["data"]["appt"]["cancelled"], true);
    let book = served.simulator.book();
    let number = made["id"].to_string();
    let booked = book.appointments.iter().find(|known| known.id == number).unwrap();
    assert_eq!(booked.status, Status::Cancelled);
}

#[tokio::test]
async fn a_patient_who_is_there_is_given_back_when_that_is_asked_for() {
    let served = served(institution()).await;
    let token = token(&served).await;
    let provider = get(&served, &token, "/providers").await.1["data"][0]["id"].clone();
    let mut body = json!({"provider": {"provider_id": provider}, "patient": {
        "first_name": "Nilo", "last_name": "Probestein", "email": "nilo@patients.invalid",
        "bio": {"date_of_birth": "1990-05-01", "phone_number": "2025550101", "gender": "Male"}}});
    let (status, made) = write(&served, &token, Method::POST, "/patients", body.clone()).await;
    assert_eq!((status, &made["data"]["user"]["bio"]["gender"]), (201, &json!("Male")));
    assert_eq!(write(&served, &token, Method::POST, "/patients", body.clone()).await.0, 400);
    body["return_existing_if_match"] = json!(true);
    let (status, known) = write(&served, &token, Method::POST, "/patients", body.clone()).await;
    assert_eq!((status, &known["data"]["user"]["id"]), (200, &made["data"]["user"]["id"]));
    body["patient"]["bio"] = json!({"date_of_birth": "1990-05-01"});
    assert_eq!(write(&served, &token, Method::POST, "/patients", body).await.0, 400, "a phone is needed");
}

#[tokio::test]
async fn payments_of_patients_are_negative() {
    let served = served(institution()).await;
    let token = token(&served).await;
    let payments = get(&served, &token, "/payments?updated_since=2020-01-01").await.1;
    assert_eq!(payments["data"][0]["payment_amount"], json!({"amount": "-25.00", "currency": "USD"}));
    assert_eq!(served.simulator.book().payments[0].amount, "25.00");
}

#[tokio::test]
async fn events_are_signed_and_say_what_the_agent_did() {
    let institution = institution();
    institution.refuse_write_backs(true);
    let served = served(institution).await;
    let token = token(&served).await;
    let url = json!({"target_url": "https://bridge.invalid/hook"});
    let endpoint = write(&served, &token, Method::POST, "/webhook_endpoints", url).await.1["data"].clone();
    for event in ["appointment_created", "appointment_insertion"] {
        let path = format!("/webhook_endpoints/{}/webhook_subscriptions", endpoint["id"]);
        let body = json!({"resource_type": "Appointment", "event": event});
        assert_eq!(write(&served, &token, Method::POST, &path, body).await.0, 201);
    }
    let patient = get(&served, &token, "/patients").await.1["data"][0]["id"].clone();
    let provider = get(&served, &token, "/providers").await.1["data"][0]["id"].clone();
    let booking = json!({"appt": {"patient_id": patient, "provider_id": provider, "operatory_id": 1,
        "start_time": "2026-03-21T14:00:00Z", "end_time": "2026-03-21T14:30:00Z"}});
    assert_eq!(write(&served, &token, Method::POST, "/appointments", booking).await.0, 201);
    let first = served.simulator.deliveries();
    assert_eq!(first.len(), 1);
    let header = |name: &str| first[0].headers.iter().find(|(known, _)| known == name).unwrap().1.clone();
    let encoded = data_encoding::BASE64.encode(&first[0].body);
    let expected = hmac_sha256_hex(
        endpoint["secret_key"].as_str().unwrap(),
        format!("{}.{encoded}", header("timestamp")).as_bytes(),
    );
    assert_eq!(header("signature"), expected);
    served.simulator.clock().advance(Duration::from_secs(30));
    let second: Value = serde_json::from_slice(&served.simulator.deliveries()[0].body).unwrap();
    assert_eq!(
        (&second["event"], &second["data"]["status"]),
        (&json!("appointment_insertion"), &json!("failed"))
    );
}
