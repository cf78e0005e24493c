//! What a message says of a resource, put into what is known of it: for sources that say only what they say (ADR 8).
//!
//! A resource is a set of groups, each with the version of the message that last said something of it: an element,
//! or the part of a list that a field of its own speaks for. The newer word stands, group by group, so that messages
//! give the same state in whatever order, and however often, they come.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What is known of one resource.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct State {
    groups: BTreeMap<String, Group>,
}

#[derive(Clone, PartialEq)]
struct Group {
    /// Of the message that said it.
    version: String,
    /// Nothing, where it was removed.
    pieces: Vec<Piece>,
}

/// The content is PHI.
impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} pieces of {}", self.pieces.len(), self.version)
    }
}

#[derive(Clone, PartialEq)]
enum Piece {
    /// A member.
    Whole(String, Value),
    /// An item of a list whose parts are groups of their own.
    Item(String, Value),
}

/// What a message says besides the elements that it has.
#[derive(Debug, Default)]
pub(crate) struct Asides {
    /// `Type/id` and the FHIRPath of what to remove.
    pub(crate) removals: Vec<(String, &'static str)>,
    /// `Type.element` and the value that stands in where the message has none: it never replaces what is known.
    pub(crate) defaults: Vec<(&'static str, String)>,
}

/// Which groups were said last by which message: how a record keeps it.
pub(super) type Said = BTreeMap<String, Vec<String>>;

impl State {
    /// The state that `json` is. Elements that `said` does not know are of `version`.
    pub(super) fn of(json: &Value, said: &Said, version: &str) -> Self {
        let mut groups = BTreeMap::new();
        for (version, names) in said {
            for name in names {
                groups.insert(name.clone(), Group { version: version.clone(), pieces: Vec::new() });
            }
        }
        for (name, pieces) in pieces(json) {
            let group = groups
                .entry(name)
                .or_insert_with(|| Group { version: version.to_owned(), pieces: Vec::new() });
            group.pieces = pieces;
        }
        Self { groups }
    }

    /// The resource, as JSON.
    pub(super) fn json(&self, resource_type: &str, id: &str) -> Value {
        let mut json = Map::new();
        json.insert("resourceType".to_owned(), Value::String(resource_type.to_owned()));
        json.insert("id".to_owned(), Value::String(id.to_owned()));
        for piece in self.groups.values().flat_map(|group| &group.pieces) {
            match piece {
                Piece::Whole(name, value) => {
                    json.insert(name.clone(), value.clone());
                }
                Piece::Item(name, value) => {
                    let list = json.entry(name.clone()).or_insert_with(|| Value::Array(Vec::new()));
                    if let Value::Array(list) = list {
                        list.push(value.clone());
                    }
                }
            }
        }
        Value::Object(json)
    }

    /// Which groups were said last by which message.
    pub(super) fn said(&self) -> Said {
        let mut said = Said::new();
        for (name, group) in &self.groups {
            said.entry(group.version.clone()).or_default().push(name.clone());
        }
        said
    }

    /// Whether something of the message with this version stands.
    pub(super) fn has_of(&self, version: &str) -> bool {
        self.groups.values().any(|group| group.version == version)
    }

    /// Puts in what a message says. Again is the same as once.
    pub(super) fn merge(&mut self, json: &Value, asides: &Asides, version: &str) {
        let resource_type = json.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let id = json.get("id").and_then(Value::as_str).unwrap_or_default();
        let said = pieces(json);
        for (name, pieces) in &said {
            let known = self.groups.get(name);
            if asides.is_default(resource_type, name, pieces) {
                // Of no version: whatever a message really says is newer.
                if known.is_none_or(|known| known.pieces.is_empty()) {
                    self.groups
                        .insert(name.clone(), Group { version: String::new(), pieces: pieces.clone() });
                }
                continue;
            }
            let newer = known.is_none_or(|known| known.version.as_str() <= version);
            if name == "link" {
                let pieces = links(known.map_or(&[], |known| &known.pieces), pieces, newer);
                let version = if newer { version } else { known.map_or(version, |known| &known.version) };
                self.groups.insert(name.clone(), Group { version: version.to_owned(), pieces });
            } else if newer {
                self.groups
                    .insert(name.clone(), Group { version: version.to_owned(), pieces: pieces.clone() });
            }
        }
        let reference = format!("{resource_type}/{id}");
        let paths = asides.removals.iter().filter(|(of, _)| *of == reference).map(|(_, path)| *path);
        // Who survives a merge is active, whatever was said before.
        let survives = said.get("link").is_some_and(|pieces| any_link(pieces, "replaces"));
        let revived = survives.then_some("Patient.active");
        for path in paths.chain(revived) {
            self.remove(Path::of(path), &said, version);
        }
    }

    /// Removes what the message does not say as well.
    fn remove(&mut self, path: Path<'_>, said: &BTreeMap<String, Vec<Piece>>, version: &str) {
        let is_part = |name: &str| match path.part {
            Some(part) => {
                name.strip_prefix(path.element).and_then(|rest| rest.strip_prefix(':')) == Some(part)
            }
            None => {
                name == path.element
                    || name.strip_prefix(path.element).is_some_and(|rest| rest.starts_with(':'))
            }
        };
        for (name, group) in self.groups.iter_mut().filter(|(name, _)| is_part(name)) {
            if said.contains_key(name) || group.version.as_str() > version {
                continue;
            }
            if path.inner.is_empty() {
                group.pieces.clear();
            } else {
                for Piece::Whole(_, value) | Piece::Item(_, value) in &mut group.pieces {
                    remove_inner(value, &path.inner);
                }
            }
            version.clone_into(&mut group.version);
        }
        let whole = path.inner.is_empty();
        let name =
            path.part.map_or_else(|| path.element.to_owned(), |part| format!("{}:{part}", path.element));
        if whole && !said.contains_key(&name) {
            // Kept as removed, so that an older message does not bring it back.
            self.groups
                .entry(name)
                .or_insert_with(|| Group { version: version.to_owned(), pieces: Vec::new() });
        }
    }
}

impl Asides {
    fn is_default(&self, resource_type: &str, name: &str, pieces: &[Piece]) -> bool {
        let [Piece::Whole(_, value)] = pieces else { return false };
        let code = value.as_str().or_else(|| value.get("code")?.as_str());
        self.defaults.iter().any(|(path, default)| {
            path.split_once('.') == Some((resource_type, name)) && code == Some(default.as_str())
        })
    }
}

/// A FHIRPath that names what to remove, as conversions write them.
struct Path<'a> {
    element: &'a str,
    /// `'home'` of `telecom.where(use = 'home')`; the URL of `extension('…')`.
    part: Option<&'a str>,
    /// Elements below.
    inner: Vec<&'a str>,
}

impl<'a> Path<'a> {
    fn of(path: &'a str) -> Self {
        let rest = path.split_once('.').map_or("", |(_, rest)| rest);
        if let Some((head, quoted)) = rest.split_once('\'') {
            let element = head.split(['.', '(']).next().unwrap_or_default();
            return Self { element, part: quoted.split('\'').next(), inner: Vec::new() };
        }
        let mut names = rest.split('.');
        Self { element: names.next().unwrap_or_default(), part: None, inner: names.collect() }
    }
}

fn remove_inner(value: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else { return };
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| remove_inner(item, path)),
        Value::Object(members) if rest.is_empty() => {
            members.retain(|name, _| !is_element(name, first));
        }
        Value::Object(members) => {
            members.get_mut(*first).into_iter().for_each(|inner| remove_inner(inner, rest));
        }
        _ => {}
    }
}

