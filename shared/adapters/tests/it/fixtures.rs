//! Every fixture of every adapter: message → mapping → ids and references → check, compared with what is expected.
//!
//! With `UPDATE_FIXTURES=1` what came out is written as `expected.json`: read the difference before it is committed.

use std::{env, fs};

use crate::fixture::{Fixture, Refused, cases};
use bridge_adapters::{Adapter, Catalog};
use serde_json::Value;

#[test]
fn every_fixture_gives_what_it_expects() {
    let catalog = Catalog::builtin();
    let mut failures = Vec::new();
    for name in catalog.names() {
        let cases = cases(name);
        if cases.is_empty() {
            failures.push(format!("{name} has no fixtures"));
        }
        let adapter = catalog.get(name).unwrap();
        // Ways out are tested over a socket, and HL7 v2 where it is converted: in `shared/pipeline/tests/hl7v2`.
        let manifest = adapter.manifest();
        let takes =
            manifest.webhook.is_some() || manifest.api.is_some() || manifest.open && manifest.hl7v2.is_none();
        for path in cases.iter().filter(|_| takes) {
            let fixture = Fixture::open(path);
            if let Err(why) = compare(&fixture, adapter) {
                let case = path.file_name().unwrap().display();
                failures.push(format!("{name}/{case} ({}): {why}", fixture.meta.about));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_kind_has_a_fixture_for_its_mapping() {
    let catalog = Catalog::builtin();
    for name in catalog.names() {
        let described: Vec<String> =
            cases(name).iter().map(|path| path.file_name().unwrap().display().to_string()).collect();
        for mapping in catalog.get(name).unwrap().mapping_names() {
            assert!(described.iter().any(|case| case.starts_with(mapping)), "{name}: no case for {mapping}");
        }
    }
}

fn compare(fixture: &Fixture, adapter: &Adapter) -> Result<(), String> {
    let result = fixture.run(adapter);
    let expected = fixture.path.join("expected.json");
    if let Ok(yaml) = fs::read_to_string(fixture.path.join("refused.yaml")) {
        return refused_as(&serde_norway::from_str(&yaml).unwrap(), &result);
    }
    let resources = Value::Array(result.map_err(|refused| format!("{refused:?}"))?);
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the test, not for the bridge")]
    let update = env::var_os("UPDATE_FIXTURES").is_some();
    if update {
        fs::write(&expected, serde_json::to_string_pretty(&resources).unwrap() + "\n").unwrap();
    }
    let expected = fs::read_to_string(&expected).map_err(|error| format!("expected.json: {error}"))?;
    let expected: Value = serde_json::from_str(&expected).unwrap();
    if resources == expected { Ok(()) } else { Err(format!("made\n{resources:#}\nnot\n{expected:#}")) }
}

fn refused_as(expected: &Refused, result: &Result<Vec<Value>, Refused>) -> Result<(), String> {
    match (result, expected) {
        (Err(Refused::Mapping { saying }), Refused::Mapping { saying: part }) if saying.contains(part) => {
            Ok(())
        }
        (Err(refused), _) if refused == expected => Ok(()),
        _ => Err(format!("{result:?} is not {expected:?}")),
    }
}
