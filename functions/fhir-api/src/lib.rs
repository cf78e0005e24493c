//! `fhir-api`: a connection's product, asked in FHIR R4.
//!
//! Routes: `ANY /fhir/{connection}/{proxy+}`, and `GET /.well-known/jwks.json`: the keys by which products know the bridge.

mod keys;

use std::time::Duration;

use bridge_aws::lambda::{EventError, Function, Invocation, Warm, http};
use bridge_core::{Timestamp, http::Request};
use bridge_pipeline::{
    Bridge,
    fhir_api::{
        FhirCall,
        access::{Access, KeySource},
    },
    ports::{QueueName, RemotePorts},
    signing::JWKS_PATH,
};
use futures::future::BoxFuture;
use serde_json::Value;

pub use keys::IssuerKeys;

/// What it calls of AWS.
pub const WARM: [Warm; 3] = [Warm::Tables, Warm::Keys, Warm::Sending(QueueName::Outbound)];
/// What is left of the time when a caller gets an answer.
const TO_REPLY: Duration = Duration::from_secs(2);

/// The function.
#[derive(Debug)]
pub struct FhirApi<P, K> {
    bridge: Bridge<P>,
    access: Access<K>,
    /// The public address of `/fhir`; where there is none, the one that was called.
    address: Option<String>,
}

impl<P: RemotePorts, K: KeySource + 'static> FhirApi<P, K> {
    /// Over these ports, for these callers. `address` is the public one of `/fhir`, without a slash at its end.
    pub fn new(ports: P, access: Access<K>, address: Option<String>) -> Self {
        Self { bridge: Bridge::new(ports), access, address }
    }

    fn base(&self, request: &Request, connection: &str) -> String {
        let address = self.address.clone().unwrap_or_else(|| {
            let host = request.header("host").unwrap_or("localhost");
            let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
            // TLS ends at the gateway; on this machine there is none.
            let scheme = if matches!(name, "localhost" | "127.0.0.1" | "[::1]") { "http" } else { "https" };
            format!("{scheme}://{host}/fhir")
        });
        format!("{address}/{connection}")
    }
}

impl<P: RemotePorts, K: KeySource + 'static> Function for FhirApi<P, K> {
    fn call<'a>(
        &'a self,
        event: &'a [u8],
        invocation: &'a Invocation,
    ) -> BoxFuture<'a, Result<Value, EventError>> {
        Box::pin(async {
            let call = http::read(event)?;
            if call.request.path == JWKS_PATH {
                return Ok(http::write(&self.bridge.answer_jwks(&call.request).await));
            }
            let connection = call.parameter("connection");
            let base = self.base(&call.request, connection);
            let asked = FhirCall {
                connection,
                path: call.parameter("proxy").trim_end_matches('/'),
                request: &call.request,
                base: &base,
                deadline: Timestamp::from_millis(
                    invocation.deadline.as_millis() - TO_REPLY.as_millis() as i64,
                ),
            };
            let answered = self.bridge.fhir(asked, &self.access);
            Ok(http::write(&http::in_time(invocation, answered).await))
        })
    }
}