/// The groups of a resource.
fn pieces(json: &Value) -> BTreeMap<String, Vec<Piece>> {
    let mut groups: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
    let Value::Object(members) = json else { return groups };
    let resource_type = members.get("resourceType").and_then(Value::as_str).unwrap_or_default();
    for (name, value) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "resourceType" | "id")) {
        match value {
            Value::Array(items) if is_parted(resource_type, name) => {
                for item in items {
                    let group = format!("{name}:{}", part_of(name, item));
                    groups.entry(group).or_default().push(Piece::Item(name.clone(), item.clone()));
                }
            }
            _ => {
                let group = group_of(resource_type, name).to_owned();
                groups.entry(group).or_default().push(Piece::Whole(name.clone(), value.clone()));
            }
        }
    }
    groups
}

/// Lists that several fields fill, each with a part of its own.
fn is_parted(resource_type: &str, element: &str) -> bool {
    matches!(
        (resource_type, element),
        (_, "extension")
            | ("Patient", "telecom")
            | ("Patient" | "RelatedPerson", "identifier")
            | ("Coverage", "class")
    )
}

/// Which part of its list an item is in.
fn part_of(element: &str, item: &Value) -> String {
    let text = |pointer: &str| item.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    match element {
        "extension" => text("/url").to_owned(),
        // PID-14 is the business number, PID-13 has all others.
        "telecom" => if text("/use") == "work" { "work" } else { "home" }.to_owned(),
        // PID-19 and PID-20 stand beside the list in PID-3.
        "identifier" => match text("/type/coding/0/code") {
            part @ ("SS" | "DL") => part.to_owned(),
            _ => String::new(),
        },
        _ => text("/type/coding/0/code").to_owned(),
    }
}

