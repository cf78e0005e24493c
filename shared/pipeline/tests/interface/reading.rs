//! What can be asked in FHIR: metadata, reads, searches, creates and updates.

use bridge_core::config::{Fallback, OldAnswers};
use bridge_pipeline::ports::QueueName;
use bridge_testkit::{memory::lock, practice::actor};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::{
    asking::{BASE, Caller, caller, code},
    pms::{Fault, PMS, conflict, down},
};

fn appointment(caller: &Caller, start: &str) -> Value {
    let patient = caller.patient("P1");
    json!({
        "resourceType": "Appointment", "status": "booked", "start": start, "end": "2026-03-02T23:00:00Z",
        "participant": [{"actor": {"reference": format!("Patient/{patient}")}, "status": "accepted"}],
    })
}

const TEN: &str = "2026-03-02T10:00:00Z";

/// Creates an appointment; its id.
fn book(caller: &Caller, start: &str) -> String {
    let body = appointment(caller, start).to_string();
    let response = caller.send("POST", "Appointment", &[("prefer", "respond-async")], &body);
    assert_eq!(response.status, 202, "{}", response.body);
    caller.practice.settle();
    let status = response.headers["content-location"].strip_prefix(BASE).unwrap()[1..].to_owned();
    let done = caller.send("GET", &status, &[], "");
    assert_eq!(done.status, 201, "{}", done.body);
    done.headers["location"].rsplit('/').next().unwrap().to_owned()
}

#[test]
fn metadata_says_what_can_be_done_to_everybody() {
    let caller = caller();
    let response = caller.send("GET", "metadata", &[("authorization", "")], "");
    assert_eq!(response.status, 200);
    let statement: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!((&statement["kind"], &statement["fhirVersion"]), (&json!("instance"), &json!("4.0.1")));
    assert_eq!(statement["implementation"]["url"], BASE);
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let appointment = resources.iter().find(|resource| resource["type"] == "Appointment").unwrap();
    let codes: Vec<&str> = appointment["interaction"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["read", "search-type", "create", "update"]);
    let slot = resources.iter().find(|resource| resource["type"] == "Slot").unwrap();
    assert_eq!(slot["interaction"], json!([{"code": "search-type"}]), "nothing else is claimed");
    assert_eq!(slot["searchParam"], json!([{"name": "start", "type": "date"}]));
    assert!(!response.body.contains("null") && !response.body.contains("[]"));
}

#[test]
fn a_search_becomes_the_products_and_its_answer_is_fhir() {
    let caller = caller();
    let id = book(&caller, TEN);
    let patient = caller.patient("P1");
    caller.pms.get().calls.clear();
    let asked =
        format!("Appointment?patient=Patient/{patient}&date=ge2026-03-02&date=lt2026-03-03&status=booked");
    let (status, bundle) = caller.get(&asked);
    assert_eq!(status, 200, "{bundle}");
    assert_eq!(
        caller.pms.get().calls,
        ["list-appointments from=2026-03-02T07:00:00Z&patient=P1&status=Scheduled&to=2026-03-03T07:00:00Z"],
        "the practice's day, the product's id, the product's word"
    );
    assert_eq!((&bundle["type"], &bundle["link"][0]["relation"]), (&json!("searchset"), &json!("self")));
    assert!(bundle.get("entry").is_none(), "the product calls it `booked`, not `Scheduled`");
    let (_, bundle) = caller.get(&format!("Appointment?patient={BASE}/Patient/{patient}"));
    let entry = &bundle["entry"][0];
    assert_eq!(entry["fullUrl"], format!("{BASE}/Appointment/{id}"), "the same id as it was created with");
    assert_eq!(entry["search"]["mode"], "match");
    assert_eq!(entry["resource"]["participant"][0]["actor"]["reference"], format!("Patient/{patient}"));
    let (status, empty) = caller.get("Appointment?patient=Patient/nobody");
    assert_eq!((status, empty.get("entry")), (200, None), "nobody has no appointments");
    let (_, by_id) = caller.get(&format!("Appointment?_id={id}"));
    assert_eq!(by_id["entry"][0]["resource"]["id"], id.as_str());
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let posted = caller.send("POST", "Appointment/_search", &form, &format!("patient=Patient%2F{patient}"));
    let posted: Value = serde_json::from_str(&posted.body).unwrap();
    assert_eq!(posted["entry"], bundle["entry"], "searched by POST");
}

