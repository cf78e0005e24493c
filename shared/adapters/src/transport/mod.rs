//! The ways out: what a manifest's `deliver.transport` names.
//!
//! A transport makes one attempt and classifies it. It never retries, keeps nothing between attempts except
//! connections, and its causes say what was answered, never what was sent or which words came back.

mod endpoint;
mod hl7v2;
mod knock;
mod outcome;
pub(crate) mod retry_after;
pub(crate) mod signals;
mod standard_webhook;
mod tls;

use std::{
    collections::HashMap,
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bridge_core::{
    Cause,
    config::{Connection, Serves},
    destination::{Call, Destination, Outcome},
    manifest::{Deliver, Manifest, Transport},
};
pub(crate) use endpoint::endpoint;
pub(crate) use hl7v2::Address;
pub use hl7v2::{MllpAddress, MllpConnection, MllpError};
use reqwest::{Client, ClientBuilder, redirect};
pub(crate) use standard_webhook::signing_key;
use tls::{Configs, Fingerprint};
pub use tls::{Material, TlsFault};

use crate::api::{Discovered, Guard, Mappings};

/// Time to connect; what a call may take altogether is the manifest's and the caller's to say.
const CONNECT: Duration = Duration::from_secs(5);
/// A NAT gateway forgets a silent connection after 350 s without telling either end.
const IDLE: Duration = Duration::from_secs(60);

/// Every way out, with the connections that are kept open.
#[derive(Debug)]
pub struct Transports {
    client: Client,
    /// For products' interfaces, whose names lead to public addresses alone; and for those on this machine.
    api: OnceLock<Client>,
    local_api: OnceLock<Client>,
    /// The mappings that interfaces are called with.
    pub(crate) mappings: Mappings,
    /// Where servers say that their token endpoints are.
    pub(crate) discovered: Discovered,
    /// Clients for receivers with TLS settings of their own.
    clients: Mutex<HashMap<Fingerprint, Client>>,
    pool: hl7v2::Pool,
    configs: Configs,
}

/// The machine lacks what HTTPS needs (no root certificates, for example).
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client can be made")]
pub struct NoClient(#[source] reqwest::Error);

impl From<reqwest::Error> for NoClient {
    fn from(error: reqwest::Error) -> Self {
        Self(error)
    }
}

impl Transports {
    /// The ways to all destinations. Build it once.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new() -> Result<Self, NoClient> {
        Ok(Self {
            client: builder().build().map_err(NoClient)?,
            api: OnceLock::new(),
            local_api: OnceLock::new(),
            mappings: Mappings::default(),
            discovered: Discovered::default(),
            clients: Mutex::default(),
            pool: hl7v2::Pool::default(),
            configs: Configs::default(),
        })
    }

    /// The client for an interface, made when the first one is called: loading the machine's certificates takes
    /// milliseconds.
    pub(crate) fn api_client(&self, guard: Guard) -> Result<&Client, NoClient> {
        let client = if guard.local { &self.local_api } else { &self.api };
        match client.get() {
            Some(client) => Ok(client),
            None => {
                // A proxy would resolve names by itself, and so undo the guard.
                let made = builder().no_proxy().dns_resolver(guard).build().map_err(NoClient)?;
                Ok(client.get_or_init(|| made))
            }
        }
    }

    /// The client for receivers with these TLS settings; that of everybody where there are none.
    fn client_for(&self, material: &Material<'_>) -> Result<Client, TlsFault> {
        match material.ca.trim().is_empty() && material.identity.is_none() {
            true => Ok(self.client.clone()),
            false => self.client_with(material),
        }
    }

    /// The client for receivers with these TLS settings.
    fn client_with(&self, material: &Material<'_>) -> Result<Client, TlsFault> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&material.fingerprint()) {
            return Ok(client.clone());
        }
        let client = http_client(material)?;
        clients.insert(material.fingerprint(), client.clone());
        Ok(client)
    }
}

/// A client for HTTPS with these TLS settings, which follows no redirects.
///
/// # Errors
/// When they can't be used.
pub fn http_client(material: &Material<'_>) -> Result<Client, TlsFault> {
    builder().tls_backend_preconfigured(material.config()?).build().map_err(|_| TlsFault::Platform)
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("pms-bridge/", env!("CARGO_PKG_VERSION")))
        // A redirect would hand PHI to an address that nobody configured.
        .redirect(redirect::Policy::none())
        .connect_timeout(CONNECT)
        .pool_idle_timeout(IDLE)
        .tcp_keepalive(IDLE)
}

impl Destination for Transports {
    async fn deliver(&self, call: &Call<'_>) -> Outcome {
        let Some(Deliver { transport, timeout, signals, .. }) = &call.manifest.deliver else {
            return Outcome::Rejected(configuration("the adapter takes no deliveries", "adapter"));
        };
        let time = call.time_left.min(Duration::from_secs(*timeout));
        match transport {
            Transport::StandardWebhook { url, secret } => {
                match standard_webhook::request(&self.client, call, url, secret) {
                    Err(cause) => Outcome::Rejected(cause),
                    Ok(request) => outcome::of(request.timeout(time).send().await, signals, call.now).await,
                }
            }
            Transport::Hl7v2 { .. } => hl7v2::deliver(self, call, time).await,
            // Resources are written one by one, by `Remote::write`.
            Transport::Api => {
                Outcome::Rejected(configuration("the product is written to by its interface", "adapter"))
            }
        }
    }

    async fn knock(
        &self,
        connection: &Connection,
        manifest: &Manifest,
        serves: Serves,
        time: Duration,
    ) -> bool {
        tokio::time::timeout(time, knock::knock(self, connection, manifest, serves)).await.unwrap_or(false)
    }
}

/// The connection cannot be used as it is configured.
fn configuration(text: &str, place: &str) -> Cause {
    Cause::new("destination.configuration", text).at(place)
}
