//! Cliniko's quirks, over HTTP.

use bridge_simulators::{Clock, Seed, Served, Simulator as _, Status, cliniko::Cliniko};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{client, control, send, served};

const NOW: &str = "2026-03-02T09:00:30Z";

async fn practice() -> Served {
    let cliniko = Cliniko::with(Clock::still(NOW.parse().unwrap()));
    cliniko.seed(&Seed { number: 1, patients: 120, practitioners: 2, appointments: 60 });
    served(cliniko).await
}

fn call(served: &Served, method: Method, path: &str) -> RequestBuilder {
    let access = served.simulator.connection(&served.base);
    client()
        .request(method, format!("{}{path}", access.settings["url"]))
        .basic_auth(&access.secrets["api-key"], Some(""))
        .header("user-agent", "bridge-tests (ops@bridge.invalid)")
}

async fn get(served: &Served, path: &str) -> (u16, Value) {
    send(call(served, Method::GET, path)).await
}

async fn write(served: &Served, method: Method, path: &str, body: Value) -> (u16, Value) {
    send(call(served, method, path).body(body.to_string())).await
}

fn ids(list: &Value, name: &str) -> Vec<String> {
    list[name].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn it_wants_its_key_and_a_contact() {
    let served = practice().await;
    let url = format!("{}/v1/patients", served.base);
    let agent = ("user-agent", "x (a@b.invalid)");
    let wrong = client().get(&url).basic_auth("other-au1", Some("")).header(agent.0, agent.1);
    assert_eq!(send(wrong).await.0, 401);
    let without_shard =
        client().get(&url).basic_auth("MS0xLXNpbXVsYXRlZA", Some("")).header(agent.0, agent.1);
    assert_eq!(send(without_shard).await.0, 200);
    let nameless = call(&served, Method::GET, "/patients").header("user-agent", "curl");
    assert_eq!(send(nameless).await.0, 403);
}

#[tokio::test]
async fn lists_are_cut_into_pages_with_links() {
    let served = practice().await;
    let mut next = Some("/patients?per_page=50&sort=last_name".to_owned());
    let mut seen = Vec::new();
    while let Some(path) = next {
        let (status, page) =
            get(&served, path.split_once("/v1").map_or(path.as_str(), |(_, path)| path)).await;
        assert_eq!((status, &page["total_entries"]), (200, &json!(120)));
        seen.extend(ids(&page, "patients"));
        next = page["links"]["next"].as_str().map(str::to_owned);
        assert_eq!(page["links"].get("previous").is_some(), seen.len() > 50);
    }
    assert_eq!(seen.len(), 120);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 120);
    assert_eq!(get(&served, "/patients").await.1["patients"].as_array().unwrap().len(), 50);
    assert_eq!(get(&served, "/patients?per_page=101").await.0, 400);
    assert_eq!(get(&served, "/patients?sort=shoe_size").await.0, 400);
}

#[tokio::test]
async fn ids_are_text_with_sixty_four_bits() {
    let served = practice().await;
    let id = &ids(&get(&served, "/patients").await.1, "patients")[0];
    let exact: u64 = id.parse().unwrap();
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let through_a_double = exact as f64 as u64;
    assert_ne!(exact, through_a_double);
}

#[tokio::test]
async fn what_changed_is_found_by_time_and_what_is_hidden_by_asking() {
    let served = practice().await;
    served.simulator.clock().advance(std::time::Duration::from_secs(60));
    let touched = control(&served, "touch", json!({"resource": "Patient", "count": 3})).await.1;
    let since = "/patients?q[]=updated_at:%3E2026-03-02T09:00:30Z";
    let found = ids(&get(&served, since).await.1, "patients");
    assert_eq!(json!(found), touched["ids"]);

    assert_eq!(
        write(&served, Method::POST, &format!("/patients/{}/archive", found[0]), json!({})).await.0,
        204
    );
    assert_eq!(ids(&get(&served, since).await.1, "patients"), found[1..]);
    let all = get(&served, &format!("{since}&q[]=archived_at:*")).await.1;
    assert_eq!(ids(&all, "patients"), found);
    assert_eq!(all["patients"][0]["archived_at"], "2026-03-02T09:01:30Z");
    assert_eq!(get(&served, "/patients?q[]=updated_at:%3E2026-03-02T09:00:30%2B01:00").await.0, 400);
    assert_eq!(get(&served, "/patients?q[]=nothing:=1").await.0, 400);
    let older = get(&served, "/patients?q[]=updated_at:%3C=2026-03-02T09:00:30Z").await.1;
    assert_eq!(older["total_entries"], 117);
}

