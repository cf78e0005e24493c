//! Resources with versions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

/// How a product names the `n`th resource of a type.
pub type Naming = fn(resource: &str, n: u64) -> String;

/// All resources of a server, by type and id.
#[derive(Debug)]
pub struct Store {
    types: BTreeMap<String, BTreeMap<String, Kept>>,
    naming: Naming,
    given: u64,
    gone: Vec<(String, String, Timestamp)>,
}

/// A resource as it is now.
#[derive(Debug, Clone)]
pub struct Kept {
    /// From 1 on.
    pub version: u64,
    /// When it was changed last.
    pub updated: Timestamp,
    /// With `id` and `meta`.
    pub resource: Value,
}

impl Kept {
    /// `W/"3"`.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("W/\"{}\"", self.version)
    }
}

impl Store {
    /// An empty one.
    #[must_use]
    pub fn new(naming: Naming) -> Self {
        Self { types: BTreeMap::new(), naming, given: 0, gone: Vec::new() }
    }

    /// Keeps a new resource, and gives its id.
    pub fn create(&mut self, mut resource: Value, now: Timestamp) -> String {
        self.given += 1;
        let kind = resource.get("resourceType").and_then(Value::as_str).unwrap_or_default().to_owned();
        let id = (self.naming)(&kind, self.given);
        stamp(&mut resource, &id, 1, now);
        self.types.entry(kind).or_default().insert(id.clone(), Kept { version: 1, updated: now, resource });
        id
    }

    /// One by its id.
    #[must_use]
    pub fn get(&self, kind: &str, id: &str) -> Option<&Kept> {
        self.types.get(kind)?.get(id)
    }

    /// Makes a new version of a resource.
    pub fn change(
        &mut self,
        kind: &str,
        id: &str,
        now: Timestamp,
        change: impl FnOnce(&mut Value),
    ) -> Option<&Kept> {
        let kept = self.types.get_mut(kind)?.get_mut(id)?;
        change(&mut kept.resource);
        kept.version += 1;
        kept.updated = now;
        stamp(&mut kept.resource, id, kept.version, now);
        Some(kept)
    }

    /// Removes a resource; whether there was one.
    pub fn remove(&mut self, kind: &str, id: &str, now: Timestamp) -> bool {
        let was_there = self.types.get_mut(kind).and_then(|kept| kept.remove(id)).is_some();
        if was_there {
            self.gone.push((kind.to_owned(), id.to_owned(), now));
        }
        was_there
    }

    /// What was removed: type, id and when.
    #[must_use]
    pub fn gone(&self) -> &[(String, String, Timestamp)] {
        &self.gone
    }

    /// All of a type, in the order of their ids.
    pub fn all(&self, kind: &str) -> impl Iterator<Item = (&str, &Kept)> {
        self.types.get(kind).into_iter().flatten().map(|(id, kept)| (id.as_str(), kept))
    }
}

fn stamp(resource: &mut Value, id: &str, version: u64, now: Timestamp) {
    if let Some(members) = resource.as_object_mut() {
        members.insert("id".to_owned(), json!(id));
        members.insert(
            "meta".to_owned(),
            json!({"versionId": version.to_string(), "lastUpdated": format!("{now:.3}")}),
        );
    }
}
