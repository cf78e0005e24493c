//! `adapters/adapter.schema.json`, by which editors complete and check a manifest, is made of the vocabulary's own source:
//! it says what the Rust types say, in their words. `UPDATE_SCHEMA=1` writes it anew.

mod source;

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::{Map, Value, json};

use crate::fixture::adapters;

fn path() -> PathBuf {
    adapters().join("adapter.schema.json")
}

/// Types from elsewhere that the vocabulary names.
fn foreign() -> [(&'static str, Value); 3] {
    let mode =
        json!({"enum": ["auto", "original", "enhanced"], "description": "How HL7 v2 is acknowledged."});
    let reading = json!({
        "type": "object",
        "description": "How the bytes of a message are read.",
        "properties": {"undeclared": {"type": "string"}, "always": {"type": "string"}},
        "additionalProperties": false,
    });
    let connection = json!({"type": "string", "description": "The id of a connection, `{tenant}.{name}`."});
    [("ConnectionId", connection), ("Mode", mode), ("Reading", reading)]
}

fn schema() -> Value {
    let all: BTreeMap<String, Value> =
        source::definitions().into_iter().chain(foreign().map(|(name, of)| (name.to_owned(), of))).collect();
    // Those that a manifest can hold.
    let mut reached = Map::new();
    let mut open = vec!["Manifest".to_owned()];
    while let Some(name) = open.pop() {
        if !reached.contains_key(&name) {
            let definition = all.get(&name).unwrap_or_else(|| panic!("nothing defines {name}"));
            references(definition, &mut open);
            reached.insert(name, definition.clone());
        }
    }
    reached.sort_keys();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The manifest of an adapter: docs/adapter-manifest.md",
        "$ref": "#/$defs/Manifest",
        "$defs": reached,
    })
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                match value.as_str().and_then(|text| text.strip_prefix("#/$defs/")) {
                    Some(name) if key == "$ref" => found.push(name.to_owned()),
                    _ => references(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch for the one who runs the tests")]
fn the_schema_says_what_the_vocabulary_says() {
    let text = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    if std::env::var("UPDATE_SCHEMA").is_ok() {
        fs::write(path(), &text).unwrap();
    }
    let shipped = fs::read_to_string(path()).unwrap();
    assert!(
        shipped == text,
        "the vocabulary has changed: UPDATE_SCHEMA=1 cargo test -p bridge-adapters --test it schema"
    );
}

#[test]
fn every_manifest_fits_the_schema() {
    let schema = schema();
    for name in bridge_adapters::Catalog::builtin().names() {
        let text = fs::read_to_string(adapters().join(name).join("adapter.yaml")).unwrap();
        let manifest: Value = serde_norway::from_str(&text).unwrap();
        assert_eq!(wrong(&schema, &schema, &manifest, ""), None, "{name}");
    }
}

/// The schema tells what serde tells.
#[test]
fn what_is_no_manifest_does_not_fit() {
    let schema = schema();
    let fits = |rest: &str| {
        let text = format!("adapter: a\nversion: 1\ntitle: A\n{rest}");
        wrong(&schema, &schema, &serde_norway::from_str(&text).unwrap(), "").is_none()
    };
    assert!(fits(""));
    assert!(fits(
        "api: {base: b, operations: {get: {path: /x, query: {a: [b, c]}}}, auth: {kind: basic, user: u}}"
    ));
    assert!(fits("api: {base: b, operations: {}, auth: {kind: exchange, path: /t, token: /t, lifetime: 5}}"));
    for rest in [
        "versions: 1",
        "api: {operations: {}}",
        "api: {base: b, operations: {get: {paths: /x}}}",
        "api: {base: b, operations: {get: {method: get}}}",
        "api: {base: b, operations: {}, timeout: soon}",
        "api: {base: b, operations: {}, auth: {kind: basics, user: u}}",
        "api: {base: b, operations: {}, auth: {kind: basic, user: u, name: n}}",
        "api: {base: b, operations: {}, auth: {kind: exchange, path: /t, token: /t}}",
        "api: {base: b, operations: {get: {pages: {kind: offset, offset: {query: o}, size: 1}}}}",
    ] {
        let text = format!("adapter: a\nversion: 1\ntitle: A\n{rest}");
        assert!(!fits(rest), "{rest}");
        assert!(serde_norway::from_str::<bridge_core::manifest::Manifest>(&text).is_err(), "{rest}");
    }
}

/// Where a value does not fit: as much of JSON Schema as this one uses.
fn wrong(root: &Value, schema: &Value, value: &Value, at: &str) -> Option<String> {
    let here = || Some(at.to_owned());
    if let Some(name) = schema.get("$ref").and_then(Value::as_str) {
        let definition = root.pointer(name.trim_start_matches('#')).unwrap();
        return wrong(root, definition, value, at);
    }
    if let Some(ways) = schema.get("oneOf").or(schema.get("anyOf")).and_then(Value::as_array) {
        let fitting = ways.iter().filter(|way| wrong(root, way, value, at).is_none()).count();
        return if fitting == 1 { None } else { here() };
    }
    if schema.get("const").is_some_and(|only| only != value)
        || schema.get("enum").is_some_and(|words| !words.as_array().unwrap().contains(value))
    {
        return here();
    }
    match (schema.get("type").and_then(Value::as_str), value) {
        (None, _) => None,
        (Some("string"), Value::String(_)) | (Some("boolean"), Value::Bool(_)) => None,
        (Some("integer"), Value::Number(number)) if number.is_u64() => None,
        (Some("array"), Value::Array(items)) => items
            .iter()
            .enumerate()
            .find_map(|(n, item)| wrong(root, &schema["items"], item, &format!("{at}/{n}"))),
        (Some("object"), Value::Object(members)) => {
            let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
            if let Some(missing) =
                required.filter_map(Value::as_str).find(|name| !members.contains_key(*name))
            {
                return Some(format!("{at}/{missing}"));
            }
            members.iter().find_map(|(name, value)| {
                let at = format!("{at}/{name}");
                match schema.get("properties").and_then(|properties| properties.get(name)) {
                    Some(known) => wrong(root, known, value, &at),
                    None => match &schema["additionalProperties"] {
                        Value::Object(_) => wrong(root, &schema["additionalProperties"], value, &at),
                        _ => Some(at),
                    },
                }
            })
        }
        _ => here(),
    }
}
