//! A signed POST by [Standard Webhooks 1.0](https://www.standardwebhooks.com).

use bridge_core::{
    Cause, Phi,
    config::{Connection, Secret},
    destination::Call,
};
use bridge_seal::hmac_sha256;
use data_encoding::BASE64;
use reqwest::{Client, RequestBuilder, header::CONTENT_TYPE};
use zeroize::Zeroizing;

use super::{configuration, endpoint};
use crate::{adapter::settings, template};

/// The request of one attempt. `webhook-id` and `Idempotency-Key` are the delivery's id, so they stay the same on
/// every attempt; the time stamp and so the signature do not.
pub(super) fn request(
    client: &Client,
    call: &Call<'_>,
    url: &str,
    secret: &str,
) -> Result<RequestBuilder, Cause> {
    let address = template::fill(url, &settings(call.connection, call.manifest))
        .ok()
        .and_then(|address| endpoint(&address))
        .ok_or_else(|| configuration("the destination's address cannot be used", "settings"))?;
    let keys = signing_keys(call.connection, secret)
        .ok_or_else(|| configuration("the destination's signing secret cannot be used", "secrets"))?;
    let id = call.delivery.as_str();
    let timestamp = call.now.as_secs().to_string();
    let body = call.body.expose();
    let signature = keys.iter().map(|key| signature(key, id, &timestamp, body)).collect::<Vec<_>>().join(" ");
    Ok(client
        .post(address)
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .header("idempotency-key", id)
        .header(CONTENT_TYPE, "application/fhir+json")
        .body(body.clone()))
}

fn signature(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    let mac = hmac_sha256(key, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body]);
    format!("v1,{}", BASE64.encode(&mac))
}

/// The keys of the secret's values: during a rotation a request is signed with both.
fn signing_keys(connection: &Connection, secret: &str) -> Option<Vec<Zeroizing<Vec<u8>>>> {
    let values = connection.secrets.get(secret).map(Secret::values).unwrap_or_default();
    if values.is_empty() {
        return None;
    }
    values.iter().map(signing_key).collect()
}

/// The bytes behind `whsec_`; the specification allows 24 to 64 of them.
pub(crate) fn signing_key(secret: &Phi<String>) -> Option<Zeroizing<Vec<u8>>> {
    let encoded = secret.expose().strip_prefix("whsec_")?;
    let key = Zeroizing::new(BASE64.decode(encoded.as_bytes()).ok()?);
    (24..=64).contains(&key.len()).then_some(key)
}
