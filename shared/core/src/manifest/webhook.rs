//! Webhooks: how they are cut into messages, named and ordered.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Challenge, Extract, Verify, scalar};
use crate::Cause;

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

/// A kind of message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Kind {
    /// Mapping file without its ending, or the name of a mapping in the connection. Left out where messages only name a record.
    #[serde(default)]
    pub mapping: String,
    /// The message only names a record, which is read from the product's interface. What was read is a message of its own.
    #[serde(default)]
    pub fetch: Option<Fetch>,
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

impl Kind {
    /// Whether messages say which state of a record they are about. Without that the same content may be a new state: there and
    /// back again.
    pub const fn tells_states(&self) -> bool {
        self.version.is_some() || !self.source_id.is_empty()
    }
}

/// How the record is read that a message only names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fetch {
    /// Its FHIR resource type: the interface says how one is read.
    pub resource: String,
    /// Where the message names the product's id. Where it does not, the message is mapped as it is.
    pub id: Extract,
    /// A setting without which the interface can't be asked: where it is empty, messages are mapped as they are.
    #[serde(default)]
    pub needs: Option<String>,
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
}
