//! Oracle Health's quirks.

use bridge_simulators::{Seed, Served, oracle_health::OracleHealth};
use serde_json::{Value, json};

use crate::{
    smart::token,
    support::{client, send, served},
};

struct Site {
    served: Served,
    token: String,
    base: String,
}

async fn site() -> Site {
    let served = served(OracleHealth::default()).await;
    served.simulator.clock().hold("2026-03-02T09:00:00Z".parse().unwrap());
    served.simulator.seed(&Seed { patients: 10, appointments: 40, ..Seed::default() });
    let token = token(&served, "first").await;
    let base = served.simulator.connection(&served.base).settings["url"].clone();
    Site { served, token, base }
}

impl Site {
    fn call(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        client().request(method, format!("{}/{path}", self.base)).bearer_auth(&self.token)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        send(self.call(reqwest::Method::GET, path)).await
    }

    async fn status(&self, path: &str, status: &str, version: Option<&str>) -> u16 {
        let body = json!([{"op": "replace", "path": "/status", "value": status}]);
        let mut request = self.call(reqwest::Method::PATCH, path);
        if let Some(version) = version {
            request = request.header("if-match", version);
        }
        send(request.header("content-type", "application/json-patch+json").body(body.to_string())).await.0
    }

    /// Posts a resource, and gives the status and where it was put.
    async fn create(&self, path: &str, body: &Value) -> (u16, String) {
        let request = self.call(reqwest::Method::POST, path).header("content-type", "application/fhir+json");
        let answer = request.body(body.to_string()).send().await.unwrap();
        let place = answer.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
        (answer.status().as_u16(), place.unwrap_or_default())
    }
}

#[tokio::test]
async fn pages_overlap_and_searches_need_a_closed_range() {
    let site = site().await;
    let location =
        site.get("Location?name=Sampleby").await.1["entry"][0]["resource"]["id"].as_str().unwrap().to_owned();
    let all = format!("Appointment?location={location}&date=ge2026-01-01&date=lt2027-01-01&_count=15");
    let (mut seen, mut path) = (Vec::new(), all);
    loop {
        let (status, page) = site.get(&path).await;
        assert_eq!(status, 200, "{page}");
        let entries = page["entry"].as_array().unwrap();
        seen.extend(entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()));
        let links = page["link"].as_array().unwrap();
        let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
        path = next["url"].as_str().unwrap().strip_prefix(&format!("{}/", site.base)).unwrap().to_owned();
    }
    assert_eq!(seen.len(), 42, "each page after the first begins with the last of the one before");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 40);
    assert_eq!(site.get(&format!("Appointment?location={location}&date=ge2026-01-01")).await.0, 400);
    assert_eq!(site.get("Appointment?date=2026-03-02").await.0, 400);
    assert_eq!(site.get("Appointment?_lastUpdated=ge2026-01-01").await.0, 400);
    let xml = site.call(reqwest::Method::GET, "metadata").header("accept", "application/fhir+xml");
    assert_eq!(send(xml).await, (406, Value::Null));
    let other = site.base.replace("2f3c7d1e", "00000000");
    assert_eq!(send(client().get(format!("{other}/metadata"))).await.0, 403);
}

#[tokio::test]
async fn an_appointment_stands_on_a_slot_and_moves_in_allowed_steps() {
    let site = site().await;
    let practitioner = site.get("Practitioner?name=").await;
    assert_eq!(practitioner.0, 400, "an empty name is none");
    let (_, slots) =
        site.get("Slot?service-type=408443003&start=ge2026-04-01&start=lt2026-04-02&status=free").await;
    let slot = slots["entry"][0]["resource"].clone();
    let patient = site.served.simulator.book().patients[0].id.clone();
    let slot_id = slot["id"].as_str().unwrap();
    let mut wanted = json!({
        "resourceType": "Appointment", "status": "booked",
        "slot": [{"reference": format!("Slot/{slot_id}")}],
        "participant": [{"actor": {"reference": format!("Patient/{patient}")}, "status": "accepted"}],
    });
    let (status, place) = site.create("Appointment", &wanted).await;
    assert_eq!(status, 201);
    let path = place.strip_prefix(&format!("{}/", site.base)).unwrap();
    let (_, booked) = site.get(path).await;
    assert_eq!((&booked["start"], booked["participant"].as_array().unwrap().len()), (&slot["start"], 3));
    assert_eq!(site.create("Appointment", &wanted).await.0, 422, "the slot is not free any more");
    wanted["slot"] = json!([]);
    assert_eq!(site.create("Appointment", &wanted).await.0, 422);

    assert_eq!(site.status(path, "fulfilled", None).await, 422, "not from booked");
    assert_eq!(site.status(path, "arrived", Some("W/\"7\"")).await, 409);
    assert_eq!(site.status(path, "arrived", Some("W/\"1\"")).await, 204);
    assert_eq!(site.status(path, "cancelled", None).await, 204);
    assert_eq!(site.get(path).await.1["status"], "cancelled");
    let slot_path = format!("Slot/{slot_id}");
    let (_, slot) = site.get(&slot_path).await;
    assert_eq!(slot["status"], "free", "a cancelled appointment leaves its slot");
    assert_eq!(site.status(&slot_path, "busy-tentative", None).await, 412, "If-Match is not optional here");
    let version = format!("W/\"{}\"", slot["meta"]["versionId"].as_str().unwrap());
    assert_eq!(site.status(&slot_path, "busy-tentative", Some(&version)).await, 204);
    assert_eq!(site.status(&slot_path, "free", Some(&version)).await, 409);
}

#[tokio::test]
async fn charges_are_made_by_an_operation() {
    let site = site().await;
    let book = site.served.simulator.book();
    let charge = json!({
        "resourceType": "ChargeItem", "status": "billable",
        "code": {"coding": [{"system": "http://www.ama-assn.org/go/cpt", "code": "99214"}]},
        "subject": {"reference": format!("Patient/{}", book.patients[0].id)},
        "occurrenceDateTime": "2026-03-02T09:00:00Z", "priceOverride": {"value": 80.00, "currency": "USD"},
    });
    let parameters = json!({"resourceType": "Parameters", "parameter": [
        {"name": bridge_simulators::oracle_health::CHARGE, "resource": charge},
    ]});
    assert_eq!(site.create("ChargeItem/$create", &parameters).await.0, 201);
    assert_eq!(site.served.simulator.book().procedures.len(), book.procedures.len() + 1);
    assert_eq!(site.create("ChargeItem", &charge).await.0, 405);
    assert_eq!(site.create("ChargeItem/$create", &json!({"resourceType": "Parameters"})).await.0, 422);
}

#[tokio::test]
async fn the_statement_says_what_is_offered() {
    let site = site().await;
    let (_, statement) = site.get("metadata").await;
    assert_eq!(statement["fhirVersion"], "4.0.1");
    for resource in statement["rest"][0]["resource"].as_array().unwrap() {
        let kind = resource["type"].as_str().unwrap();
        let offers =
            |code: &str| resource["interaction"].as_array().unwrap().iter().any(|one| one["code"] == code);
        let status = site.get(&format!("{kind}/nothing-here")).await.0;
        assert_eq!(status == 404, offers("read"), "{kind}: {status}");
        let created = site.create(kind, &json!({"resourceType": kind})).await.0;
        assert_eq!(created != 405 && created != 403, offers("create"), "{kind}: {created}");
    }
}
