//! Records of a feed that travel together: each is mapped by itself, and what they say of one resource becomes one state.

use std::collections::BTreeMap;

use bridge_core::{Cause, Phi, task::NormalizeTask};
use bridge_fhir::Resource;
use bridge_seal::IndexKey;
use serde_json::Value;

use super::translate::Translated;
use crate::{bridge::Bridge, configuration::Loaded, ports::Ports};

/// The records of a message, each with its number in the file.
///
/// # Errors
/// When it was not written by this bridge.
pub(crate) fn records(received: &[u8]) -> Result<Vec<(u64, Value)>, Cause> {
    let read = |line: &[u8]| {
        let mut line: Value = serde_json::from_slice(line).ok()?;
        Some((line.get("row")?.as_u64()?, line.get_mut("record")?.take()))
    };
    let lines = received.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .map(read)
        .collect::<Option<_>>()
        .ok_or_else(|| Cause::new("message.malformed", "what was kept is not records of a feed, a line each"))
}

impl<P: Ports> Bridge<P> {
    /// Maps each of them. One that can't be mapped stops all: what comes after it in its lane must not overtake it.
    ///
    /// # Errors
    /// The cause names the row, and the place in it, the mapping or the resource.
    pub(super) fn translate_rows(
        &self,
        task: &NormalizeTask,
        source: &Loaded,
        received: &Phi<Vec<u8>>,
        index: &IndexKey,
    ) -> Result<Translated, Cause> {
        let mut together = Together::default();
        let mut all: Option<Translated> = None;
        for (row, record) in records(received.expose())? {
            let one = self.translate_record(task, source, &record, index).map_err(|cause| {
                let place = format!("row {row} {}", cause.place);
                cause.at(place.trim_end())
            })?;
            let Translated { resources, version, find, mapped_by, .. } = one;
            resources.into_iter().for_each(|resource| together.add(resource, &version));
            let all = all.get_or_insert_with(|| Translated::of(Vec::new(), mapped_by));
            all.find.extend(find);
        }
        let mut all = all.ok_or_else(|| Cause::new("message.malformed", "the message has no records"))?;
        all.find.sort();
        all.find.dedup();
        (all.resources, all.versions) = together.end();
        Ok(all)
    }
}

/// The last state of each resource, in the order in which they were said.
#[derive(Debug, Default)]
struct Together {
    said: Vec<Option<Resource>>,
    /// By `Type/id`: where it stands, and its version.
    places: BTreeMap<String, (usize, String)>,
}

impl Together {
    /// A record without a version says something about the state that is there: it is the newer one, and has its version.
    fn add(&mut self, resource: Resource, version: &str) {
        let (reference, next) = (resource.reference(), self.said.len());
        let known = self.places.get(&reference);
        let newest = match known {
            Some((_, known)) if version.is_empty() => known.clone(),
            Some((_, known)) if version < known.as_str() => return,
            _ => version.to_owned(),
        };
        if let Some(before) = known.and_then(|(place, _)| self.said.get_mut(*place)) {
            *before = None;
        }
        self.said.push(Some(resource));
        self.places.insert(reference, (next, newest));
    }

    fn end(self) -> (Vec<Resource>, BTreeMap<String, String>) {
        let versions = self.places.into_iter().map(|(reference, (_, version))| (reference, version));
        (self.said.into_iter().flatten().collect(), versions.collect())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn together(said: &[(&str, &str, &str)]) -> (Vec<String>, BTreeMap<String, String>) {
        let mut together = Together::default();
        for (id, state, version) in said {
            let json = json!({"resourceType": "Patient", "id": id, "state": state});
            together.add(Resource { resource_type: "Patient".into(), id: (*id).into(), json }, version);
        }
        let (resources, versions) = together.end();
        let state = |resource: Resource| {
            format!("{} {}", resource.id, resource.json["state"].as_str().unwrap_or_default())
        };
        (resources.into_iter().map(state).collect(), versions)
    }

    #[test]
    fn of_two_states_the_newer_is_left_in_its_own_place() {
        let (resources, versions) = together(&[("a", "1", "3"), ("b", "1", "3"), ("a", "2", "4")]);
        assert_eq!(resources, ["b 1", "a 2"]);
        assert_eq!(versions["Patient/a"], "4");
        let (resources, versions) = together(&[("a", "1", "3"), ("b", "1", "3"), ("a", "0", "2")]);
        assert_eq!(resources, ["a 1", "b 1"], "an older one that comes later");
        assert_eq!(versions["Patient/a"], "3");
    }

    #[test]
    fn without_a_version_the_later_one_is_left() {
        let (resources, versions) = together(&[("a", "1", ""), ("a", "2", "")]);
        assert_eq!((resources, &*versions["Patient/a"]), (vec!["a 2".to_owned()], ""));
        let (resources, versions) = together(&[("a", "1", "3"), ("a", "2", "")]);
        assert_eq!((resources, &*versions["Patient/a"]), (vec!["a 2".to_owned()], "3"));
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let written = b"{\"row\":7,\"record\":{\"a\":1}}\n{\"row\":9,\"record\":{\"a\":2}}\n";
        assert_eq!(records(written).unwrap(), [(7, json!({"a": 1})), (9, json!({"a": 2}))]);
        for wrong in ["{}", "{\"row\":1}", "x", "{\"row\":-1,\"record\":{}}"] {
            assert!(records(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
