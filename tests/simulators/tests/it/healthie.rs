//! Healthie: what its interface does that others don't.

use std::sync::Arc;

use bridge_simulators::{Seed, Served, Simulator as _, Status, healthie::Healthie, parts::sign, serve};
use serde_json::{Value, json};

use crate::support::{client, send};

async fn practice() -> Served {
    let simulator = Healthie::default();
    simulator.seed(&Seed::default());
    serve(Arc::new(simulator), None).await.unwrap()
}

fn request(served: &Served, version: Option<&str>, query: &str, variables: Value) -> reqwest::RequestBuilder {
    let request = client().post(format!("{}/graphql", served.base));
    let request = request
        .header("authorization", "Basic healthie-key-not-a-secret")
        .header("authorizationsource", "API");
    let body = json!({"query": query, "variables": variables}).to_string();
    match version {
        Some(version) => request.header("healthie-graphql-api-version", version).body(body),
        None => request.body(body),
    }
}

async fn ask(served: &Served, query: &str, variables: Value) -> Value {
    let (status, body) = send(request(served, Some("2026-01-01"), query, variables)).await;
    assert_eq!(status, 200);
    body
}

fn message(answer: &Value) -> &str {
    answer["errors"][0]["message"].as_str().unwrap_or_default()
}

const PAGE: &str = "query ($after: String, $first: Int) {
  appointments(is_org: true, filter: \"all\", with_all_statuses: true, order_by: UPDATED_AT_DESC, after: $after, first: $first) {
    nodes { id updated_at user { id } }
    page_info { has_next_page end_cursor }
    total_count
  }
}";

#[tokio::test]
async fn the_key_and_the_version_are_looked_at() {
    let served = practice().await;
    let stranger =
        client().post(format!("{}/graphql", served.base)).header("authorization", "Basic x").body("{}");
    assert_eq!(send(stranger).await.1["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    let (_, odd) = send(request(&served, Some("2025-06-15"), PAGE, json!({}))).await;
    assert_eq!(odd["errors"][0]["extensions"]["code"], "UNSUPPORTED_API_VERSION");
    let users = "{ users(page_size: 3) { id cursor } }";
    let (_, old) = send(request(&served, None, users, json!({}))).await;
    assert_eq!(
        old["data"]["users"].as_array().map(Vec::len),
        Some(3),
        "a list, before there were connections"
    );
    let codes: Vec<_> =
        old["extensions"]["warnings"].as_array().unwrap().iter().map(|w| w["code"].clone()).collect();
    assert_eq!(codes, [json!("MISSING_API_VERSION_HEADER"), json!("API_VERSION_SUNSET_WARNING")]);
    let (_, latest) =
        send(request(&served, Some("2026-07-01"), "{ users(first: 1) { total_count } }", json!({}))).await;
    assert_eq!(latest, json!({"data": {"users": {"total_count": 20}}}));
    assert!(message(&ask(&served, users, json!({})).await).contains("page_size"), "and not since");
}

#[tokio::test]
async fn documents_are_checked_against_the_schema() {
    let served = practice().await;
    for (query, variables, said) in [
        (
            "{ users(first: 1) { nodes { shoe_size } } }",
            json!({}),
            "Field 'shoe_size' doesn't exist on type 'User'",
        ),
        ("{ users(first: 1) { nodes } }", json!({}), "Field must have selections"),
        ("{ user(id: \"1\") { id { x } } }", json!({}), "Selections can't be made on scalars"),
        (
            "query ($id: String) { user(id: $id) { id } }",
            json!({"id": "1"}),
            "Type mismatch on variable $id and argument id",
        ),
        ("{ user(id: $id) { id } }", json!({}), "used but not declared"),
        ("query ($n: Int) { users(first: $n) { total_count } }", json!({"n": "many"}), "Could not coerce"),
        ("{ availableSlotsForRange { date } }", json!({}), "missing required arguments: provider_id"),
        ("{ appointments(order_by: SIZE) { total_count } }", json!({}), "invalid value"),
        ("{ users(first: 1 ", json!({}), "Parse error"),
        ("query { ...F } fragment F on User { id }", json!({}), "can't be spread inside Query"),
        (
            "mutation { createClient(input: {shoe: 1}) { user { id } } }",
            json!({}),
            "doesn't accept argument 'shoe'",
        ),
    ] {
        let answer = ask(&served, query, variables).await;
        assert!(message(&answer).contains(said), "{query}: {answer}");
        assert!(answer.get("data").is_none());
    }
    // The example of the product's guide: 1 + 1 + 3 times 4.
    let wide = "{ users { nodes { id first_name last_name dob gender email phone_number active created_at updated_at
        full_name sex timezone npi record_identifier dietitian_id legal_name location { id line1 city zip } } } }";
    assert_eq!(
        message(&ask(&served, wide, json!({})).await),
        "Query has complexity of 2202, which exceeds max complexity of 2000"
    );
    let narrow = wide.replace("users {", "users(first: 50) {");
    assert!(ask(&served, &narrow, json!({})).await["data"].is_object());
    let named =
        "query { a: user(id: \"0\") { id } ...Q } fragment Q on Query { users(first: 1) { t: total_count } }";
    assert_eq!(ask(&served, named, json!({})).await["data"], json!({"a": null, "users": {"t": 20}}));
}

