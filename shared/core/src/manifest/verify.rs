//! How a webhook and its address are proven.

use serde::{Deserialize, Serialize};

/// The encoding of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Lower- or upper-case hexadecimal.
    Hex,
    /// Base 64 with or without padding.
    Base64,
}

/// How a webhook proves where it comes from. Each `secret` names one of the manifest's secrets; a connection may
/// hold two values of it during a rotation, and either verifies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Verify {
    /// A shared secret in a header.
    Token {
        /// Lower-case header name.
        header: String,
        /// The secret's name.
        secret: String,
    },
    /// HTTP Basic (RFC 7617): the `authorization` header names `user`, and the secret is the password.
    Basic {
        /// The user name.
        user: String,
        /// The secret's name.
        secret: String,
    },
    /// HMAC-SHA-256 (RFC 2104) over the raw body.
    Hmac {
        /// Lower-case header name.
        header: String,
        /// The secret's name.
        secret: String,
        /// How the header writes it.
        encoding: Encoding,
        /// In front of the signature, for example `sha256=`.
        #[serde(default)]
        prefix: String,
    },
    /// HMAC-SHA-256 over `timestamp`, `separator` and the body.
    TimestampedHmac {
        /// Lower-case name of the signature's header.
        header: String,
        /// Lower-case name of the time stamp's header: RFC 3339 or seconds since the epoch.
        timestamp_header: String,
        /// The secret's name.
        secret: String,
        /// How the header writes the signature.
        encoding: Encoding,
        /// In front of the signature.
        #[serde(default)]
        prefix: String,
        /// Between time stamp and body.
        separator: String,
        /// Whether the body is signed in base 64.
        #[serde(default)]
        body_base64: bool,
        /// How far the time stamp may lie from now, in seconds.
        #[serde(default = "five_minutes")]
        tolerance: u64,
    },
    /// HMAC-SHA-256 over `method path query digest media-type length`, joined by spaces, with the digest of the
    /// body in a header of its own. Looks like RFC 9421 and is not.
    DigestSignature {
        /// Lower-case header of the digest, `SHA-256=` and base 64.
        digest_header: String,
        /// Lower-case header of the signature.
        header: String,
        /// In front of the signature.
        prefix: String,
        /// The secret's name.
        secret: String,
    },
    /// Ed25519 (RFC 8032) over the raw body; the secret is the public key in base 64.
    Ed25519 {
        /// Lower-case header of the signature, base 64.
        header: String,
        /// The secret's name.
        secret: String,
    },
    /// Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, `webhook-signature`; the secret is `whsec_…`.
    StandardWebhooks {
        /// The secret's name.
        secret: String,
        /// How far the time stamp may lie from now, in seconds.
        #[serde(default = "five_minutes")]
        tolerance: u64,
    },
}

const fn five_minutes() -> u64 {
    300
}

impl Verify {
    /// The name of the secret that this rule needs.
    pub fn secret(&self) -> &str {
        match self {
            Self::Token { secret, .. }
            | Self::Basic { secret, .. }
            | Self::Hmac { secret, .. }
            | Self::TimestampedHmac { secret, .. }
            | Self::DigestSignature { secret, .. }
            | Self::Ed25519 { secret, .. }
            | Self::StandardWebhooks { secret, .. } => secret,
        }
    }
}

/// How an address is proven to its sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Challenge {
    /// `GET ?{query}=X` is answered with `{"{field}": hex(HMAC-SHA-256(secret, X))}`.
    Hmac {
        /// Query parameter.
        query: String,
        /// The secret's name.
        secret: String,
        /// Field of the JSON reply.
        field: String,
    },
    /// `GET ?{query}=X` is answered with X as text, if `{token-query}` equals the secret (WebSub and its kin).
    Echo {
        /// Query parameter that is echoed.
        query: String,
        /// Query parameter that holds the secret.
        token_query: String,
        /// The secret's name.
        secret: String,
    },
}
