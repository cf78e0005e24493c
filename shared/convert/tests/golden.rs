//! Whole messages of each family against the bundles they become, in `messages/`. `BRIDGE_BLESS=1` writes them: read the
//! difference before it is committed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::{env, fs, path::PathBuf};

use serde_json::{Value, json};

#[test]
#[allow(clippy::disallowed_methods, reason = "whether to write them is the caller's to say")]
fn each_message_becomes_the_bundle_beside_it() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/messages");
    let messages = support::files(folder).into_iter().filter(|f| f.extension().is_some_and(|e| e == "hl7"));
    for file in messages {
        let text = fs::read_to_string(&file).unwrap().trim_end().replace('\n', "\r");
        let converted = support::convert(&text);
        let removals: Vec<_> =
            converted.removals.iter().map(|r| json!([r.kind, r.path, r.location.to_string()])).collect();
        let notes: Vec<_> = converted.diagnostics.iter().map(ToString::to_string).collect();
        let made = json!({ "bundle": support::json(&converted), "removals": removals, "diagnostics": notes });
        let beside = file.with_extension("json");
        if env::var_os("BRIDGE_BLESS").is_some() {
            fs::write(&beside, serde_json::to_string_pretty(&made).unwrap() + "\n").unwrap();
        }
        let expected: Value = serde_json::from_str(&fs::read_to_string(&beside).unwrap()).unwrap();
        assert_eq!(made, expected, "{}", file.display());
    }
}
