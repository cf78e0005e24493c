//! The ways out: what a manifest's `deliver.transport` names.
//!
//! A transport makes one attempt and classifies it. It never retries, keeps nothing between attempts except
//! connections, and its causes say what was answered, never what was sent or which words came back.

mod endpoint;
mod outcome;
mod retry_after;
mod signals;
mod standard_webhook;

use std::time::Duration;

use bridge_core::{
    Cause,
    destination::{Call, Destination, Outcome},
    manifest::{Deliver, Transport},
};
pub(crate) use endpoint::endpoint;
use reqwest::{Client, redirect};
pub(crate) use standard_webhook::signing_key;

/// Time to connect; what a call may take altogether is the manifest's and the caller's to say.
const CONNECT: Duration = Duration::from_secs(5);
/// A NAT gateway forgets a silent connection after 350 s without telling either end.
const IDLE: Duration = Duration::from_secs(60);

/// Deliveries by HTTP, over one pool of connections.
#[derive(Debug, Clone)]
pub struct Http {
    client: Client,
}

/// The machine lacks what HTTPS needs (no root certificates, for example).
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be made")]
pub struct NoClient(#[source] reqwest::Error);

impl Http {
    /// A client for all destinations. Build it once.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, NoClient> {
        let client = Client::builder()
            .user_agent(concat!("pms-bridge/", env!("CARGO_PKG_VERSION")))
            // A redirect would hand PHI to an address that nobody configured.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .tcp_keepalive(IDLE)
            .build()
            .map_err(NoClient)?;
        Ok(Self { client })
    }
}

impl Destination for Http {
    async fn deliver(&self, call: &Call<'_>) -> Outcome {
        let Some(Deliver { transport, timeout, signals, .. }) = &call.manifest.deliver else {
            return Outcome::Rejected(configuration("the adapter takes no deliveries", "adapter"));
        };
        let request = match transport {
            Transport::StandardWebhook { url, secret } => {
                standard_webhook::request(&self.client, call, url, secret)
            }
        };
        match request {
            Err(cause) => Outcome::Rejected(cause),
            Ok(request) => {
                let time = call.time_left.min(Duration::from_secs(*timeout));
                outcome::of(request.timeout(time).send().await, signals, call.now).await
            }
        }
    }
}

/// The connection cannot be used as it is configured.
fn configuration(text: &str, place: &str) -> Cause {
    Cause::new("destination.configuration", text).at(place)
}