#[test]
fn what_cannot_be_searched_by_is_refused_unless_the_caller_is_lenient() {
    let caller = caller();
    for (path, expected) in [
        ("Patient?birthdate=1980-01-01", "not-supported"),
        ("Patient?family:exact=Zyxwv", "not-supported"),
        ("Appointment?status=arrived", "value"),
        ("Appointment?date=ne2026", "value"),
        ("Slot", "required"),
        ("Patient?_count=0", "value"),
        ("Patient?_page=forged", "value"),
    ] {
        let response = caller.send("GET", path, &[], "");
        assert_eq!(code(&response), (400, expected.to_owned()), "{path}");
        assert!(!response.body.contains("Zyxwv"), "values are not told back");
    }
    let lenient =
        caller.send("GET", "Patient?birthdate=1980-01-01&family=Z", &[("prefer", "handling=lenient")], "");
    assert_eq!(lenient.status, 200);
    let bundle: Value = serde_json::from_str(&lenient.body).unwrap();
    assert_eq!(bundle["link"][0]["url"], format!("{BASE}/Patient?family=Z"), "as it was understood");
}

#[test]
fn pages_are_followed_to_the_end_and_each_match_comes_once() {
    let caller = caller();
    for n in 0..25 {
        let record = json!({"id": format!("Q{n:02}"), "name": "Many", "updated": "1"});
        caller.pms.get().patients.insert(format!("Q{n:02}"), record);
    }
    caller.pms.get().page = 10;
    let (mut path, mut seen, mut pages) = ("Patient?_count=4".to_owned(), Vec::new(), 0);
    loop {
        let (status, bundle) = caller.get(&path);
        assert_eq!(status, 200, "{bundle}");
        pages += 1;
        let entries = bundle["entry"].as_array().unwrap();
        assert!(entries.len() <= 4);
        seen.extend(entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap().to_owned()));
        let links = bundle["link"].as_array().unwrap();
        let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
        path = next["url"].as_str().unwrap().strip_prefix(BASE).unwrap()[1..].to_owned();
        // Longer than what a sealed text has by chance.
        assert!(!path.contains("patients") && !path.contains("skip="), "{path}");
    }
    let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len(), pages), (27, 27, 8));
    let page = path.split_once("_page=").unwrap().1.to_owned();
    let other = caller.send("GET", &format!("Patient?family=x&_page={page}"), &[], "");
    assert_eq!(code(&other).0, 400, "a page belongs to its search");
}

#[test]
fn one_is_read_by_its_id_with_its_version() {
    let caller = caller();
    let id = caller.patient("P2");
    let response = caller.send("GET", &format!("Patient/{id}"), &[], "");
    assert_eq!(response.status, 200);
    let patient: Value = serde_json::from_str(&response.body).unwrap();
    assert_eq!((&patient["id"], &patient["name"][0]["family"]), (&json!(id), &json!("Quillon")));
    let tag = response.headers["etag"].clone();
    assert_eq!(tag, format!("W/\"{}\"", patient["meta"]["versionId"].as_str().unwrap()));
    let same = caller.send("GET", &format!("Patient/{id}"), &[("if-none-match", &tag)], "");
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    let head = caller.send("HEAD", &format!("Patient/{id}"), &[], "");
    assert_eq!((head.status, head.body.as_str(), &head.headers["etag"]), (200, "", &tag));
    caller.pms.get().patients.get_mut("P2").unwrap()["name"] = json!("Changed");
    assert_eq!(caller.send("GET", &format!("Patient/{id}"), &[("if-none-match", &tag)], "").status, 200);
    caller.pms.get().patients.remove("P2");
    assert_eq!(code(&caller.send("GET", &format!("Patient/{id}"), &[], "")), (404, "not-found".to_owned()));
    assert_eq!(code(&caller.send("GET", "Patient/nobody", &[], "")), (404, "not-found".to_owned()));
}

