//! `.well-known/smart-configuration`: where tokens for this interface come from (SMART App Launch 2.2, "Conformance").

use bridge_core::{
    http::Response,
    manifest::{On, ResourceApi},
};
use serde_json::{Value, json};

use super::{
    access::{Access, KeySource},
    refusal::{Code, Refused},
};
use crate::{bridge::Bridge, ports::Ports, product::Product};

/// Below a connection's base.
pub(super) const PATH: [&str; 2] = [".well-known", "smart-configuration"];

impl<P: Ports> Bridge<P> {
    /// The document. It is JSON, whatever is accepted, and nobody needs a token for it.
    pub(super) async fn smart_configuration(
        &self,
        product: &Product,
        access: &Access<impl KeySource>,
    ) -> Result<Response, Refused> {
        let no_issuer = || {
            let text = "no issuer says where tokens for this interface come from";
            Refused::new(404, Code::NotFound, text)
        };
        let said = access.discovery(self.now()).await.map_err(|error| {
            tracing::error!(%error, "the issuer says nothing of itself");
            let text = "the issuer says nothing of itself at the moment: ask again";
            Refused::new(503, Code::Transient, text).with("retry-after", "30")
        })?;
        let body = configuration(&said.ok_or_else(no_issuer)?, product).ok_or_else(no_issuer)?;
        Ok(Response::json(200, &body).with_header("access-control-allow-origin", "*"))
    }
}

fn configuration(said: &Value, product: &Product) -> Option<Value> {
    let methods = said.get("token_endpoint_auth_methods_supported").cloned();
    let methods = methods.unwrap_or_else(|| json!(["client_secret_basic"]));
    let by_key = methods.as_array().into_iter().flatten().any(|method| method == "private_key_jwt");
    let client = if by_key { "client-confidential-asymmetric" } else { "client-confidential-symmetric" };
    let mut configuration = json!({
        "issuer": said.get("issuer")?,
        "token_endpoint": said.get("token_endpoint")?,
        "token_endpoint_auth_methods_supported": methods,
        "grant_types_supported": ["client_credentials"],
        "scopes_supported": scopes(product),
        "code_challenge_methods_supported": ["S256"],
        "capabilities": [client, "permission-v1", "permission-v2"],
    });
    if let Some(keys) = said.get("jwks_uri") {
        configuration["jwks_uri"] = keys.clone();
    }
    Some(configuration)
}

/// What can be asked for, of what the adapter offers.
fn scopes(product: &Product) -> Vec<String> {
    let scope = |(kind, rules): (&String, &ResourceApi)| {
        let writes = |on| rules.write.iter().any(|write| write.on == on);
        let letters = [
            ('c', writes(On::Create)),
            ('r', rules.read.is_some()),
            ('u', writes(On::Update)),
            ('s', !rules.search.is_empty()),
        ];
        let letters: String = letters.iter().filter(|(_, can)| *can).map(|(letter, _)| *letter).collect();
        (!letters.is_empty()).then(|| format!("system/{kind}.{letters}"))
    };
    product.api().resources.iter().filter_map(scope).collect()
}
