//! What a sender is told when a request is turned away.

use bridge_core::{Cause, http::Response};
use serde_json::json;

/// A request that is turned away: a status, and a cause that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 4xx, or 503 when the bridge can't take it now.
    pub status: u16,
    /// Counted under its code.
    pub cause: Cause,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $code:literal, $text:literal;)*) => {
        impl Refusal {
            $($(#[$doc])* pub(crate) fn $name() -> Self {
                Self { status: $status, cause: Cause::new($code, $text) }
            })*
        }
    };
}

refusals! {
    unknown_connection = 404, "connection.unknown", "no connection has this address: compare it with the one that was handed out";
    no_webhook = 404, "webhook.none", "this connection's adapter has no webhooks";
    no_hl7_over_http = 404, "hl7v2.no_http", "this connection takes no HL7 v2 over HTTP: give its `hl7v2` section a `verify` rule";
    method = 405, "webhook.method", "deliveries are POSTed, addresses verified by GET";
    no_challenge = 405, "webhook.no_challenge", "this connection's adapter does not verify addresses by GET";
    sender = 403, "sender.not_allowed", "this address may not call the connection: add it to `allow-ips`";
    no_secret = 401, "secret.missing", "the connection has no value for the secret that verifies it";
    unsigned = 401, "signature.missing", "the header that proves the sender is missing";
    signature = 401, "signature.wrong", "the signature does not match the body: compare the secrets of both sides";
    stale = 401, "signature.stale", "the time stamp is too far from now: check the sender's clock, and sign each attempt anew";
    media_type = 415, "body.media_type", "the content type is not one that this adapter sends";
    charset = 415, "body.charset", "the content type's charset is none that is read here (utf-8, iso-8859-1, windows-1252 and their like)";
    encoding = 415, "body.encoding", "the content encoding must be gzip or none";
    too_large = 413, "body.too_large", "the body is larger than this adapter's deliveries may be";
    malformed = 400, "body.malformed", "the body is not JSON";
    kind = 422, "kind.unknown", "the adapter has no rule for deliveries of this kind";
    no_rows = 422, "body.no_rows", "the body has no list of records where this adapter's deliveries have one";
    unavailable = 503, "bridge.unavailable", "the delivery could not be made durable: send it again";
}

impl Refusal {
    pub(crate) fn challenge(parameter: &str) -> Self {
        Self { status: 400, cause: Cause::new("challenge.missing", format!("the query lacks `{parameter}`")) }
    }

    /// The reply.
    pub fn response(&self) -> Response {
        let body = json!({"error": {"code": self.cause.code, "message": self.cause.text}});
        let response = Response::json(self.status, &body);
        if self.status == 503 { response.with_header("retry-after", "5") } else { response }
    }
}