#[test]
fn a_connection_says_how_old_an_answer_may_be() {
    let caller = caller();
    let id = book(&caller, TEN);
    let path = format!("Appointment/{id}");
    assert_eq!(caller.get(&path).0, 200);
    let declare = |minutes: u32| {
        let bridge = &caller.practice.bridge;
        let id = PMS.parse().unwrap();
        let loaded = block_on(bridge.connection(&id)).unwrap().unwrap();
        let mut connection = loaded.connection.clone();
        let reads = Some(OldAnswers { stale_for: minutes });
        connection.fallback = Some(Fallback { reads, deliveries: None });
        block_on(bridge.apply_connection(connection, actor())).unwrap();
        // Another version of a connection knows no answers yet.
        assert_eq!(caller.get(&path).0, 200);
    };
    let down = |caller: &Caller| caller.pms.get().faults = vec![Fault::Answer(down()); 9].into();
    declare(10);
    caller.pass(9 * 60);
    down(&caller);
    let stale = caller.send("GET", &path, &[], "");
    assert_eq!((stale.status, stale.headers["age"].as_str()), (200, "540"));
    caller.pass(2 * 60);
    down(&caller);
    assert_eq!(caller.send("GET", &path, &[], "").status, 503, "older than the connection allows");
    caller.pms.get().faults.clear();
    caller.pass(3600);
    declare(0);
    caller.pass(31);
    down(&caller);
    assert_eq!(caller.send("GET", &path, &[], "").status, 503, "none at all");
}

#[test]
fn what_may_be_given_out_again_is_and_stands_in_for_a_product_that_fails() {
    let caller = caller();
    let id = book(&caller, TEN);
    let path = format!("Appointment/{id}");
    caller.pms.get().calls.clear();
    assert_eq!(caller.get(&path).0, 200);
    assert_eq!(caller.get(&path).0, 200);
    assert_eq!(caller.pms.get().calls.len(), 1, "within 30 seconds");
    caller.pass(31);
    assert_eq!(caller.get(&path).0, 200);
    assert_eq!(caller.pms.get().calls.len(), 2);
    caller.pass(31);
    caller.pms.get().faults = vec![Fault::Answer(down()); 9].into();
    let stale = caller.send("GET", &path, &[], "");
    assert_eq!(stale.status, 200);
    assert!(stale.headers["warning"].starts_with("110 "));
    assert_eq!(stale.headers["age"], "31");
    let resource: Value = serde_json::from_str(&stale.body).unwrap();
    assert_eq!(resource["meta"]["tag"][0]["code"], "stale");
    let refused = caller.send("GET", "Patient?family=x", &[], "");
    assert_eq!(code(&refused), (503, "transient".to_owned()), "nothing is known that could stand in");
    assert!(refused.headers.contains_key("retry-after"));
    let text: Vec<String> =
        lock(&caller.practice.world).tables.iter().map(|record| record.doc.clone()).collect();
    assert!(!text.join("").contains("Zyxwv"), "what is kept is sealed");
}

