//! What an adapter declares about one product, in `adapters/<name>/adapter.yaml`: a closed vocabulary.
//!
//! Extending it takes an ADR. `docs/adapter-manifest.md` explains each word with an example.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Cause;

/// Where the pipeline finds what adapters declare. The catalog of `bridge-adapters` is the real one.
pub trait Adapters: Send + Sync {
    /// The manifest of an adapter.
    fn manifest(&self, adapter: &str) -> Option<Arc<Manifest>>;
    /// The JSONata source of one of an adapter's mappings.
    fn mapping(&self, adapter: &str, mapping: &str) -> Option<Arc<str>>;
}

/// A whole adapter manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// The folder's name, for example `opendental`.
    pub adapter: String,
    /// Raised whenever a mapping or a rule changes what comes out; recorded with every message.
    pub version: u32,
    /// For people.
    pub title: String,
    /// Settings a connection may give, by name.
    #[serde(default)]
    pub settings: BTreeMap<String, Setting>,
    /// Secrets a connection must give, by name, with what they are.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// How webhooks of this product are received. Without it the product has none.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// A connection may bring its own `webhook` section and mappings (the generic adapter).
    #[serde(default)]
    pub open: bool,
    /// How deliveries reach this product. Without it the product takes none.
    #[serde(default)]
    pub deliver: Option<Deliver>,
}

/// A setting of a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setting {
    /// What it is for.
    pub about: String,
    /// Used when the connection leaves it out. Without a default the setting is required.
    #[serde(default)]
    pub default: Option<String>,
    /// The values it may have. Empty: any.
    #[serde(default)]
    pub one_of: Vec<String>,
    /// What its text must be.
    #[serde(default)]
    pub form: Form,
}

/// What the text of a setting must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Any text.
    #[default]
    Text,
    /// `key=zone, key=zone` with IANA zones: for products whose sites lie in several.
    Zones,
}

/// How a product's webhooks are told true from false, cut into messages and named.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Webhook {
    /// How a delivery proves where it comes from.
    pub verify: Verify,
    /// How the address is proven to the sender, by a GET before the first delivery.
    #[serde(default)]
    pub challenge: Option<Challenge>,
    /// Accepted media types.
    #[serde(default = "json_only")]
    pub content_types: Vec<String>,
    /// Largest accepted body in bytes, after decompression.
    #[serde(default = "one_mebibyte")]
    pub max_body: usize,
    /// JSON pointer to an array in which each element is a message of its own. `""` is the body itself.
    #[serde(default)]
    pub rows: Option<String>,
    /// What a row takes along from elsewhere in the body, by name. With it a message is the object
    /// `{"row": the row, "{name}": what was carried}`; what is not found is left out.
    #[serde(default)]
    pub carry: BTreeMap<String, Carry>,
    /// The word that selects among `kinds`.
    pub kind: Extract,
    /// What is known of each kind.
    pub kinds: BTreeMap<String, Kind>,
    /// What becomes of a kind that is not listed.
    #[serde(default)]
    pub other_kinds: OtherKinds,
}

fn json_only() -> Vec<String> {
    vec!["application/json".to_owned()]
}

const fn one_mebibyte() -> usize {
    1024 * 1024
}

/// Something of the body that a row takes along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields, rename_all_fields = "kebab-case")]
pub enum Carry {
    /// A JSON pointer into the body: every row takes the same.
    Pointer(String),
    /// The element of another array that belongs to the row (side-loaded records, as in JSON:API's `included`).
    Match {
        /// JSON pointer to the array.
        array: String,
        /// JSON pointer into its elements.
        key: String,
        /// JSON pointer into the row; an element belongs to the row when the two are equal.
        row_key: String,
    },
}

