//! A caller of the FHIR interface, with a token of an issuer of its own.

use std::{collections::BTreeMap, time::Duration};

use bridge_core::{
    Phi,
    http::{Request, Response},
};
use bridge_pipeline::fhir_api::{
    FhirCall,
    access::{Access, FixedKeys, Issuer},
};
use bridge_seal::Es256Key;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::practice::{PMS, Practice};

const ISSUER: &str = "https://login.example";
const AUDIENCE: &str = "https://bridge.example/fhir";
const BASE: &str = "https://bridge.example/fhir/sim.pms";

/// Practice Studio, asking.
pub(crate) struct Caller<'a> {
    practice: &'a Practice,
    access: Access<FixedKeys>,
    key: Es256Key,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Answered {
    fn of(response: Response) -> Self {
        let body = serde_json::from_str(&response.body).unwrap_or_default();
        Self { status: response.status, headers: response.headers, body }
    }

    /// The resources of a searchset.
    pub(crate) fn found(&self) -> Vec<Value> {
        assert_eq!((self.status, &self.body["type"]), (200, &json!("searchset")), "{}", self.body);
        let entries = self.body["entry"].as_array().into_iter().flatten();
        entries.filter(|entry| entry["search"]["mode"] == "match").map(|e| e["resource"].clone()).collect()
    }

    /// Why it was refused.
    pub(crate) fn diagnostics(&self) -> &str {
        assert_eq!(self.body["resourceType"], "OperationOutcome", "{}", self.body);
        self.body["issue"][0]["diagnostics"].as_str().unwrap()
    }
}

impl<'a> Caller<'a> {
    pub(crate) fn of(practice: &'a Practice) -> Self {
        let key = Es256Key::read(&Es256Key::generate().unwrap()).unwrap();
        let (x, y) = key.coordinates().unwrap();
        let (x, y) = (BASE64URL_NOPAD.encode(x), BASE64URL_NOPAD.encode(y));
        let keys = json!({"keys": [
            {"kty": "EC", "crv": "P-256", "kid": "k1", "use": "sig", "alg": "ES256", "x": x, "y": y},
        ]});
        let issuer = Issuer {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            tenant_claim: "tenant".to_owned(),
        };
        Self { practice, access: Access::new(issuer, FixedKeys(keys.to_string())), key }
    }

    fn token(&self) -> String {
        let part = |json: &Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
        let claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "studio", "tenant": "sim",
            "scope": "system/*.cruds", "exp": self.practice.time.now().as_secs() + 300});
        let header = json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"});
        let signed = format!("{}.{}", part(&header), part(&claims));
        format!("{signed}.{}", BASE64URL_NOPAD.encode(&self.key.sign(signed.as_bytes()).unwrap()))
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answered {
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
        let deadline = self.practice.time.now() + Duration::from_secs(25);
        let call = FhirCall { connection: PMS, path, request: &request, base: BASE, deadline };
        Answered::of(self.practice.bridge.fhir(call, &self.access).await)
    }

    /// Reads or searches. Parameters that a product can't search by are left out, as FHIR says of a lenient search.
    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.send("GET", path, &[("prefer", "handling=lenient")], "").await
    }

    /// Writes, and hears how it ended.
    pub(crate) async fn write(&self, method: &str, path: &str, resource: &Value) -> Answered {
        let prefer = [("prefer", "respond-async")];
        let accepted = self.send(method, path, &prefer, &resource.to_string()).await;
        if accepted.status != 202 {
            return accepted;
        }
        let status = accepted.headers["content-location"].strip_prefix(BASE).unwrap();
        self.practice.settle().await;
        self.send("GET", status.trim_start_matches('/'), &[], "").await
    }
}
