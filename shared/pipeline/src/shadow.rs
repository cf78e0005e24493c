//! Rehearsing a change: what messages that were received become under another configuration or another version of an
//! adapter, without any effect, and where that differs from what they become today.

use std::collections::BTreeMap;

use bridge_core::{
    Cause, Phi,
    config::Connection,
    manifest::Adapters as _,
    task::{NormalizeTask, Payload},
};
use bridge_fhir::Resource;
use serde_json::Value;

use crate::{bridge::Bridge, configuration::Loaded, ledger::MessageDoc, ports::Ports, queries::QueryError};

/// How an element differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Differs {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It says something else.
    Changed,
}

impl Differs {
    /// As it is shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

/// An element that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Type and place, `Appointment.participant.actor.display`: members of a list are not told apart.
    pub path: String,
    /// How.
    pub differs: Differs,
    /// What it was, where it was something.
    pub before: Phi<Option<Value>>,
    /// What it is, where it is something.
    pub after: Phi<Option<Value>>,
}

/// What comes of a message: its resources, or why it is parked.
pub type Rehearsed = Result<Vec<Resource>, Cause>;

impl<P: Ports> Bridge<P> {
    /// A connection that is not applied, with this bridge's adapters; `None` when its adapter is not one of them.
    pub fn candidate(&self, connection: Connection) -> Option<Loaded> {
        let manifest = self.ports.adapters().manifest(&connection.adapter)?;
        Some(Loaded::new(connection, manifest))
    }

    /// What a received message becomes, with this bridge's adapters and this connection. Nothing is written and nobody is
    /// called.
    ///
    /// # Errors
    /// When a port fails.
    pub async fn rehearse(
        &self,
        message: &MessageDoc,
        received: &Phi<Vec<u8>>,
        source: &Loaded,
    ) -> Result<Rehearsed, QueryError> {
        let index = self.index_key(&message.connection.tenant()).await?;
        let task = NormalizeTask {
            message: message.message.clone(),
            connection: message.connection.clone(),
            kind: message.kind.clone(),
            lane: message.lane.clone(),
            received_at: message.received_at,
            payload: Payload::Inline(String::new()),
            format: message.format,
            release: None,
            replay: 0,
        };
        Ok(self.translate(&task, source, received, &index).map(|translated| translated.resources))
    }
}

/// Where two results differ, element by element. Resources are the same when they have the same id.
pub fn differences(before: &[Resource], after: &[Resource]) -> Vec<Difference> {
    let by_id = |resources: &[Resource]| -> BTreeMap<String, Value> {
        resources.iter().map(|resource| (resource.reference(), resource.json.clone())).collect()
    };
    let (before, after) = (by_id(before), by_id(after));
    let mut found = Vec::new();
    let type_of = |reference: &str| reference.split('/').next().unwrap_or_default().to_owned();
    for (reference, old) in &before {
        compare(&type_of(reference), Some(old), after.get(reference), &mut found);
    }
    for (reference, new) in after.iter().filter(|(reference, _)| !before.contains_key(*reference)) {
        compare(&type_of(reference), None, Some(new), &mut found);
    }
    found
}

fn compare(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    match (before, after) {
        (before, after) if before == after => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            for (name, value) in old {
                compare(&format!("{path}.{name}"), Some(value), new.get(name), found);
            }
            for (name, value) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
                compare(&format!("{path}.{name}"), None, Some(value), found);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for index in 0..old.len().max(new.len()) {
                compare(path, old.get(index), new.get(index), found);
            }
        }
        (before, after) => {
            let differs = match (before, after) {
                (None, _) => Differs::Added,
                (_, None) => Differs::Removed,
                _ => Differs::Changed,
            };
            let (before, after) = (Phi::new(before.cloned()), Phi::new(after.cloned()));
            found.push(Difference { path: path.to_owned(), differs, before, after });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resource(json: Value) -> Resource {
        let text = |name: &str| json.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        Resource { resource_type: text("resourceType"), id: text("id"), json }
    }

    #[test]
    fn differences_are_named_by_their_element() {
        let before = [
            resource(
                json!({"resourceType": "Patient", "id": "1", "name": [{"family": "Old"}, {"text": "x"}]}),
            ),
            resource(json!({"resourceType": "Coverage", "id": "2"})),
        ];
        let after = [
            resource(json!({
                "resourceType": "Patient", "id": "1", "name": [{"family": "New"}], "gender": "female",
            })),
            resource(json!({"resourceType": "Account", "id": "3"})),
        ];
        let found: Vec<(String, Differs)> =
            differences(&before, &after).into_iter().map(|one| (one.path, one.differs)).collect();
        let expected = [
            ("Coverage", Differs::Removed),
            ("Patient.name.family", Differs::Changed),
            ("Patient.name", Differs::Removed),
            ("Patient.gender", Differs::Added),
            ("Account", Differs::Added),
        ];
        assert_eq!(found, expected.map(|(path, differs)| (path.to_owned(), differs)));
        assert!(differences(&before, &before).is_empty());
    }

    #[test]
    fn what_differs_is_not_printed() {
        let (before, after) = (json!({"id": "1", "a": "Planted"}), json!({"id": "1", "a": "Marker"}));
        let found = differences(&[resource(before)], &[resource(after)]);
        assert!(!format!("{found:?}").contains("Planted"), "{found:?}");
    }
}
