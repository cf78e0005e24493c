//! Epic's quirks.

use std::time::Duration;

use bridge_simulators::{Seed, Served, epic::Epic};
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
    let served = served(Epic::default()).await;
    served.simulator.clock().hold("2026-03-02T09:00:00Z".parse().unwrap());
    served.simulator.seed(&Seed { patients: 30, appointments: 60, ..Seed::default() });
    let token = token(&served, "first").await;
    let base = format!("{}/interconnect/api/FHIR", served.base);
    Site { served, token, base }
}

impl Site {
    async fn get(&self, path: &str) -> (u16, Value) {
        send(client().get(format!("{}/{path}", self.base)).bearer_auth(&self.token)).await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = client().post(format!("{}/{path}", self.base)).bearer_auth(&self.token);
        send(request.header("content-type", "application/fhir+json").body(body.to_string())).await
    }
}

fn code(outcome: &Value) -> &str {
    outcome["issue"][0]["details"]["coding"][0]["code"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_list_goes_on_until_its_session_expires() {
    let site = site().await;
    let mut seen = Vec::new();
    let (_, mut page) = site.get("R4/Appointment?date=ge2026-01-01&_count=25").await;
    assert_eq!(page["total"], 60);
    loop {
        let entries = page["entry"].as_array().unwrap();
        seen.extend(entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()));
        let links = page["link"].as_array().unwrap();
        let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
        let next = next["url"].as_str().unwrap().strip_prefix(&format!("{}/", site.base)).unwrap().to_owned();
        page = site.get(&next).await.1;
    }
    let count = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!((count, seen.len()), (60, 60));

    let (_, first) = site.get("R4/Appointment?date=ge2026-01-01&_count=25").await;
    let next = first["link"][1]["url"]
        .as_str()
        .unwrap()
        .strip_prefix(&format!("{}/", site.base))
        .unwrap()
        .to_owned();
    site.served.simulator.clock().advance(Duration::from_secs(600));
    let fresh = Site { token: token(&site.served, "second").await, ..site };
    let (status, outcome) = fresh.get(&next).await;
    assert_eq!((status, code(&outcome)), (400, "4113"));
}

#[tokio::test]
async fn searches_must_say_enough_and_may_find_nothing() {
    let site = site().await;
    let (status, outcome) = site.get("R4/Patient?family=a").await;
    assert_eq!((status, code(&outcome)), (400, "4110"));
    let (status, bundle) = site.get("R4/Patient?family=nobody&given=nobody").await;
    assert_eq!((status, &bundle["total"]), (200, &json!(0)));
    assert_eq!(bundle["entry"][0]["search"]["mode"], "outcome");
    assert_eq!(code(&bundle["entry"][0]["resource"]), "4101");
    assert_eq!(code(&site.get("R4/Appointment?_lastUpdated=ge2026-01-01").await.1), "4110");
    assert_eq!(site.get("R4/Slot?start=2026-04-01").await.0, 404);
    // Too many are refused, not cut.
    site.served.simulator.seed(&Seed { number: 2, patients: 400, practitioners: 0, appointments: 0 });
    let (status, outcome) = site.get("R4/Patient?name=f,m,n,p,s,t&birthdate=gt1900-01-01").await;
    assert_eq!((status, code(&outcome)), (400, "4127"));
    // In a search by POST the address's parameters do not count.
    let request =
        client().post(format!("{}/R4/Patient/_search?family=a", site.base)).bearer_auth(&site.token);
    assert_eq!(send(request.body("")).await.0, 400);
}

#[tokio::test]
async fn a_patient_is_registered_and_a_time_is_found_and_booked_once() {
    let site = site().await;
    let patient = json!({
        "resourceType": "Patient", "id": "mine", "birthDate": "1990-02-03", "gender": "female",
        "identifier": [{"system": "urn:sunrise", "value": "1"}],
        "name": [{"family": "Exampleson", "given": ["Ilka"]}],
    });
    assert_eq!(site.post("R4/Patient", &patient).await, (201, Value::Null));
    let (_, found) = site.get("R4/Patient?identifier=urn:sunrise%7C1").await;
    let id = found["entry"][0]["resource"]["id"].as_str().unwrap().to_owned();
    assert_ne!(id, "mine");

    let parameter =
        |name: &str, value: Value| json!({"name": name, value["as"].as_str().unwrap(): value["value"]});
    let time = |name, at| parameter(name, json!({"as": "valueDateTime", "value": at}));
    let who = parameter(
        "patient",
        json!({"as": "valueReference", "value": {"reference": format!("Patient/{id}")}}),
    );
    let find = json!({"resourceType": "Parameters", "parameter": [
        who, time("startTime", "2026-04-01T14:00:00Z"), time("endTime", "2026-04-01T15:00:00Z"),
    ]});
    let (status, proposals) = site.post("STU3/Appointment/$find", &find).await;
    assert_eq!((status, &proposals["total"]), (200, &json!(6)), "two half hours of three practitioners");
    let proposal = &proposals["entry"][0]["resource"];
    assert_eq!(proposal["status"], "proposed");
    let book = json!({"resourceType": "Parameters", "parameter": [
        who, {"name": "appointment", "valueIdentifier": {"value": proposal["id"]}},
    ]});
    let (status, booked) = site.post("STU3/Appointment/$book", &book).await;
    let booked = &booked["entry"][0]["resource"];
    assert_eq!((status, &booked["status"]), (200, &json!("booked")));
    let (_, read) = site.get(&format!("R4/Appointment/{}", booked["id"].as_str().unwrap())).await;
    assert_eq!(read["start"], proposal["start"]);
    assert_eq!(site.post("STU3/Appointment/$book", &book).await.0, 409);
    assert_eq!(site.post("R4/Appointment", booked).await.0, 405, "R4 only reads them");
}