/// Elements that stand for one thing, of which a resource has one.
fn group_of<'a>(resource_type: &str, element: &'a str) -> &'a str {
    let element = element.strip_prefix('_').unwrap_or(element);
    if (resource_type, element) == ("Observation", "dataAbsentReason") {
        // It says why there is no value.
        return "value";
    }
    let choices: &[&'static str] = match resource_type {
        "Patient" => &["deceased", "multipleBirth"],
        "Observation" => &["value", "effective"],
        "DiagnosticReport" => &["effective"],
        "Condition" => &["onset", "abatement"],
        "AllergyIntolerance" => &["onset"],
        "Procedure" => &["performed"],
        "ServiceRequest" => &["occurrence", "quantity", "asNeeded"],
        "ChargeItem" => &["occurrence", "product"],
        _ => &[],
    };
    choices.iter().copied().find(|choice| is_element(element, choice)).unwrap_or(element)
}

/// Whether a member is the element, or one of its types: `deceasedBoolean` is `deceased`.
fn is_element(member: &str, element: &str) -> bool {
    let member = member.strip_prefix('_').unwrap_or(member);
    member
        .strip_prefix(element)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_uppercase()))
}

/// Patient.link: a patient keeps whom it replaced before, and is replaced by one at most. Who replaces somebody is
/// not replaced any more, so that no circle closes however often two records are merged to and fro.
fn links(known: &[Piece], said: &[Piece], newer: bool) -> Vec<Piece> {
    let (old, new) = if newer { (known, said) } else { (said, known) };
    let list = |pieces: &[Piece]| -> Vec<Value> {
        let values =
            pieces.iter().filter_map(|(Piece::Whole(_, value) | Piece::Item(_, value))| value.as_array());
        values.flatten().cloned().collect()
    };
    let mut links = list(new);
    let other = |link: &Value| link.pointer("/other/reference").cloned();
    let decided = any_link(new, "replaces") || any_link(new, "replaced-by");
    for link in list(old) {
        let is_known = links.iter().any(|one| other(one) == other(&link));
        let is_over = decided && link.get("type").and_then(Value::as_str) == Some("replaced-by");
        if !is_known && !is_over {
            links.push(link);
        }
    }
    vec![Piece::Whole("link".to_owned(), Value::Array(links))]
}

fn any_link(pieces: &[Piece], kind: &str) -> bool {
    let is_kind = |link: &Value| link.get("type").and_then(Value::as_str) == Some(kind);
    pieces.iter().any(|(Piece::Whole(_, value) | Piece::Item(_, value))| {
        value.as_array().is_some_and(|links| links.iter().any(is_kind))
    })
}

#[cfg(test)]
mod tests;
