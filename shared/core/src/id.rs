//! Typed identifiers. All of them are safe to log, to put in a key and to show: none can hold PHI.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, de};

/// An identifier that does not have the form its kind asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be {form}")]
pub struct InvalidId {
    kind: &'static str,
    form: &'static str,
}

fn is_name(s: &str, max: usize) -> bool {
    (1..=max).contains(&s.len())
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !s.starts_with('-')
        && !s.ends_with('-')
}

fn is_digest(s: &str, prefix: &str) -> bool {
    s.strip_prefix(prefix)
        .is_some_and(|d| d.len() == 26 && d.bytes().all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7')))
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $form:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text form.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(s: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(s) { Ok(Self(s.to_owned())) } else { Err(InvalidId { kind: $kind, form: $form }) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    };
}

id! {
    /// One practice organisation: the unit of isolation, of keys and of audit.
    TenantId, "a tenant", "1 to 40 of a-z, 0-9 and inner hyphens", |s| is_name(s, 40)
}
id! {
    /// One configured link of a tenant to one system: `{tenant}.{name}`.
    ConnectionId, "a connection", "`{tenant}.{name}`, each 1 to 40 of a-z, 0-9 and inner hyphens",
    |s| s.split_once('.').is_some_and(|(tenant, name)| is_name(tenant, 40) && is_name(name, 40))
}
id! {
    /// One of the places where a connection can be reached; unique within it.
    EndpointName, "an endpoint's name", "1 to 40 of a-z, 0-9 and inner hyphens", |s| is_name(s, 40)
}
id! {
    /// One unit received at a door. A keyed hash of (connection, source id): the same input has the same id.
    MessageId, "a message id", "`msg_` and 26 characters of base 32", |s| is_digest(s, "msg_")
}
id! {
    /// One message's result for one destination. A hash of (message, destination).
    DeliveryId, "a delivery id", "`dlv_` and 26 characters of base 32", |s| is_digest(s, "dlv_")
}
id! {
    /// The ordering key: messages of one lane are processed one after the other. A keyed hash.
    LaneId, "a lane id", "`lane_` and 26 characters of base 32", |s| is_digest(s, "lane_")
}
id! {
    /// One version of a file that was dropped. A keyed hash of (connection, key, version).
    FileId, "a file id", "`file_` and 26 characters of base 32", |s| is_digest(s, "file_")
}
id! {
    /// A keyed hash of an identifier (MRN, control id, appointment id), to find without storing it.
    BlindToken, "a blind token", "`ix_` and 26 characters of base 32", |s| is_digest(s, "ix_")
}

impl ConnectionId {
    /// The tenant that owns the connection.
    pub fn tenant(&self) -> TenantId {
        TenantId(self.0.split('.').next().unwrap_or_default().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_carries_its_tenant() {
        let id: ConnectionId = "sunrise-dental.opendental".parse().unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(id.tenant().as_str(), "sunrise-dental");
    }

    #[test]
    fn what_could_break_a_key_is_refused() {
        for bad in ["", "a", "a.b.c", "A.b", "a.b/c", ".b", "a.", "a.-b", "a#.b", "ä.b"] {
            assert!(bad.parse::<ConnectionId>().is_err(), "{bad} was accepted");
        }
        assert!("msg_short".parse::<MessageId>().is_err());
    }
}
