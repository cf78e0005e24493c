//! Signing a request as a vendor would: to certify, for `connections test` and for the demo's sample traffic. The inverse of the
//! pipeline's verification, which its tests hold against the vendors' published samples.

use bridge_core::{
    Timestamp,
    manifest::{Encoding, Verify},
};
use bridge_seal::{hmac_sha256, sha256};
use data_encoding::{BASE64, HEXLOWER};

/// A POST to be signed.
#[derive(Debug, Clone, Copy)]
pub struct Unsigned<'a> {
    /// Without the query; there is none.
    pub path: &'a str,
    /// Without parameters.
    pub media_type: &'a str,
    /// As it is sent.
    pub body: &'a [u8],
    /// When.
    pub now: Timestamp,
}

/// The headers that prove the request under this rule; `None` where only the sender can make them.
pub fn headers(rule: &Verify, secret: &str, request: &Unsigned<'_>) -> Option<Vec<(String, String)>> {
    let Unsigned { path, media_type, body, now } = *request;
    let one = |name: &str, value: String| Some(vec![(name.to_owned(), value)]);
    match rule {
        Verify::Token { header, .. } => one(header, secret.to_owned()),
        Verify::Basic { user, .. } => {
            one("authorization", format!("Basic {}", BASE64.encode(format!("{user}:{secret}").as_bytes())))
        }
        Verify::Hmac { header, encoding, prefix, .. } => {
            one(header, format!("{prefix}{}", encode(*encoding, &hmac_sha256(secret.as_bytes(), &[body]))))
        }
        Verify::TimestampedHmac {
            header,
            timestamp_header,
            encoding,
            prefix,
            separator,
            body_base64,
            ..
        } => {
            let stamp = now.as_secs().to_string();
            let body = if *body_base64 { BASE64.encode(body).into_bytes() } else { body.to_vec() };
            let mac = hmac_sha256(secret.as_bytes(), &[stamp.as_bytes(), separator.as_bytes(), &body]);
            let signature = format!("{prefix}{}", encode(*encoding, &mac));
            Some(vec![(timestamp_header.clone(), stamp), (header.clone(), signature)])
        }
        Verify::DigestSignature { digest_header, header, prefix, .. } => {
            let digest = BASE64.encode(&sha256(&[body]));
            let text = format!("post {path}  {digest} {media_type} {}", body.len());
            let mac = hmac_sha256(secret.as_bytes(), &[text.as_bytes()]);
            let signature = format!("{prefix}{}", HEXLOWER.encode(&mac));
            Some(vec![(digest_header.clone(), format!("SHA-256={digest}")), (header.clone(), signature)])
        }
        Verify::StandardWebhooks { .. } => {
            let key = BASE64.decode(secret.trim_start_matches("whsec_").as_bytes()).ok()?;
            let (id, stamp) = (format!("test_{}", now.as_millis()), now.as_secs().to_string());
            let mac = hmac_sha256(&key, &[id.as_bytes(), b".", stamp.as_bytes(), b".", body]);
            Some(vec![
                ("webhook-id".to_owned(), id),
                ("webhook-timestamp".to_owned(), stamp),
                ("webhook-signature".to_owned(), format!("v1,{}", BASE64.encode(&mac))),
            ])
        }
        // The connection has the public key only.
        Verify::Ed25519 { .. } => None,
    }
}

fn encode(encoding: Encoding, bytes: &[u8]) -> String {
    match encoding {
        Encoding::Hex => HEXLOWER.encode(bytes),
        Encoding::Base64 => BASE64.encode(bytes),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeMap;

    use bridge_core::{Phi, http::Request};
    use bridge_pipeline::receive::verify;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_signed_here_is_verified_there() {
        let rules = [
            json!({"kind": "token", "header": "x-key", "secret": "s"}),
            json!({"kind": "hmac", "header": "x-sig", "secret": "s", "encoding": "hex", "prefix": "sha256="}),
            json!({"kind": "hmac", "header": "x-sig", "secret": "s", "encoding": "base64"}),
            json!({"kind": "timestamped-hmac", "header": "x-sig", "timestamp-header": "x-at", "secret": "s",
                   "encoding": "hex", "separator": ".", "body-base64": true}),
            json!({"kind": "digest-signature", "digest-header": "content-digest", "header": "signature",
                   "prefix": "sig1=", "secret": "s"}),
            json!({"kind": "standard-webhooks", "secret": "s"}),
        ];
        let secret = "whsec_c3ludGhldGljLXRlc3Qtc2VjcmV0LTAwMDE=";
        let now = Timestamp::from_millis(1_767_225_600_750);
        let body = br#"{"n": 1.50}"#;
        for rule in rules {
            let rule: Verify = serde_norway::from_str(&rule.to_string()).unwrap();
            let unsigned = Unsigned { path: "/webhooks/a.b", media_type: "application/json", body, now };
            let mut headers: BTreeMap<_, _> =
                headers(&rule, secret, &unsigned).unwrap().into_iter().collect();
            headers.insert("content-type".to_owned(), "application/json".to_owned());
            let request = Request {
                method: "POST".to_owned(),
                path: "/webhooks/a.b".to_owned(),
                query: String::new(),
                headers,
                source: None,
                body: Phi::new(body.to_vec()),
            };
            let secrets = [Phi::new(secret.to_owned())];
            assert_eq!(verify::signature(&rule, &secrets, &request, now), Ok(()), "{rule:?}");
            let others = [Phi::new("whsec_b3RoZXI=".to_owned())];
            assert!(verify::signature(&rule, &others, &request, now).is_err(), "{rule:?}");
        }
    }
}