#[tokio::test]
async fn an_appointment_is_booked_moved_and_cancelled() {
    let served = practice().await;
    let (patients, practitioners) =
        (get(&served, "/patients").await.1, get(&served, "/practitioners").await.1);
    let settings = served.simulator.connection(&served.base).settings;
    let booking = json!({
        "starts_at": "2026-03-09T03:00:00Z", "patient_id": patients["patients"][0]["id"],
        "practitioner_id": practitioners["practitioners"][0]["id"], "business_id": settings["default-business"],
        "appointment_type_id": settings["default-appointment-type"],
    });
    let (status, made) = write(&served, Method::POST, "/individual_appointments", booking.clone()).await;
    assert_eq!((status, &made["ends_at"]), (201, &json!("2026-03-09T03:30:00Z")), "the type's length");
    assert!(made["patient"]["links"]["self"].as_str().unwrap().contains("/v1/patients/"));
    let path = format!("/individual_appointments/{}", made["id"].as_str().unwrap());

    let again = write(&served, Method::POST, "/individual_appointments", booking.clone()).await;
    assert_eq!(again.0, 201, "no key tells a repeat");
    assert_eq!(get(&served, &format!("{path}/conflicts")).await.1, json!({"conflicts": {"exist": true}}));

    let moved = json!({"starts_at": "2026-03-10T03:00:00Z", "ends_at": null});
    let (status, moved) = write(&served, Method::PATCH, &path, moved).await;
    assert_eq!((status, &moved["ends_at"]), (200, &json!("2026-03-10T03:30:00Z")));

    let cancel = format!("{path}/cancel");
    assert_eq!(write(&served, Method::PATCH, &cancel, json!({"cancellation_note": "ill"})).await.0, 422);
    assert_eq!(write(&served, Method::PATCH, &cancel, json!({"cancellation_reason": 50})).await.0, 204);
    let (_, read) = get(&served, &path).await;
    assert_eq!(
        (&read["cancelled_at"], &read["cancellation_reason"]),
        (&json!("2026-03-02T09:00:30Z"), &json!(50))
    );
    let listed = format!("/individual_appointments?q[]=id:={}", made["id"].as_str().unwrap());
    assert_eq!(get(&served, &listed).await.1["total_entries"], 0, "cancelled ones are hidden");
    assert_eq!(get(&served, &format!("{listed}&q[]=cancelled_at:*")).await.1["total_entries"], 1);
    let book = served.simulator.book();
    let booked = book.appointments.iter().find(|known| made["id"] == known.id.as_str()).unwrap();
    assert_eq!(booked.status, Status::Cancelled);

    let (status, refusal) = write(&served, Method::POST, "/individual_appointments", json!({})).await;
    assert_eq!((status, &refusal["errors"]["starts_at"]), (422, &json!("can't be blank")));
}

#[tokio::test]
async fn a_patient_is_made_and_changed() {
    let served = practice().await;
    let body = json!({"first_name": "Nilo", "last_name": "Probestein", "date_of_birth": "1990-05-01", "sex": "Male",
        "patient_phone_numbers": [{"phone_type": "Mobile", "number": "2025550101"}]});
    let (status, made) = write(&served, Method::POST, "/patients", body).await;
    assert_eq!((status, &made["date_of_birth"]), (201, &json!("1990-05-01")));
    let path = format!("/patients/{}", made["id"].as_str().unwrap());
    let (status, changed) =
        write(&served, Method::PATCH, &path, json!({"email": "nilo@patients.invalid"})).await;
    assert_eq!((status, &changed["last_name"]), (200, &json!("Probestein")));
    assert_eq!(write(&served, Method::PATCH, &path, json!({"last_name": ""})).await.0, 422);
    let found = get(&served, "/patients?q[]=last_name:=Probestein&q[]=date_of_birth:=1990-05-01").await.1;
    assert!(ids(&found, "patients").contains(&made["id"].as_str().unwrap().to_owned()));
}

#[tokio::test]
async fn free_times_are_for_a_week_at_most_and_go_when_they_are_taken() {
    let served = practice().await;
    let settings = served.simulator.connection(&served.base).settings;
    let practitioner = get(&served, "/practitioners").await.1["practitioners"][0]["id"].clone();
    let place = format!(
        "/businesses/{}/practitioners/{}/appointment_types/{}/available_times",
        settings["default-business"],
        practitioner.as_str().unwrap(),
        settings["default-appointment-type"]
    );
    let week = format!("{place}?from=2026-03-20&to=2026-03-27");
    let (status, free) = get(&served, &week).await;
    let first = free["available_times"][0]["appointment_start"].clone();
    assert_eq!((status, &first), (200, &json!("2026-03-19T22:00:00Z")), "nine in Melbourne");
    let booking = json!({
        "starts_at": first, "practitioner_id": practitioner, "business_id": settings["default-business"],
        "patient_id": get(&served, "/patients").await.1["patients"][0]["id"],
        "appointment_type_id": settings["default-appointment-type"],
    });
    assert_eq!(write(&served, Method::POST, "/individual_appointments", booking).await.0, 201);
    assert_ne!(get(&served, &week).await.1["available_times"][0]["appointment_start"], first);
    assert_eq!(get(&served, &format!("{place}?from=2026-03-20&to=2026-03-28")).await.0, 422);
}

#[tokio::test]
async fn two_hundred_calls_a_minute_and_the_answer_says_when_to_come_back() {
    let served = practice().await;
    for _ in 0..200 {
        assert_eq!(get(&served, "/businesses").await.0, 200);
    }
    let refused = call(&served, Method::GET, "/businesses").send().await.unwrap();
    assert_eq!(refused.status().as_u16(), 429);
    let reset: i64 = refused.headers()["x-ratelimit-reset"].to_str().unwrap().parse().unwrap();
    let now = served.simulator.clock().now().as_second();
    assert_eq!(reset - now, 30);
    served.simulator.clock().advance(std::time::Duration::from_secs(30));
    assert_eq!(get(&served, "/businesses").await.0, 200);
}

#[tokio::test]
async fn bills_are_read_only() {
    let served = practice().await;
    let (_, invoices) = get(&served, "/invoices?q[]=status:=10,20&sort=number:desc").await;
    let invoice = &invoices["invoices"][0];
    assert!(invoice["total_amount"].is_string() && invoice["status"].is_number());
    let path = format!("/invoices/{}", invoice["id"].as_str().unwrap());
    assert_eq!(write(&served, Method::PATCH, &path, json!({"status": 20})).await.0, 404);
    assert_eq!(served.simulator.book().procedures.len(), invoices["invoices"].as_array().unwrap().len());
}
