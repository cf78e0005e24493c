//! The fixtures of `adapters/hl7v2`: a message, what was agreed with its sender, and the resources that come of it.
//!
//! With `UPDATE_FIXTURES=1` what came out is written as `expected.json`: read the difference before it is committed.

use std::{env, fs, path::Path};

use serde_json::Value;

use crate::site::Site;

/// The resources of the delivered bundle. Ids are of the tenant's key, so they are numbered here, in the order they are
/// met.
fn resources(bundle: &str) -> Value {
    let bundle: Value = serde_json::from_str(bundle).unwrap();
    let entries = bundle["entry"].as_array().unwrap();
    let resources: Value = entries.iter().map(|entry| entry["resource"].clone()).collect();
    let mut text = resources.to_string();
    let mut number = 0;
    while let Some(id) = text.split(['"', '/']).find(|part| is_uuid(part)).map(str::to_owned) {
        number += 1;
        text = text.replace(&id, &format!("id-{number}"));
    }
    serde_json::from_str(&text).unwrap()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().filter(|b| *b == b'-').count() == 4
}

#[test]
fn every_fixture_gives_what_it_expects() {
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the test, not for the bridge")]
    let update = env::var_os("UPDATE_FIXTURES").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../adapters/hl7v2/fixtures");
    let mut cases: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        let read = |name: &str| fs::read_to_string(case.join(name)).unwrap();
        let site = Site::new(&read("hl7v2.yaml"));
        // In the file a line is a segment.
        site.accepted(&read("input.hl7").replace('\n', "\r"));
        let made = resources(site.0.delivered().last().unwrap());
        if update {
            fs::write(case.join("expected.json"), serde_json::to_string_pretty(&made).unwrap() + "\n")
                .unwrap();
        }
        let expected: Value = serde_json::from_str(&read("expected.json")).unwrap();
        assert_eq!(made, expected, "{}: made\n{made:#}", case.display());
    }
}
