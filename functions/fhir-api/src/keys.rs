//! The issuer's keys over HTTPS.

use bridge_adapters::OpenId;
use bridge_pipeline::{fhir_api::access::KeySource, ports::PortError};
use serde_json::Value;

/// The keys of an OpenID Connect issuer.
#[derive(Debug)]
pub struct IssuerKeys(pub OpenId);

impl KeySource for IssuerKeys {
    async fn keys(&self) -> Result<String, PortError> {
        let keys = self.0.keys().await;
        keys.map_err(|error| PortError { operation: "issuer.keys", reason: error.to_string() })
    }

    async fn discovery(&self) -> Result<Option<Value>, PortError> {
        let said = self.0.discovery().await;
        said.map(Some).map_err(|error| PortError { operation: "issuer.discovery", reason: error.to_string() })
    }
}
