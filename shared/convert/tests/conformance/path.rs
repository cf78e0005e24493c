//! Finds what stands at a path of the guide in a bundle.
//!
//! The guide numbers elements to tell them apart (`telecom[2]` is what PID-14 makes), not to count them, so numbers are
//! passed over. `name(Type)` follows a reference, `name(Type.path)` goes on from there.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Name(String),
    Resource(String),
}

/// Slips of the pen in the sheets.
const SLIPS: &[(&str, &str)] = &[
    (".reference(", "("),
    ("payer", "payor"),
    ("occurenceTiming", "occurrenceTiming"),
    ("occurrenceTIming", "occurrenceTiming"),
    ("valuedateTime", "valueDateTime"),
    ("extension[1].uri", "extension[1].url"),
    ("extension[2].uri", "extension[2].url"),
    ("type.coding.sytem", "type.coding.system"),
    ("organziation.", "organization"),
    ("organization.(", "organization("),
    ("practioner", "practitioner"),
    ("Practioner", "Practitioner"),
    ("PractitionerRole.Practitioner(", "PractitionerRole.practitioner("),
    ("coveragePeriod", "period"),
    ("role.coding.value", "role.coding.code"),
    ("function.coding.uri", "function.coding.system"),
    ("coding[3.version", "coding[3].version"),
    ("code[1].value", "code[1].coding.code"),
    ("suffix[2}", "suffix[2]"),
    (".timeOfDay", ".repeat.timeOfDay"),
    (".repeat.repeat.", ".repeat."),
    ("occurrenceTiming.duration", "occurrenceTiming.repeat.duration"),
    ("occurrenceTiming.bounds", "occurrenceTiming.repeat.bounds"),
    ("udiCarrier[1].udiCarrier", "udiCarrier[1]"),
    ("udiCarrier[2].udiCarrier", "udiCarrier[2]"),
    ("component[each]", "component"),
    ("line[1-3].line[", "line["),
    ("extension[2].valueReference(Location).", "extension[2].valueReference(Location.address)."),
    (".practitioner).practitioner(", ".practitioner("),
    (".practitioner(Practitioner)).practitioner(", ".practitioner("),
    ("code.coding.value", "code.coding.code"),
    ("extension[1]:group.url", "extension.url"),
    ("extension[1]:group.", "extension.extension."),
    ("extension[1]:orginal-sub-identiier.", "extension.extension."),
    ("extension[1]:identifier.", "extension.extension."),
    ("valueSampedData", "valueSampledData"),
    ("reaction.manifestation.text.text", "reaction.manifestation.text"),
];

pub(crate) fn parse(path: &str) -> Vec<Step> {
    let path = SLIPS.iter().fold(path.to_owned(), |path, (slip, meant)| path.replace(slip, meant));
    let path = if path == "occurred" { "occurredDateTime".to_owned() } else { path };
    let mut steps = Vec::new();
    let mut word = String::new();
    let mut of_resource = false;
    let mut depth = 0;
    for c in path.chars().chain(['.']) {
        match c {
            '[' => depth += 1,
            ']' | '}' => depth -= 1,
            _ if depth > 0 => {}
            '.' | '(' | ')' => {
                let taken = std::mem::take(&mut word);
                let taken = taken.trim();
                if !taken.is_empty() && !taken.starts_with('$') {
                    steps.push(if of_resource {
                        Step::Resource(taken.into())
                    } else {
                        Step::Name(taken.into())
                    });
                }
                of_resource = c == '(';
            }
            c => word.push(c),
        }
    }
    steps
}

/// Every value at the end of `steps`, from any of `roots`.
pub(crate) fn find<'a>(bundle: &'a Value, roots: Vec<&'a Value>, steps: &[Step]) -> Vec<&'a Value> {
    let mut at = roots;
    for step in steps {
        at = match step {
            Step::Name(name) => at.into_iter().flat_map(|value| member(bundle, value, name)).collect(),
            Step::Resource(kind) => at.into_iter().flat_map(|value| follow(bundle, value, kind)).collect(),
        };
    }
    at.into_iter().flat_map(elements).collect()
}

/// The elements of an array; anything else is its own.
fn elements(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().flat_map(elements).collect(),
        value => vec![value],
    }
}

/// A member; for a primitive, also what stands beside it (`_birthDate`); of a reference, also of what it refers to.
fn member<'a>(bundle: &'a Value, value: &'a Value, name: &str) -> Vec<&'a Value> {
    let beside = format!("_{name}");
    let get = |value: &'a Value| [value.get(name), value.get(&beside)];
    let found: Vec<_> = elements(value).into_iter().flat_map(get).flatten().collect();
    if found.is_empty() {
        return follow(bundle, value, "")
            .into_iter()
            .filter(|to| *to != value)
            .flat_map(get)
            .flatten()
            .collect();
    }
    found
}

fn follow<'a>(bundle: &'a Value, value: &'a Value, kind: &str) -> Vec<&'a Value> {
    let found = elements(value).into_iter().filter_map(|value| {
        let Some(to) = value["reference"].as_str() else {
            // Not a reference: the guide names a data type (`note(Annotation.text)`).
            return Some(value);
        };
        let (of_kind, id) = to.split_once('/')?;
        let known = bundle["entry"].as_array()?.iter().map(|entry| &entry["resource"]);
        known
            .into_iter()
            .find(|r| r["id"] == id && r["resourceType"] == of_kind && (of_kind == kind || kind.is_empty()))
    });
    found.collect()
}

/// All resources of a type.
pub(crate) fn resources<'a>(bundle: &'a Value, kind: &str) -> Vec<&'a Value> {
    let entries = bundle["entry"].as_array().into_iter().flatten();
    entries.map(|entry| &entry["resource"]).filter(|r| r["resourceType"] == kind).collect()
}
