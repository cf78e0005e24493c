//! A caller of the FHIR interface: tokens of an issuer of its own, requests, answers.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{
    Phi, Timestamp,
    http::{Request, Response},
};
use bridge_pipeline::{
    Bridge,
    fhir_api::{
        FhirCall,
        access::{Access, FixedKeys, Issuer},
    },
    ports::Clock as _,
};
use bridge_seal::Es256Key;
use bridge_testkit::{
    memory::{Hook, MemoryPorts, lock},
    practice::Practice,
};
use data_encoding::BASE64URL_NOPAD;
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::pms::{Handle, PMS, practice};

pub(crate) const ISSUER: &str = "https://login.example";
pub(crate) const AUDIENCE: &str = "https://bridge.example/fhir";
pub(crate) const BASE: &str = "https://bridge.example/fhir/sim.pms";

/// A practice, its product, and somebody who may ask.
pub(crate) struct Caller {
    pub(crate) practice: Practice,
    pub(crate) pms: Handle,
    pub(crate) key: Es256Key,
    pub(crate) access: Access<FixedKeys>,
    pub(crate) scope: String,
}

pub(crate) fn jwk(key: &Es256Key, id: &str) -> Value {
    let (x, y) = key.coordinates().unwrap();
    json!({"kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "alg": "ES256",
        "x": BASE64URL_NOPAD.encode(x), "y": BASE64URL_NOPAD.encode(y)})
}

pub(crate) fn issuer() -> Issuer {
    Issuer { issuer: ISSUER.to_owned(), audience: AUDIENCE.to_owned(), tenant_claim: "tenant".to_owned() }
}

pub(crate) fn caller() -> Caller {
    let (practice, pms) = practice();
    let key = Es256Key::read(&Es256Key::generate().unwrap()).unwrap();
    let keys = json!({"keys": [jwk(&key, "k1")]}).to_string();
    let access = Access::new(issuer(), FixedKeys(keys));
    Caller { practice, pms, key, access, scope: "system/*.cruds".to_owned() }
}

pub(crate) fn sign(key: &Es256Key, header: &Value, claims: &Value) -> String {
    let part = |json: &Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&key.sign(signed.as_bytes()).unwrap()))
}

impl Caller {
    pub(crate) fn now(&self) -> Timestamp {
        self.practice.bridge.ports().now()
    }

    pub(crate) fn claims(&self) -> Value {
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "studio", "tenant": "sim", "scope": self.scope,
            "exp": self.now().as_secs() + 300})
    }

    pub(crate) fn token(&self) -> String {
        sign(&self.key, &json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}), &self.claims())
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Response {
        self.send_by(&self.practice.bridge, method, path, headers, body)
    }

    /// The same, answered by another process.
    pub(crate) fn send_by<H: Hook>(
        &self,
        bridge: &Bridge<MemoryPorts<H>>,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut all = BTreeMap::from([("authorization".to_owned(), format!("Bearer {}", self.token()))]);
        if !body.is_empty() {
            all.insert("content-type".to_owned(), "application/fhir+json".to_owned());
        }
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let request = Request {
            method: method.to_owned(),
            path: format!("/fhir/{PMS}/{path}"),
            query: query.to_owned(),
            headers: all,
            source: None,
            body: Phi::new(body.as_bytes().to_vec()),
        };
        let deadline = self.now() + Duration::from_secs(25);
        let call = FhirCall { connection: PMS, path, request: &request, base: BASE, deadline };
        let response = block_on(bridge.fhir(call, &self.access));
        if response.status >= 400 && method != "HEAD" {
            let outcome: Value = serde_json::from_str(&response.body).unwrap();
            assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
            assert_eq!(response.headers["content-type"], "application/fhir+json; charset=utf-8");
        }
        response
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        let response = self.send("GET", path, &[], "");
        (response.status, serde_json::from_str(&response.body).unwrap())
    }

    /// The id of the patient that the product calls so.
    pub(crate) fn patient(&self, id: &str) -> String {
        let (_, bundle) = self.get("Patient");
        let entries = bundle["entry"].as_array().unwrap();
        let is_it = |entry: &&Value| entry["resource"]["identifier"][0]["value"] == id;
        entries.iter().find(is_it).unwrap()["resource"]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        lock(&self.practice.world).now += seconds * 1000;
    }
}

pub(crate) fn code(response: &Response) -> (u16, String) {
    let outcome: Value = serde_json::from_str(&response.body).unwrap();
    (response.status, outcome["issue"][0]["code"].as_str().unwrap().to_owned())
}