#[test]
fn a_record_that_cannot_be_mapped_costs_itself() {
    let caller = caller();
    caller.pms.get().patients.insert("P3".to_owned(), json!({"name": "No id"}));
    let (status, bundle) = caller.get("Patient");
    assert_eq!(status, 200);
    let modes: Vec<&str> = bundle["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["search"]["mode"].as_str().unwrap())
        .collect();
    assert_eq!(modes, ["match", "match", "outcome"]);
    assert_eq!(bundle["entry"][2]["resource"]["issue"][0]["severity"], "warning");
}

#[test]
fn a_create_is_durable_before_it_is_answered_and_told_when_it_is_done() {
    let caller = caller();
    let body = appointment(&caller, TEN).to_string();
    let key = [("idempotency-key", "key-1")];
    let first = caller.send("POST", "Appointment", &key, &body);
    assert_eq!(first.status, 202, "nobody delivers yet: {}", first.body);
    assert_eq!(lock(&caller.practice.world).queues[&QueueName::Outbound].messages.len(), 1);
    let status = first.headers["content-location"].strip_prefix(BASE).unwrap()[1..].to_owned();
    let running = caller.send("GET", &status, &[], "");
    assert_eq!((running.status, running.headers["x-progress"].as_str()), (202, "waiting, after 0 attempts"));
    caller.practice.settle();
    let done = caller.send("POST", "Appointment", &key, &body);
    assert_eq!(done.status, 201, "{}", done.body);
    let resource: Value = serde_json::from_str(&done.body).unwrap();
    let id = resource["id"].as_str().unwrap();
    assert_eq!(done.headers["location"], format!("{BASE}/Appointment/{id}"));
    assert_eq!(resource["identifier"][0]["value"], "A1");
    assert!(done.headers["etag"].starts_with("W/") && done.headers["last-modified"].ends_with(" GMT"));
    assert_eq!(caller.send("GET", &status, &[], "").status, 201);
    caller.practice.settle();
    assert_eq!(caller.pms.get().appointments.len(), 1, "asked for twice, done once");
    let minimal = caller.send("POST", "Appointment", &[key[0], ("prefer", "return=minimal")], &body);
    assert_eq!((minimal.status, minimal.body.as_str()), (201, ""));
    let other = appointment(&caller, "2026-03-02T12:00:00Z").to_string();
    let reused = caller.send("POST", "Appointment", &key, &other);
    assert_eq!(code(&reused), (422, "business-rule".to_owned()), "the key belongs to another request");
}

#[test]
fn an_update_and_a_cancellation_go_to_the_record_that_is_meant() {
    let caller = caller();
    let id = book(&caller, TEN);
    let read = caller.send("GET", &format!("Appointment/{id}"), &[], "");
    let tag = read.headers["etag"].clone();
    let mut resource: Value = serde_json::from_str(&read.body).unwrap();
    resource["status"] = json!("cancelled");
    let path = format!("Appointment/{id}");
    let key = ("idempotency-key", "cancel");
    let stale = caller.send("PUT", &path, &[("if-match", "W/\"old\"")], &resource.to_string());
    assert_eq!(code(&stale), (412, "conflict".to_owned()));
    let headers = [key, ("if-match", &*tag)];
    assert_eq!(
        caller
            .send("PUT", &path, &[headers[0], headers[1], ("prefer", "respond-async")], &resource.to_string())
            .status,
        202
    );
    caller.practice.settle();
    let done = caller.send("PUT", &path, &[key], &resource.to_string());
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(caller.pms.get().appointments["A1"]["status"], "cancelled");
    assert!(done.body.contains(&id), "the same resource");
    let elsewhere = caller.send("PUT", "Appointment/other", &[], &resource.to_string());
    assert_eq!(code(&elsewhere), (400, "invalid".to_owned()));
    resource["id"] = json!("other");
    let unknown = caller.send("PUT", "Appointment/other", &[], &resource.to_string());
    assert_eq!(code(&unknown), (404, "not-found".to_owned()));
}

#[test]
fn of_two_writes_with_one_stamp_the_later_is_told() {
    let caller = caller();
    let (_, found) = caller.get("Patient");
    let mut patient = found["entry"][0]["resource"].clone();
    let path = format!("Patient/{}", patient["id"].as_str().unwrap());
    for family in ["Firstly", "Secondly"] {
        patient["name"] = json!([{"family": family}]);
        let body = patient.to_string();
        let key = ("idempotency-key", family);
        let taken = caller.send("PUT", &path, &[key, ("prefer", "respond-async")], &body);
        assert_eq!(taken.status, 202, "{}", taken.body);
        caller.practice.settle();
        // Time passes for us, and the product stamps both with the same second.
        caller.pass(1);
        let done = caller.send("PUT", &path, &[key], &body);
        assert!(done.status == 200 && done.body.contains(family), "{} {}", done.status, done.body);
    }
}

#[test]
fn a_refusal_is_told_and_holds_nothing_up() {
    let caller = caller();
    let body = appointment(&caller, TEN).to_string();
    caller.pms.get().faults = [Fault::Answer(conflict())].into();
    let key = [("idempotency-key", "taken")];
    caller.send("POST", "Appointment", &key, &body);
    caller.practice.settle();
    let refused = caller.send("POST", "Appointment", &key, &body);
    assert_eq!(code(&refused), (409, "conflict".to_owned()));
    assert!(lock(&caller.practice.world).tables.iter().all(|record| !record.key.sk.starts_with("parked#")));
    book(&caller, "2026-03-02T12:00:00Z");
}

/// Method, path, headers, body; status and code.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a str, (u16, &'a str));

#[test]
fn what_is_wrong_with_a_request_is_said() {
    let caller = caller();
    let good = appointment(&caller, TEN);
    let mut unknown = good.clone();
    unknown["participant"][0]["actor"]["reference"] = json!("Patient/nobody");
    let mut wrong = good.clone();
    wrong["status"] = json!("maybe");
    let put = format!("Appointment/{}", caller.patient("P1"));
    let (good, unknown, wrong) = (good.to_string(), unknown.to_string(), wrong.to_string());
    let cases: &[Case<'_>] = &[
        ("POST", "Appointment", &[], &wrong, (422, "invalid")),
        ("POST", "Appointment", &[], &unknown, (422, "not-found")),
        ("POST", "Appointment", &[], "{", (400, "structure")),
        ("POST", "Patient", &[], &good, (405, "not-supported")),
        ("PUT", "Patient/x", &[], &good, (400, "invalid")),
        ("PUT", &put, &[], "{\"resourceType\":\"Appointment\"}", (400, "invalid")),
        ("POST", "Appointment", &[("content-type", "application/fhir+xml")], "<a/>", (415, "not-supported")),
        ("POST", "Appointment", &[("content-type", "text/plain")], &good, (415, "not-supported")),
        ("GET", "Patient", &[("accept", "application/fhir+xml")], "", (406, "not-supported")),
        ("GET", "Patient?_format=xml", &[], "", (406, "not-supported")),
        ("GET", "Observation", &[], "", (404, "not-supported")),
        ("GET", "Slot/1", &[], "", (405, "not-supported")),
        ("DELETE", "Appointment/1", &[], "", (405, "not-supported")),
        ("GET", "a/b/c/d", &[], "", (404, "not-found")),
        ("GET", "_status/dlv_aaaaaaaaaaaaaaaaaaaaaaaaaa", &[], "", (404, "not-found")),
        ("GET", "Patient?access_token=abc", &[], "", (400, "invalid")),
    ];
    for (method, path, headers, body, (status, expected)) in cases {
        let response = caller.send(method, path, headers, body);
        assert_eq!(code(&response), (*status, (*expected).to_owned()), "{method} {path} {}", response.body);
        assert!(!response.body.contains("maybe"), "values are not told back");
    }
    let allow = &caller.send("DELETE", "Appointment/1", &[], "").headers["allow"];
    assert_eq!(allow, "GET, HEAD, PUT");
    let queues =
        lock(&caller.practice.world).queues.get(&QueueName::Outbound).map_or(0, |queue| queue.messages.len());
    assert_eq!(queues, 0, "nothing bad gets in");
}
