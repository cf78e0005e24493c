//! Whether there is somebody at an address: asked of an endpoint that failed, before anything is sent to it.
//!
//! Over HTTP that is OPTIONS, which has no effect (RFC 9110, section 9.3.7), over MLLP a connection.

use bridge_core::{
    config::{Connection, Secret, Serves},
    manifest::{Manifest, Transport},
};
use reqwest::{Client, Method, StatusCode, Url};

use super::{Material, Transports, endpoint, hl7v2::Address};
use crate::{adapter::settings, api::callable, template};

/// A receiver that fails says so by a 5xx to every request. What it has against this one does not matter.
pub(super) async fn knock(
    ways: &Transports,
    connection: &Connection,
    manifest: &Manifest,
    serves: Serves,
) -> bool {
    let settings = settings(connection, manifest);
    let Some(address) = manifest.address(serves).and_then(|text| template::fill(text, &settings).ok()) else {
        return false;
    };
    let transport = manifest.deliver.as_ref().map(|deliver| &deliver.transport);
    match (serves, transport) {
        (Serves::Interface, _) => {
            match callable(&address).map(|(url, guard)| (url, ways.api_client(guard))) {
                Some((url, Ok(client))) => options(client, url).await,
                _ => false,
            }
        }
        (Serves::Deliveries, Some(Transport::Hl7v2 { ca, identity, .. })) => {
            let Ok(ca) = template::fill(ca, &settings) else { return false };
            let secret = |name: &String| connection.secrets.get(name).map(Secret::values)?.first();
            let material = Material { ca: &ca, identity: identity.as_ref().and_then(secret) };
            match Address::parse(&address) {
                Some(Address::Mllp(address)) => ways.pool.reaches(&address, &material, &ways.configs).await,
                Some(Address::Http(url)) => match ways.client_for(&material) {
                    Ok(client) => options(&client, url).await,
                    Err(_) => false,
                },
                None => false,
            }
        }
        (Serves::Deliveries, _) => match endpoint(&address) {
            Some(url) => options(&ways.client, url).await,
            None => false,
        },
    }
}

async fn options(client: &Client, url: Url) -> bool {
    let answer = client.request(Method::OPTIONS, url).send().await;
    answer.is_ok_and(|answer| {
        let status = answer.status();
        !status.is_server_error() && status != StatusCode::TOO_MANY_REQUESTS
    })
}
