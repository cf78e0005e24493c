//! Who may ask: each thing that can be wrong with a token.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bridge_pipeline::{
    fhir_api::access::{Access, KeySource},
    ports::PortError,
};
use bridge_seal::Es256Key;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::asking::{AUDIENCE, Caller, caller, code, issuer, jwk, sign};

fn with_token(caller: &Caller, token: &str) -> (u16, String) {
    let response = caller.send("GET", "Patient", &[("authorization", &format!("Bearer {token}"))], "");
    if response.status == 200 {
        return (200, String::new());
    }
    let signature = token.rsplit('.').next().filter(|signature| !signature.is_empty());
    assert!(signature.is_none_or(|text| !response.body.contains(text)), "a token is never told back");
    if response.status == 401 {
        assert!(response.headers["www-authenticate"].starts_with("Bearer"));
    }
    code(&response)
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"})
}

#[test]
fn every_fault_of_a_token_is_a_refusal() {
    let caller = caller();
    assert_eq!(with_token(&caller, &caller.token()).0, 200);
    let now = caller.now().as_secs();
    let changes: &[(&str, Value, u16, &str)] = &[
        ("exp", json!(now - 61), 401, "expired"),
        ("exp", Value::Null, 401, "expired"),
        ("exp", json!("soon"), 401, "expired"),
        ("nbf", json!(now + 120), 401, "login"),
        ("iss", json!("https://other.example"), 401, "login"),
        ("aud", json!("https://other.example"), 401, "login"),
        ("aud", Value::Null, 401, "login"),
        ("nonce", json!("n"), 401, "login"),
        ("tenant", json!("other"), 403, "forbidden"),
        ("tenant", Value::Null, 403, "forbidden"),
        ("scope", json!("system/Appointment.rs"), 403, "forbidden"),
        ("scope", json!("system/Patient.r"), 403, "forbidden"),
    ];
    for (name, value, status, expected) in changes {
        let mut claims = caller.claims();
        claims[*name] = value.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(*name);
        }
        let refused = with_token(&caller, &sign(&caller.who.key, &header(), &claims));
        assert_eq!(refused, (*status, (*expected).to_owned()), "{name}");
    }
    for (name, value) in [("exp", json!(now - 59)), ("nbf", json!(now + 30)), ("aud", json!(["x", AUDIENCE]))]
    {
        let mut claims = caller.claims();
        claims[name] = value;
        assert_eq!(with_token(&caller, &sign(&caller.who.key, &header(), &claims)).0, 200, "{name}");
    }
    let headers = [
        json!({"alg": "none", "kid": "k1"}),
        json!({"alg": "HS256", "kid": "k1"}),
        json!({"alg": "RS256", "kid": "k1"}),
        json!({"alg": "ES256", "kid": "k2"}),
        json!({"alg": "ES256", "kid": "k1", "crit": ["x"]}),
    ];
    for wrong in headers {
        assert_eq!(with_token(&caller, &sign(&caller.who.key, &wrong, &caller.claims())).0, 401, "{wrong}");
    }
    let stranger = Es256Key::read(&Es256Key::generate().unwrap()).unwrap();
    assert_eq!(with_token(&caller, &sign(&stranger, &header(), &caller.claims())).0, 401);
    let token = caller.token();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    bytes[10] ^= 1;
    assert_eq!(with_token(&caller, &format!("{signed}.{}", BASE64URL_NOPAD.encode(&bytes))).0, 401);
    assert_eq!(with_token(&caller, &format!("{signed}.")).0, 401);
    assert_eq!(with_token(&caller, &"a".repeat(64 * 1024)).0, 401);
    for missing in ["", "Basic YTpi", "Bearer"] {
        let response = caller.send("GET", "Patient", &[("authorization", missing)], "");
        assert_eq!(
            (code(&response), response.headers["www-authenticate"].as_str()),
            ((401, "login".to_owned()), "Bearer")
        );
    }
}

#[test]
fn scopes_are_asked_for_each_thing() {
    let mut caller = caller();
    caller.who.scope = "system/Patient.s".to_owned();
    assert_eq!(caller.get("Patient").0, 200);
    let refused = caller.send("GET", "Patient/x", &[], "");
    assert_eq!(code(&refused), (403, "forbidden".to_owned()));
    assert!(refused.headers["www-authenticate"].contains("scope=\"system/Patient.r\""));
    assert_eq!(caller.send("POST", "Appointment", &[], "{}").status, 403);
    assert_eq!(caller.send("PUT", "Patient/x", &[], "{}").status, 403);
}

/// Keys that can be changed, and that may not be there.
#[derive(Clone, Default)]
struct Changing(Arc<std::sync::Mutex<Option<String>>>, Arc<AtomicUsize>);

impl KeySource for Changing {
    async fn keys(&self) -> Result<String, PortError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let keys = self.0.lock().unwrap().clone();
        keys.ok_or(PortError { operation: "issuer.keys", reason: "down".to_owned() })
    }
}

#[test]
fn keys_are_fetched_when_they_are_needed_and_kept_when_the_issuer_is_gone() {
    let mut caller = caller();
    let source = Changing::default();
    let access = Access::new(issuer(), source.clone());
    let ask = |caller: &Caller| {
        let request = bridge_core::http::Request {
            method: "GET".to_owned(),
            path: String::new(),
            query: String::new(),
            headers: [("authorization".to_owned(), format!("Bearer {}", caller.token()))].into(),
            source: None,
            body: Vec::new().into(),
        };
        let deadline = caller.now() + std::time::Duration::from_secs(20);
        let call = bridge_pipeline::fhir_api::FhirCall {
            connection: crate::pms::PMS,
            path: "Patient",
            request: &request,
            base: crate::asking::BASE,
            deadline,
        };
        futures::executor::block_on(caller.practice.bridge.fhir(call, &access)).status
    };
    assert_eq!(ask(&caller), 503, "no keys: not the caller's fault, and never let in");
    assert_eq!(ask(&caller), 503);
    assert_eq!(source.1.load(Ordering::Relaxed), 1, "asked once a minute");
    *source.0.lock().unwrap() = Some(json!({"keys": [jwk(&caller.who.key, "k1")]}).to_string());
    caller.pass(61);
    assert_eq!(ask(&caller), 200);
    *source.0.lock().unwrap() = None;
    caller.pass(3601);
    assert_eq!(ask(&caller), 200, "those from before are good while the issuer is gone");
    // A new key is found without waiting for the old ones to end.
    let key = Es256Key::read(&Es256Key::generate().unwrap()).unwrap();
    *source.0.lock().unwrap() = Some(json!({"keys": [jwk(&key, "k1")]}).to_string());
    caller.pass(3601);
    caller.who.key = key;
    assert_eq!(ask(&caller), 200);
}