impl Webhook {
    /// Cuts a body into its messages, in order. Takes time linear in the body and the messages.
    ///
    /// A body without the place of the rows is a ping or a handshake: no messages, where other kinds are ignored.
    ///
    /// # Errors
    /// When `rows` does not lead to an array.
    pub fn messages(&self, mut body: Value) -> Result<Vec<Value>, Cause> {
        let Some(pointer) = &self.rows else { return Ok(vec![body]) };
        let mut indexes = Vec::with_capacity(self.carry.len());
        for (name, carry) in &self.carry {
            indexes.push((name, carry, carry.index(&body)));
        }
        let rows = match body.pointer_mut(pointer).map(Value::take) {
            Some(Value::Array(rows)) => rows,
            None if self.other_kinds == OtherKinds::Ignore => Vec::new(),
            _ => return Err(Cause::new("webhook.no_rows", "the body has no list of rows there").at(pointer)),
        };
        if indexes.is_empty() {
            return Ok(rows);
        }
        let with_luggage = |row: Value| {
            let mut message = Map::new();
            for (name, carry, index) in &indexes {
                if let Some(carried) = index.get(&carry.key_of(&row)) {
                    message.insert((*name).clone(), carried.clone());
                }
            }
            message.insert("row".to_owned(), row);
            Value::Object(message)
        };
        Ok(rows.into_iter().map(with_luggage).collect())
    }
}

impl Carry {
    /// What can be carried, by the key that a row asks with.
    fn index(&self, body: &Value) -> BTreeMap<Option<String>, Value> {
        match self {
            Self::Pointer(pointer) => body.pointer(pointer).map(|v| (None, v.clone())).into_iter().collect(),
            Self::Match { array, key, .. } => {
                let elements = body.pointer(array).and_then(Value::as_array).into_iter().flatten();
                let keyed = |element: &Value| Some((Some(scalar(element.pointer(key)?)?), element.clone()));
                elements.filter_map(keyed).collect()
            }
        }
    }

    fn key_of(&self, row: &Value) -> Option<String> {
        match self {
            Self::Pointer(_) => None,
            // A row without a key asks for one that no element has.
            Self::Match { row_key, .. } => Some(row.pointer(row_key).and_then(scalar).unwrap_or_default()),
        }
    }
}

/// A string, number or boolean as text; nothing else is. An empty string is nothing.
pub fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

/// A kind of message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kind {
    /// Mapping file without its ending, or the name of a mapping in the connection.
    pub mapping: String,
    /// What messages are kept in order by; usually the patient. Empty: each message is a lane of its own.
    #[serde(default)]
    pub lane: Vec<Extract>,
    /// What identifies this message at its source. Empty: the hash of the received bytes.
    #[serde(default)]
    pub source_id: Vec<Extract>,
    /// When the source last changed the record. A message with an older value never overwrites a newer one.
    #[serde(default)]
    pub version: Option<Extract>,
    /// Identifiers an operator may search by, kept as keyed hashes: name to place.
    #[serde(default)]
    pub find_by: BTreeMap<String, Extract>,
}

/// What becomes of a webhook whose kind is not in the manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OtherKinds {
    /// Acknowledged and counted (pings, kinds nobody subscribed to).
    Ignore,
    /// Answered with 422, so that the sender's log shows it.
    #[default]
    Refuse,
}

/// Where to find a piece of text in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Extract {
    /// A JSON pointer (RFC 6901) into the message; a string, number or boolean is taken as text.
    Pointer(String),
    /// A header, optionally without a fixed prefix.
    Header {
        /// Lower-case name.
        header: String,
        /// Cut off when present.
        #[serde(default)]
        strip: String,
    },
    /// The part of the text at `pointer` after the last `/` (FHIR references, topic URLs).
    Tail {
        /// A JSON pointer.
        tail: String,
    },
    /// Always this text.
    Constant {
        /// The text.
        constant: String,
    },
    /// The first of several places that has something.
    First {
        /// The places, in order.
        first: Vec<Extract>,
    },
}

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

/// How deliveries reach a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Deliver {
    /// The way.
    pub transport: Transport,
    /// Longest wait for a reply, in seconds.
    #[serde(default = "ten_seconds")]
    pub timeout: u64,
    /// After this many attempts a delivery is parked.
    #[serde(default = "twelve")]
    pub max_attempts: u32,
}

const fn ten_seconds() -> u64 {
    10
}

