//! Telling true webhooks from false: the rules of [`Verify`], each in constant time over the raw bytes.

use std::net::IpAddr;

use bridge_core::{
    Phi, Timestamp,
    http::Request,
    manifest::{Encoding, IpRange, Verify},
};
use bridge_seal::{equal, hmac_sha256, sha256, verify_ed25519};
use data_encoding::{BASE64, BASE64_NOPAD, HEXLOWER_PERMISSIVE};

use super::Refusal;

/// Whether the sender's address is allowed. Without a list everybody is.
pub(super) fn sender(allowed: &[IpRange], source: Option<IpAddr>) -> Result<(), Refusal> {
    let inside = |source| allowed.iter().any(|range| range.contains(source));
    if allowed.is_empty() || source.is_some_and(inside) { Ok(()) } else { Err(Refusal::sender()) }
}

/// Whether `text` is one of the secrets.
pub(super) fn is_one_of(secrets: &[Phi<String>], text: &[u8]) -> bool {
    // All are compared, so that the time does not tell which one matched.
    secrets.iter().fold(false, |found, secret| found | equal(secret.expose().as_bytes(), text))
}

/// Verifies a request by `rule`, with any of `secrets`.
///
/// # Errors
/// 401: a header is missing, the signature does not match, or its time stamp is too far from `now`.
pub fn signature(
    rule: &Verify,
    secrets: &[Phi<String>],
    request: &Request,
    now: Timestamp,
) -> Result<(), Refusal> {
    if secrets.is_empty() {
        return Err(Refusal::no_secret());
    }
    let header = |name: &str| request.header(name).ok_or_else(Refusal::unsigned);
    let body = request.body.expose().as_slice();
    let matches = match rule {
        Verify::Token { header: name, .. } => is_one_of(secrets, header(name)?.as_bytes()),
        Verify::Basic { user, .. } => basic(secrets, header("authorization")?, user),
        Verify::Hmac { header: name, encoding, prefix, .. } => {
            let given = decode(header(name)?, prefix, *encoding)?;
            any(secrets, |secret| equal(&hmac_sha256(secret, &[body]), &given))
        }
        Verify::TimestampedHmac {
            header: name,
            timestamp_header,
            encoding,
            prefix,
            separator,
            body_base64,
            tolerance,
            ..
        } => {
            let stamp = header(timestamp_header)?;
            let given = decode(header(name)?, prefix, *encoding)?;
            fresh(stamp, *tolerance, now)?;
            let encoded = if *body_base64 { BASE64.encode(body).into_bytes() } else { body.to_vec() };
            let parts: [&[u8]; 3] = [stamp.as_bytes(), separator.as_bytes(), &encoded];
            any(secrets, |secret| equal(&hmac_sha256(secret, &parts), &given))
        }
        Verify::DigestSignature { digest_header, header: name, prefix, .. } => {
            let digest = header(digest_header)?;
            let digest = digest.strip_prefix("SHA-256=").ok_or_else(Refusal::signature)?;
            let given = decode(header(name)?, prefix, Encoding::Hex)?;
            let true_digest = equal(&decode_base64(digest).unwrap_or_default(), &sha256(&[body]));
            true_digest & digest_signature(secrets, request, digest, &given)
        }
        Verify::Ed25519 { header: name, .. } => {
            let given = decode(header(name)?, "", Encoding::Base64)?;
            any(secrets, |key| {
                let key = std::str::from_utf8(key).ok().and_then(decode_base64);
                key.is_some_and(|key| verify_ed25519(&key, body, &given))
            })
        }
        Verify::StandardWebhooks { tolerance, .. } => standard_webhooks(secrets, request, *tolerance, now)?,
    };
    if matches { Ok(()) } else { Err(Refusal::signature()) }
}

/// RFC 7617. The scheme's name is written in any case.
fn basic(secrets: &[Phi<String>], header: &str, user: &str) -> bool {
    let given = header.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let Some(given) = given.and_then(|(_, text)| decode_base64(text.trim())) else { return false };
    let known = [user.as_bytes(), b":"].concat();
    any(secrets, |password| equal(&[known.as_slice(), password].concat(), &given))
}

/// Standard Webhooks 1.0: HMAC-SHA-256 over `id.timestamp.body`; the header may list several, `v1,` each.
fn standard_webhooks(
    secrets: &[Phi<String>],
    request: &Request,
    tolerance: u64,
    now: Timestamp,
) -> Result<bool, Refusal> {
    let header = |name: &str| request.header(name).ok_or_else(Refusal::unsigned);
    let (id, stamp, given) =
        (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    fresh(stamp, tolerance, now)?;
    let body = request.body.expose().as_slice();
    let parts: [&[u8]; 5] = [id.as_bytes(), b".", stamp.as_bytes(), b".", body];
    let signatures: Vec<Vec<u8>> =
        given.split(' ').filter_map(|one| decode_base64(one.strip_prefix("v1,")?)).collect();
    Ok(any(secrets, |secret| {
        let text = std::str::from_utf8(secret).unwrap_or_default();
        let Some(key) = decode_base64(text.strip_prefix("whsec_").unwrap_or(text)) else { return false };
        let mac = hmac_sha256(&key, &parts);
        signatures.iter().fold(false, |found, signature| found | equal(&mac, signature))
    }))
}

/// The signed text names the digest as the header does, or without its padding: the vendor's sample drops it, some
/// of its senders keep it.
fn digest_signature(secrets: &[Phi<String>], request: &Request, digest: &str, given: &[u8]) -> bool {
    let method = request.method.to_ascii_lowercase();
    let length = request.body.expose().len().to_string();
    let media_type = request.media_type().unwrap_or_default();
    let matches = |digest: &str, secret: &[u8]| {
        let text = [&*method, &*request.path, &*request.query, digest, &*media_type, &*length].join(" ");
        equal(&hmac_sha256(secret, &[text.as_bytes()]), given)
    };
    any(secrets, |secret| matches(digest, secret) | matches(digest.trim_end_matches('='), secret))
}

fn any(secrets: &[Phi<String>], matches: impl Fn(&[u8]) -> bool) -> bool {
    secrets.iter().fold(false, |found, secret| found | matches(secret.expose().as_bytes()))
}

fn decode(text: &str, prefix: &str, encoding: Encoding) -> Result<Vec<u8>, Refusal> {
    let text = text.trim().strip_prefix(prefix).ok_or_else(Refusal::signature)?;
    let bytes = match encoding {
        Encoding::Hex => HEXLOWER_PERMISSIVE.decode(text.as_bytes()).ok(),
        Encoding::Base64 => decode_base64(text),
    };
    bytes.ok_or_else(Refusal::signature)
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()
}

/// Whether a time stamp (RFC 3339, or seconds since the epoch) lies within `tolerance` seconds of now.
fn fresh(stamp: &str, tolerance: u64, now: Timestamp) -> Result<(), Refusal> {
    let seconds = stamp.parse::<i64>().ok();
    let at = seconds
        .or_else(|| stamp.parse::<Timestamp>().ok().map(Timestamp::as_secs))
        .ok_or_else(Refusal::stale)?;
    if at.abs_diff(now.as_secs()) <= tolerance { Ok(()) } else { Err(Refusal::stale()) }
}
