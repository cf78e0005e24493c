//! What must hold of every bundle: JSON without doubled names, nothing empty, required elements, references that lead
//! somewhere, and the invariants of R4 that a converter can break.

use std::{collections::HashSet, fmt};

use bridge_convert::Converted;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Elements R4 requires of the resources written here. `[x]` stands for any type.
const REQUIRED: &[(&str, &[&str])] = &[
    ("Account", &["status"]),
    ("AllergyIntolerance", &["patient", "clinicalStatus"]),
    ("Appointment", &["status", "participant"]),
    ("Basic", &["code"]),
    ("ChargeItem", &["status", "code", "subject"]),
    ("Condition", &["subject"]),
    ("Coverage", &["status", "beneficiary", "payor"]),
    ("DiagnosticReport", &["status", "code"]),
    ("Encounter", &["status", "class"]),
    ("EpisodeOfCare", &["status", "patient"]),
    ("MessageHeader", &["eventCoding", "source"]),
    ("Observation", &["status", "code"]),
    ("Procedure", &["status", "subject"]),
    ("Provenance", &["target", "recorded", "agent"]),
    ("RelatedPerson", &["patient"]),
    ("ServiceRequest", &["status", "intent", "subject"]),
];

pub(crate) fn check(converted: &Converted) -> Result<(), String> {
    let bundle: Strict = serde_json::from_slice(&converted.bundle).map_err(|e| e.to_string())?;
    let bundle: Value = bundle.0;
    filled(&bundle, "Bundle")?;
    let entries = bundle["entry"].as_array().ok_or("no entry")?;
    let first = &entries.first().ok_or("no entry")?["resource"]["resourceType"];
    if first != "MessageHeader" {
        return Err(format!("bdl-12: the first entry is {first}"));
    }
    let mut known = HashSet::new();
    for (entry, resource) in entries.iter().zip(&converted.resources) {
        let json = &entry["resource"];
        let name = format!("{}/{}", resource.kind, resource.id);
        let (kind, id) = (json["resourceType"].as_str(), json["id"].as_str());
        if kind != Some(resource.kind) || id != Some(resource.id.to_string().as_str()) {
            return Err(format!("{name} is listed and {kind:?}/{id:?} stands there"));
        }
        let again: Value = serde_json::from_slice(converted.json(resource)).map_err(|e| e.to_string())?;
        if again != *json || !entry["fullUrl"].as_str().is_some_and(|url| url.ends_with(&name)) {
            return Err(format!("{name}: its range or its fullUrl is wrong"));
        }
        if !known.insert(name.clone()) {
            return Err(format!("{name} stands twice"));
        }
        required(json).and_then(|()| invariants(json)).map_err(|fault| format!("{name}: {fault}"))?;
    }
    if entries.len() != converted.resources.len() {
        return Err("resources and entries differ in number".into());
    }
    references(&bundle, &known)
}

fn filled(value: &Value, path: &str) -> Result<(), String> {
    match value {
        Value::Object(members) if members.is_empty() => Err(format!("{path} is an empty object")),
        Value::Object(members) => members.iter().try_for_each(|(k, v)| filled(v, &format!("{path}.{k}"))),
        Value::Array(items) if items.is_empty() => Err(format!("{path} is an empty array")),
        Value::Array(items) => {
            items.iter().enumerate().try_for_each(|(i, v)| filled(v, &format!("{path}[{i}]")))
        }
        Value::String(text) if text.trim().is_empty() => Err(format!("{path} is an empty string")),
        Value::Null => Err(format!("{path} is null")),
        _ => Ok(()),
    }
}

fn required(json: &Value) -> Result<(), String> {
    let kind = json["resourceType"].as_str().unwrap_or_default();
    let names = REQUIRED.iter().find(|(k, _)| *k == kind).map_or(&[][..], |(_, names)| names);
    // A report or order about no patient has no subject to give.
    let missing = names
        .iter()
        .find(|name| json.get(**name).is_none() && !(kind == "ServiceRequest" && **name == "subject"));
    missing.map_or(Ok(()), |name| Err(format!("{name} is missing")))
}

