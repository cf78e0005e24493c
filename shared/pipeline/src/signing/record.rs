//! What is kept of a key that signs: all of it may be known to everybody.

use std::collections::BTreeMap;

use bridge_core::{Timestamp, id::TenantId, task::Actor};
use bridge_seal::JwtAlgorithm;
use serde::{Deserialize, Serialize};

/// A key of the key service, by its public half.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningKey {
    /// Its thumbprint (RFC 7638): `kid` in the set, and in what it signs.
    pub kid: String,
    /// Whose; `None` for everybody who has none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// `RS384` or `ES384`.
    pub algorithm: String,
    /// What the key service calls it: an ARN.
    pub key: String,
    /// The members of its JSON Web Key: `kty`, and its numbers.
    pub public: BTreeMap<String, String>,
    /// When it was made, and published.
    pub created_at: Timestamp,
    /// From then on it signs.
    pub signs_from: Timestamp,
    /// From then on it is not published any more, and signs no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Timestamp>,
    /// Who made or withdrew it, and why.
    pub actor: Actor,
}

impl SigningKey {
    /// Whether it stands in the set.
    pub fn is_published(&self, now: Timestamp) -> bool {
        self.withdrawn.is_none_or(|until| now < until)
    }

    /// Whether it may sign.
    pub fn signs(&self, now: Timestamp) -> bool {
        self.signs_from <= now && self.is_published(now)
    }

    /// Whether it is for the same connections as another one.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.algorithm == other.algorithm
    }

    pub(super) fn age(&self) -> (Timestamp, &str) {
        (self.created_at, &self.kid)
    }

    /// The one that signs for a tenant now: its own, or the one that is everybody's. Of several the latest.
    pub fn signing<'k>(
        keys: &'k [Self],
        tenant: &TenantId,
        algorithm: JwtAlgorithm,
        now: Timestamp,
    ) -> Option<&'k Self> {
        let latest = |owner: Option<&TenantId>| {
            let fitting = keys.iter().filter(move |key| {
                key.tenant.as_ref() == owner && key.algorithm == algorithm.as_str() && key.signs(now)
            });
            fitting.max_by_key(|key| (key.signs_from, &key.kid))
        };
        latest(Some(tenant)).or_else(|| latest(None))
    }
}
