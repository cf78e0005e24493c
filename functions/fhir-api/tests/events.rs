//! The function, with the events that `cargo lambda invoke` sends.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../support/mod.rs"]
mod support;

use bridge_pipeline::fhir_api::access::{Access, FixedKeys, Issuer};
use fhir_api::FhirApi;
use serde_json::Value;
use support::{function, request};

const METADATA: &str = include_str!("../../../events/fhir-api/metadata.json");
const NO_TOKEN: &str = include_str!("../../../events/fhir-api/no-token.json");

async fn call(event: &str) -> (u64, Value) {
    let issuer = Issuer {
        issuer: "https://login.example".to_owned(),
        audience: "pms-bridge".to_owned(),
        tenant_claim: "tenant".to_owned(),
    };
    let access = Access::new(issuer, FixedKeys(r#"{"keys": []}"#.to_owned()));
    let (function, _) = function(|ports| FhirApi::new(ports, access, None)).await;
    let (status, body) = request(&function, event).await;
    (status, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn nobody_gets_in_without_a_token() {
    let (status, outcome) = call(NO_TOKEN).await;
    assert_eq!((status, &outcome["issue"][0]["code"]), (401, &Value::from("login")));
}

#[tokio::test]
async fn metadata_needs_no_token_and_a_connection_without_an_interface_says_so() {
    let (status, outcome) = call(METADATA).await;
    assert_eq!((status, &outcome["issue"][0]["code"]), (404, &Value::from("not-supported")));
    assert_eq!(outcome["resourceType"], "OperationOutcome");
}
