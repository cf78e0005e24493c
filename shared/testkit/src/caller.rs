//! Somebody who asks the FHIR interface: an issuer of its own, its tokens, and requests.

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
    ports::{Clock as _, RemotePorts},
};
use bridge_seal::Es256Key;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// The connection that is asked.
pub const PMS: &str = "sim.pms";
/// Whose tokens are taken.
pub const ISSUER: &str = "https://login.example";
/// For what.
pub const AUDIENCE: &str = "https://bridge.example/fhir";
/// Where the connection's interface is.
pub const BASE: &str = "https://bridge.example/fhir/sim.pms";
/// An answer is given within this.
const WITHIN: Duration = Duration::from_secs(25);

/// A caller with a key of the issuer in its own hands.
#[derive(Debug)]
pub struct Caller {
    /// What signs its tokens.
    pub key: Es256Key,
    /// Who lets it in.
    pub access: Access<FixedKeys>,
    /// What it may do.
    pub scope: String,
}

/// A request: method, path behind the base with its query, headers, and a body or nothing.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// `GET`.
    pub method: &'a str,
    /// `Patient?family=Quillon`.
    pub path: &'a str,
    /// Besides the token and the type of the body.
    pub headers: &'a [(&'a str, &'a str)],
    /// JSON.
    pub body: &'a str,
}

/// A caller who may do everything.
impl Default for Caller {
    fn default() -> Self {
        let key = Es256Key::read(&Es256Key::generate().expect("a key")).expect("what was made is read");
        let keys = json!({"keys": [jwk(&key, "k1")]}).to_string();
        let access = Access::new(issuer(), FixedKeys(keys));
        Self { key, access, scope: "system/*.cruds".to_owned() }
    }
}

impl Caller {
    /// What its tokens say at a time.
    pub fn claims(&self, now: Timestamp) -> Value {
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "studio", "tenant": "sim", "scope": self.scope,
            "exp": now.as_secs() + 300})
    }

    /// A token.
    pub fn token(&self, now: Timestamp) -> String {
        sign(&self.key, &json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}), &self.claims(now))
    }

    /// Asks, and is answered by a process.
    pub async fn ask<P: RemotePorts>(&self, bridge: &Bridge<P>, asked: Asked<'_>) -> Response {
        let now = bridge.ports().clock().now();
        let (path, query) = asked.path.split_once('?').unwrap_or((asked.path, ""));
        let mut headers =
            BTreeMap::from([("authorization".to_owned(), format!("Bearer {}", self.token(now)))]);
        if !asked.body.is_empty() {
            headers.insert("content-type".to_owned(), "application/fhir+json".to_owned());
        }
        headers.extend(asked.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let request = Request {
            method: asked.method.to_owned(),
            path: format!("/fhir/{PMS}/{path}"),
            query: query.to_owned(),
            headers,
            source: None,
            body: Phi::new(asked.body.as_bytes().to_vec()),
        };
        let call = FhirCall { connection: PMS, path, request: &request, base: BASE, deadline: now + WITHIN };
        bridge.fhir(call, &self.access).await
    }
}

/// The issuer, as the bridge is told of it.
pub fn issuer() -> Issuer {
    Issuer { issuer: ISSUER.to_owned(), audience: AUDIENCE.to_owned(), tenant_claim: "tenant".to_owned() }
}

/// The public half of a key (RFC 7517).
pub fn jwk(key: &Es256Key, id: &str) -> Value {
    let (x, y) = key.coordinates().expect("a point");
    json!({"kty": "EC", "crv": "P-256", "kid": id, "use": "sig", "alg": "ES256",
        "x": BASE64URL_NOPAD.encode(x), "y": BASE64URL_NOPAD.encode(y)})
}

/// A signed token with this header and these claims (RFC 7515).
pub fn sign(key: &Es256Key, header: &Value, claims: &Value) -> String {
    let part = |json: &Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    format!("{signed}.{}", BASE64URL_NOPAD.encode(&key.sign(signed.as_bytes()).expect("a signature")))
}
