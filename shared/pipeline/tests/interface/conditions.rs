//! Conditional reads and creates, and where tokens come from.

use bridge_pipeline::{
    fhir_api::access::{Access, KeySource},
    ports::{PortError, QueueName},
};
use bridge_testkit::memory::lock;
use serde_json::{Value, json};

use crate::{
    asking::{BASE, Caller, caller, code, issuer},
    pms::{Fault, conflict},
    reading::{TEN, appointment, book},
};

#[test]
fn a_read_is_conditional_by_its_tag_or_its_date() {
    let caller = caller();
    let id = book(&caller, TEN);
    let path = format!("Appointment/{id}");
    let tag = caller.send("GET", &path, &[], "").headers["etag"].clone();
    let status = |headers: &[(&str, &str)]| caller.send("GET", &path, headers, "").status;
    assert_eq!(status(&[("if-none-match", &tag)]), 304);
    assert_eq!(status(&[("if-none-match", "W/\"other\"")]), 200);
    // The product does not say when it changed it: nothing can be compared.
    assert_eq!(status(&[("if-modified-since", "Mon, 02 Mar 2099 10:00:00 GMT")]), 200);
}

/// Headers of a create that is to happen once for this patient.
fn criteria(caller: &Caller) -> String {
    format!("patient=Patient/{}", caller.patient("P1"))
}

#[test]
fn a_conditional_create_makes_one_and_no_second() {
    let caller = caller();
    let (criteria, body) = (criteria(&caller), appointment(&caller, TEN).to_string());
    let header = [("if-none-exist", criteria.as_str())];
    assert_eq!(caller.send("POST", "Appointment", &header, &body).status, 202);
    // Asked by somebody else before the product has it: the same one.
    let (other, elsewhere) =
        (caller.send("POST", "Appointment", &header, &body), appointment(&caller, "2026-03-02T11:00:00Z"));
    assert_eq!(other.status, 202);
    let third = caller.send(
        "POST",
        "Appointment",
        &[("if-none-exist", &*format!("Appointment?{criteria}"))],
        &elsewhere.to_string(),
    );
    assert_eq!(third.headers["content-location"], other.headers["content-location"]);
    assert_eq!(lock(&caller.practice.world).queues[&QueueName::Outbound].messages.len(), 1);
    caller.practice.settle();
    let found = caller.send("POST", "Appointment", &header, &body);
    assert_eq!(found.status, 200, "{}", found.body);
    assert!(
        found.headers["location"].starts_with(&format!("{BASE}/Appointment/"))
            && found.headers["etag"].starts_with("W/")
    );
    assert_eq!(caller.pms.get().appointments.len(), 1);
    let minimal = caller.send("POST", "Appointment", &[header[0], ("prefer", "return=minimal")], &body);
    assert_eq!((minimal.status, minimal.body.as_str()), (200, ""));
    book(&caller, "2026-03-02T12:00:00Z");
    let two = caller.send("POST", "Appointment", &header, &body);
    assert_eq!(code(&two), (412, "multiple-matches".to_owned()));
}

#[test]
fn what_was_refused_may_be_asked_for_again_under_the_same_criteria() {
    let caller = caller();
    let (criteria, body) = (criteria(&caller), appointment(&caller, TEN).to_string());
    let header = [("if-none-exist", criteria.as_str())];
    caller.pms.get().faults = [Fault::None, Fault::Answer(conflict())].into();
    let first = caller.send("POST", "Appointment", &header, &body);
    caller.practice.settle();
    let status = first.headers["content-location"].strip_prefix(BASE).unwrap()[1..].to_owned();
    assert_eq!(code(&caller.send("GET", &status, &[], "")).0, 409);
    let second = caller.send("POST", "Appointment", &header, &body);
    assert_ne!(second.headers["content-location"], first.headers["content-location"]);
    caller.practice.settle();
    assert_eq!(caller.pms.get().appointments.len(), 1);
}

#[test]
fn criteria_that_are_not_understood_create_nothing() {
    let mut caller = caller();
    let body = appointment(&caller, TEN).to_string();
    for (criteria, expected) in [
        ("", (400, "required")),
        ("shoe-size=44", (400, "not-supported")),
        ("status=arrived", (400, "value")),
    ] {
        let lenient = [("if-none-exist", criteria), ("prefer", "handling=lenient")];
        let refused = caller.send("POST", "Appointment", &lenient, &body);
        assert_eq!(code(&refused), (expected.0, expected.1.to_owned()), "{criteria}");
    }
    caller.who.scope = "system/Appointment.c".to_owned();
    let refused = caller.send("POST", "Appointment", &[("if-none-exist", "status=booked")], &body);
    assert_eq!(code(&refused), (403, "forbidden".to_owned()), "a search is what it is");
    assert!(!lock(&caller.practice.world).queues.contains_key(&QueueName::Outbound));
}

/// An issuer that says of itself what Discovery asks for.
struct Told;

impl KeySource for Told {
    async fn keys(&self) -> Result<String, PortError> {
        Ok(json!({"keys": []}).to_string())
    }
    async fn discovery(&self) -> Result<Option<Value>, PortError> {
        Ok(Some(json!({"issuer": "https://login.example", "token_endpoint": "https://login.example/token",
            "jwks_uri": "https://login.example/keys", "token_endpoint_auth_methods_supported": ["private_key_jwt"]})))
    }
}

#[test]
fn smart_configuration_says_where_tokens_come_from() {
    let caller = caller();
    let path = ".well-known/smart-configuration";
    assert_eq!(code(&caller.send("GET", path, &[], "")).0, 404, "the local issuer has no endpoint");
    let request = bridge_core::http::Request {
        method: "GET".to_owned(),
        path: format!("/fhir/sim.pms/{path}"),
        query: String::new(),
        headers: [("accept".to_owned(), "text/html".to_owned())].into(),
        source: None,
        body: bridge_core::Phi::new(Vec::new()),
    };
    let call = bridge_pipeline::fhir_api::FhirCall {
        connection: "sim.pms",
        path,
        request: &request,
        base: BASE,
        deadline: caller.now(),
    };
    let told = futures::executor::block_on(caller.practice.bridge.fhir(call, &Access::new(issuer(), Told)));
    assert_eq!((told.status, told.headers["content-type"].as_str()), (200, "application/json"));
    let told: Value = serde_json::from_str(&told.body).unwrap();
    assert_eq!(told["token_endpoint"], "https://login.example/token");
    assert_eq!(told["grant_types_supported"], json!(["client_credentials"]));
    assert_eq!(told["code_challenge_methods_supported"], json!(["S256"]));
    let scopes = told["scopes_supported"].as_array().unwrap();
    assert!(
        scopes.contains(&json!("system/Appointment.crus")) && scopes.contains(&json!("system/Slot.s")),
        "{told}"
    );
    assert!(told["capabilities"].as_array().unwrap().contains(&json!("client-confidential-asymmetric")));
}