#[tokio::test]
async fn the_newest_come_first_page_by_page() {
    let served = practice().await;
    served.simulator.clock().advance(std::time::Duration::from_secs(60));
    let touched = served.simulator.touch("Appointment", 3);
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = ask(&served, PAGE, json!({"after": after, "first": 7})).await;
        let list = &page["data"]["appointments"];
        assert_eq!(list["total_count"], 40);
        seen.extend(
            list["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap().to_owned()),
        );
        if list["page_info"]["has_next_page"] == false {
            break;
        }
        after = list["page_info"]["end_cursor"].clone();
    }
    let mut first: Vec<_> = seen[..3].to_vec();
    first.reverse();
    assert_eq!(first, touched);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 40);
    let future = ask(&served, "{ appointments { total_count } }", json!({})).await;
    assert!(
        future["data"]["appointments"]["total_count"].as_u64().unwrap() < 20,
        "the owner's, ahead of now"
    );
}

const BOOK: &str = "mutation ($input: createAppointmentInput) {
  createAppointment(input: $input) { appointment { id date pm_status length } messages { field message } }
}";
const CHANGE: &str = "mutation ($input: updateAppointmentInput) {
  updateAppointment(input: $input) { appointment { id date pm_status } messages { field message } }
}";

#[tokio::test]
async fn what_is_refused_stands_beside_nothing() {
    let served = practice().await;
    let user = served.simulator.book().patients[0].id.clone();
    let provider = ask(&served, "{ organizationMembers(first: 1) { nodes { id } } }", json!({})).await;
    let provider = provider["data"]["organizationMembers"]["nodes"][0]["id"].clone();
    let mut input = json!({"user_id": user, "appointment_type_id": "1", "other_party_id": provider,
        "contact_type": "In Person", "datetime": "2027-03-03 09:30:00", "enforce_availability": true});
    let refused = ask(&served, BOOK, json!({"input": input})).await;
    let payload = &refused["data"]["createAppointment"];
    assert_eq!(
        (&payload["appointment"], &payload["messages"][0]["field"]),
        (&Value::Null, &json!("appointment_location_id"))
    );
    input["contact_type"] = json!("Healthie Video Call");
    let made = ask(&served, BOOK, json!({"input": input})).await["data"]["createAppointment"].clone();
    assert_eq!(made["messages"], Value::Null, "{made}");
    assert_eq!(made["appointment"]["date"], "2027-03-03T09:30:00-05:00", "in the zone of the key's owner");
    let taken = ask(&served, BOOK, json!({"input": input})).await;
    assert_eq!(taken["data"]["createAppointment"]["messages"][0]["field"], "datetime");
    input["enforce_availability"] = json!(false);
    assert!(
        ask(&served, BOOK, json!({"input": input})).await["data"]["createAppointment"]["appointment"]["id"]
            .is_string()
    );

    let id = made["appointment"]["id"].clone();
    let wrong = ask(&served, CHANGE, json!({"input": {"id": id, "pm_status": "Gone"}})).await;
    assert_eq!(wrong["data"]["updateAppointment"]["messages"][0]["field"], "pm_status");
    let moved = json!({"id": id, "datetime": "2027-03-03T10:30:00-05:00"});
    assert!(
        ask(&served, CHANGE, json!({"input": moved})).await["data"]["updateAppointment"]["messages"]
            .is_null()
    );
    let cancelled = ask(&served, CHANGE, json!({"input": {"id": id, "pm_status": "Cancelled"}})).await;
    assert_eq!(cancelled["data"]["updateAppointment"]["appointment"]["pm_status"], "Cancelled");
    let book = served.simulator.book();
    let booking = book.appointments.iter().find(|booking| json!(booking.id) == id).unwrap();
    assert_eq!(
        (booking.status, booking.start.to_string().as_str()),
        (Status::Cancelled, "2027-03-03T15:30:00Z")
    );

    let delete = "mutation ($id: ID) { deleteAppointment(input: {id: $id}) { appointment { id } messages { message } } }";
    ask(&served, delete, json!({"id": id})).await;
    let read =
        "query ($id: ID, $gone: Boolean) { appointment(id: $id, include_deleted: $gone) { deleted_at } }";
    assert_eq!(ask(&served, read, json!({"id": id})).await["data"]["appointment"], Value::Null);
    assert!(
        ask(&served, read, json!({"id": id, "gone": true})).await["data"]["appointment"]["deleted_at"]
            .is_string()
    );
}

#[tokio::test]
async fn webhooks_are_thin_and_signed_in_their_own_way() {
    let served = practice().await;
    let create = "mutation ($input: createWebhookInput) { createWebhook(input: $input) { webhook { id } } }";
    let input = json!({"url": "http://127.0.0.1:9/webhooks/a.b", "webhook_events": [{"event_type": "appointment.updated"}]});
    ask(&served, create, json!({"input": input})).await;
    served.simulator.touch("Patient", 1);
    let ids = served.simulator.touch("Appointment", 1);
    let [delivery] = served.simulator.deliveries().try_into().unwrap();
    let body: Value = serde_json::from_slice(&delivery.body).unwrap();
    assert_eq!((&body["resource_id"], &body["event_type"]), (&json!(ids[0]), &json!("appointment.updated")));
    let header = |name: &str| &delivery.headers.iter().find(|(known, _)| known == name).unwrap().1;
    let digest = header("content-digest").strip_prefix("SHA-256=").unwrap();
    let signed = format!("post /webhooks/a.b  {digest} application/json {}", delivery.body.len());
    let expected =
        format!("sig1={}", sign::hmac_sha256_hex("whsec_healthie-not-a-secret", signed.as_bytes()));
    assert_eq!(header("signature"), &expected);
}