const fn twelve() -> u32 {
    12
}

/// The transports. `{name}` in a text stands for the connection's setting of that name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum Transport {
    /// A signed POST by Standard Webhooks 1.0. The receiver keeps `Idempotency-Key`, so a repeat has no second effect.
    StandardWebhook {
        /// For example `{url}`.
        url: String,
        /// The secret's name, `whsec_…`.
        secret: String,
    },
}

/// An address range in CIDR form, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange {
    base: IpAddr,
    bits: u8,
}

impl IpRange {
    /// Whether `address` lies in the range. An IPv4-mapped IPv6 address counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(a)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                base.to_bits() & mask == a.to_bits() & mask
            }
            (IpAddr::V6(base), IpAddr::V6(a)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                base.to_bits() & mask == a.to_bits() & mask
            }
            _ => false,
        }
    }
}

impl TryFrom<String> for IpRange {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let invalid = || format!("`{text}` is not an address or a CIDR range (example: 203.0.113.0/24)");
        let (address, bits) = text.split_once('/').map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
        let base: IpAddr = address.parse().map_err(|_| invalid())?;
        let width = if base.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), str::parse).map_err(|_| invalid())?;
        if bits > width { Err(invalid()) } else { Ok(Self { base, bits }) }
    }
}

impl From<IpRange> for String {
    fn from(range: IpRange) -> Self {
        format!("{}/{}", range.base, range.bits)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn webhook(yaml_as_json: &Value) -> Webhook {
        serde_json::from_value(yaml_as_json.clone()).unwrap_or_else(|e| panic!("{e}"))
    }

    #[test]
    fn rows_take_along_what_stands_outside_them() {
        let webhook = webhook(&json!({
            "verify": {"kind": "token", "header": "x", "secret": "s"},
            "rows": "/events",
            "carry": {
                "topic": "/topic",
                "detail": {"array": "/details", "key": "/meta/of", "row-key": "/id"},
            },
            "kind": {"constant": "k"}, "kinds": {},
        }));
        let body = json!({
            "topic": "Patient.update",
            "details": [{"meta": {"of": 2}, "n": 1.50}, {"meta": {}}, "odd"],
            "events": [{"id": 1}, {"id": "2"}, {"no": "id"}],
        });
        assert_eq!(
            webhook.messages(body).unwrap_or_else(|e| panic!("{e}")),
            [
                json!({"topic": "Patient.update", "row": {"id": 1}}),
                json!({"topic": "Patient.update", "detail": {"meta": {"of": 2}, "n": 1.50}, "row": {"id": "2"}}),
                json!({"topic": "Patient.update", "row": {"no": "id"}}),
            ]
        );
        let cause = |webhook: &Webhook, body| webhook.messages(body).err().map(|c| c.to_string());
        let no_rows = Some("webhook.no_rows at /events: the body has no list of rows there".to_owned());
        assert_eq!(cause(&webhook, json!({"events": {}})), no_rows);
        assert_eq!(cause(&webhook, json!({"type": "handshake"})), no_rows);

        let lenient = Webhook { other_kinds: OtherKinds::Ignore, ..webhook };
        assert_eq!(lenient.messages(json!({"type": "handshake"})), Ok(Vec::new()));
        assert_eq!(cause(&lenient, json!({"events": {}})), no_rows);
    }

    #[test]
    fn ranges_hold_what_they_say() {
        let range = IpRange::try_from("203.0.113.0/24".to_owned()).unwrap_or_else(|e| panic!("{e}"));
        let inside = |a: &str| a.parse::<IpAddr>().is_ok_and(|a| range.contains(a));
        assert!(inside("203.0.113.9") && inside("::ffff:203.0.113.9"));
        assert!(!inside("203.0.114.9") && !inside("2001:db8::1"));
        assert!(
            IpRange::try_from("0.0.0.0/0".to_owned()).is_ok_and(|r| r.contains(IpAddr::from([8, 8, 8, 8])))
        );
        assert!(IpRange::try_from("10.0.0.0/33".to_owned()).is_err());
    }
}