/// Invariants of R4, by their keys.
fn invariants(json: &Value) -> Result<(), String> {
    let has = |name: &str| json.get(name).is_some();
    let choices = |stem: &str| {
        let names = json.as_object().into_iter().flat_map(|o| o.keys());
        names
            .filter(|name| name.strip_prefix(stem).is_some_and(|rest| rest.starts_with(char::is_uppercase)))
            .count()
    };
    let fail = |key: &str, broken: bool| if broken { Err(key.to_owned()) } else { Ok(()) };
    for stem in ["value", "effective", "onset", "performed", "occurrence", "deceased", "multipleBirth"] {
        fail(&format!("{stem}[x] has several"), choices(stem) > 1)?;
    }
    match json["resourceType"].as_str().unwrap_or_default() {
        "Patient" => {
            for contact in json["contact"].as_array().into_iter().flatten() {
                let said = ["name", "telecom", "address", "organization"];
                fail("pat-1", !said.iter().any(|name| contact.get(*name).is_some()))?;
            }
            Ok(())
        }
        "Observation" => fail("obs-6", has("dataAbsentReason") && choices("value") > 0),
        "Organization" => fail("org-1", !has("identifier") && !has("name")),
        "Appointment" => {
            fail("app-2", has("start") != has("end"))?;
            let open = ["proposed", "cancelled", "waitlist"].iter().any(|s| json["status"] == **s);
            fail("app-3", !has("start") && !open)?;
            for participant in json["participant"].as_array().into_iter().flatten() {
                fail("app-1", participant.get("type").is_none() && participant.get("actor").is_none())?;
                fail("participant.status", participant.get("status").is_none())?;
            }
            Ok(())
        }
        "MessageHeader" => {
            let source = &json["source"];
            fail("source.endpoint", source.get("endpoint").is_none() && source.get("_endpoint").is_none())
        }
        "AllergyIntolerance" => {
            let reactions = json["reaction"].as_array().into_iter().flatten();
            fail("reaction.manifestation", reactions.clone().any(|r| r.get("manifestation").is_none()))
        }
        "Provenance" => {
            let agents = json["agent"].as_array().into_iter().flatten();
            fail("agent.who", agents.clone().any(|a| a.get("who").is_none()))
        }
        _ => Ok(()),
    }?;
    quantities(json)
}

/// qty-3, tim-1, tim-2, ext-1, wherever they stand.
fn quantities(value: &Value) -> Result<(), String> {
    match value {
        Value::Object(members) => {
            let has = |name: &str| members.contains_key(name);
            if has("code") && has("unit") && !has("system") {
                return Err("qty-3".into());
            }
            if (has("duration") && !has("durationUnit"))
                || (has("period")
                    && members["period"].is_number()
                    && !has("periodUnit")
                    && !has("dimensions"))
            {
                return Err("tim-1".into());
            }
            if let Some(extensions) = members.get("extension").and_then(Value::as_array) {
                for extension in extensions {
                    let valued =
                        extension.as_object().is_some_and(|o| o.keys().any(|k| k.starts_with("value")));
                    if extension.get("url").is_none() || valued == extension.get("extension").is_some() {
                        return Err(format!("ext-1: {extension}"));
                    }
                }
            }
            members.values().try_for_each(quantities)
        }
        Value::Array(items) => items.iter().try_for_each(quantities),
        _ => Ok(()),
    }
}

fn references(value: &Value, known: &HashSet<String>) -> Result<(), String> {
    match value {
        Value::Object(members) => members.iter().try_for_each(|(name, value)| match (name.as_str(), value) {
            ("reference", Value::String(to)) if !known.contains(to) => Err(format!("{to} is nowhere")),
            (_, value) => references(value, known),
        }),
        Value::Array(items) => items.iter().try_for_each(|item| references(item, known)),
        _ => Ok(()),
    }
}

/// A [`Value`] whose objects name each member once.
struct Strict(Value);

impl<'de> de::Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut read = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut read = serde_json::Map::new();
        while let Some(name) = members.next_key::<String>()? {
            // How `arbitrary_precision` hands numbers to a visitor.
            if name == "$serde_json::private::Number" {
                let digits: String = members.next_value()?;
                return digits.parse().map(Value::Number).map_err(de::Error::custom);
            }
            let Strict(value) = members.next_value()?;
            if read.insert(name.clone(), value).is_some() {
                return Err(de::Error::custom(format_args!("`{name}` stands twice")));
            }
        }
        Ok(Value::Object(read))
    }
}
