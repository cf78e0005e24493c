//! How calls prove who makes them.
//!
//! In these texts `{name}` is a setting or a secret of the connection; nowhere else can a secret be named.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::Limit;

/// How calls prove who makes them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Auth {
    /// They don't.
    #[default]
    None,
    /// A header: API keys and schemes of a product's own.
    Header {
        /// Lower-case name.
        name: String,
        /// For example `ODFHIR {developer-key}/{customer-key}`.
        value: String,
    },
    /// A query parameter.
    Query {
        /// Its name.
        name: String,
        /// For example `{api-key}`.
        value: String,
    },
    /// HTTP Basic (RFC 7617).
    Basic {
        /// For example `{api-key}`.
        user: String,
        /// May be empty.
        #[serde(default)]
        password: String,
    },
    /// In the body: JSON pointers to texts. They are put there after the body is made.
    Body {
        /// For example `/request/RequestHeader/Password: "{password}"`. `*` stands for the only member of an object.
        places: BTreeMap<String, String>,
    },
    /// A token by OAuth 2.0 (RFC 6749) or SMART backend services, sent as `Authorization: Bearer`.
    Oauth2(OAuth2),
    /// A token by a call of the product's own.
    Exchange(Exchange),
}

impl Auth {
    /// Whether calls carry a token that has to be fetched first.
    pub const fn needs_token(&self) -> bool {
        matches!(self, Self::Oauth2(_) | Self::Exchange(_))
    }
}

/// A token by OAuth 2.0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OAuth2 {
    /// What the token is given for.
    pub grant: Grant,
    /// Name of the secret that holds the first refresh token, where the grant is `refresh-token`.
    #[serde(default)]
    pub refresh_token: Option<String>,
    /// The token endpoint, below the base or absolute. Left out: what `{base}/.well-known/smart-configuration` says.
    #[serde(default)]
    pub token_url: Option<String>,
    /// How the client proves itself there.
    pub client: ClientAuth,
    /// The scope, where one is asked for.
    #[serde(default)]
    pub scope: String,
    /// Further parameters of the token request.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// How often the token endpoint may be called.
    #[serde(default)]
    pub limits: Vec<Limit>,
}

/// What a token is given for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grant {
    /// The client itself (RFC 6749, section 4.4).
    ClientCredentials,
    /// A refresh token that somebody was given by authorization code (RFC 6749, section 6). Each answer may bring the next
    /// one, which is kept before the new access token is used.
    RefreshToken,
}

/// How a client proves itself at the token endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum ClientAuth {
    /// HTTP Basic (RFC 6749, section 2.3.1).
    Basic {
        /// For example `{client-id}`.
        id: String,
        /// For example `{client-secret}`.
        secret: String,
    },
    /// In the form body.
    Body {
        /// For example `{client-id}`.
        id: String,
        /// For example `{client-secret}`.
        secret: String,
    },
    /// A signed JWT (RFC 7523; SMART App Launch 2.2, "Asymmetric (public key) client authentication"). Where the connection
    /// does not give the key, one of the bridge's own signs, which stays in the key service.
    PrivateKeyJwt {
        /// `iss` and `sub`.
        id: String,
        /// `kid` of the private key.
        key_id: String,
        /// The private key: a secret with a PEM of PKCS #8.
        key: String,
        /// `RS384` or `ES384`, perhaps by a setting.
        algorithm: String,
    },
}

/// A token by a call of the product's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exchange {
    /// Below the base or absolute; called by POST.
    pub path: String,
    /// Sent with this call alone, for example `authorization: "{api-key}"`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON body of the call: names and texts.
    #[serde(default)]
    pub body: BTreeMap<String, String>,
    /// JSON pointer to the token in the answer.
    pub token: String,
    /// How long it is used, in seconds.
    pub lifetime: u64,
    /// The header that carries it.
    #[serde(default = "authorization")]
    pub header: String,
    /// What the header holds; `{token}` is the token.
    #[serde(default = "bearer")]
    pub value: String,
}

fn authorization() -> String {
    "authorization".to_owned()
}

fn bearer() -> String {
    "Bearer {token}".to_owned()
}
