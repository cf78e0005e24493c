//! Every adapter of the project is right, and what is wrong in one is named with file, line and reason.

use std::{collections::BTreeMap, fs, path::Path};

use bridge_adapters::Catalog;

#[test]
fn every_adapter_is_right() {
    let catalog = Catalog::builtin();
    assert_eq!(
        catalog.names().collect::<Vec<_>>(),
        [
            "athenahealth",
            "cliniko",
            "drchrono",
            "epic",
            "generic-json",
            "healthie",
            "hl7v2",
            "nexhealth",
            "opendental",
            "oracle-health",
            "practice-studio",
            "tebra"
        ]
    );
    let errors: Vec<_> = catalog.check().iter().map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    for name in catalog.names() {
        assert_eq!(catalog.get(name).unwrap().manifest().adapter, name);
    }
    assert!(catalog.get("unheard-of").is_none());
}

#[test]
fn the_binary_holds_what_the_folder_holds() {
    let folder = Catalog::from_dir(crate::fixture::adapters()).unwrap();
    let builtin = Catalog::builtin();
    assert_eq!(builtin.names().collect::<Vec<_>>(), folder.names().collect::<Vec<_>>());
    for name in folder.names() {
        let (theirs, ours) = (folder.get(name).unwrap(), builtin.get(name).unwrap());
        assert_eq!(theirs.manifest(), ours.manifest());
        assert!(theirs.mapping_names().eq(ours.mapping_names()));
        assert!(theirs.mapping_names().all(|mapping| theirs.mapping(mapping) == ours.mapping(mapping)));
    }
}

const MANIFEST: &str = r#"# A product that does not exist.
adapter: demo
version: 1
title: Demo
settings:
  url:
    about: Where to deliver.
  mode:
    about: How.
    default: slow
    one-of: [slow, fast]
secrets:
  token: What proves the sender.
  signing: What proves us.
webhook:
  verify:
    kind: timestamped-hmac
    header: x-signature
    timestamp-header: x-timestamp
    secret: token
    encoding: hex
    separator: "."
    tolerance: 60
  challenge: {kind: hmac, query: msg, secret: token, field: answer}
  content-types:
    - application/json
  max-body: 1000
  rows: /items
  carry:
    topic: /topic
    detail: {array: /details, key: /id, row-key: /detail}
  kind: /topic
  kinds:
    visit:
      mapping: visit
      lane:
        - /row/patient
        - {header: x-office, strip: ""}
      source-id: [/row/id]
      version: {tail: /row/etag}
deliver:
  transport:
    kind: standard-webhook
    url: "{url}/in"
    secret: signing
  timeout: 5
  max-attempts: 3
  max-age: 24
  limits:
    - {calls: 500, seconds: 3600, on-the-clock: true}
    - {calls: 10, seconds: 1}
  concurrency: 4
  signals:
    - {status: 200, text: "BUSY", seconds: 30}
    - {status: 429, header: x-reset, form: epoch}
"#;

/// Makes the folder of the adapter `demo`.
pub(crate) fn put(folder: &Path, manifest: &str, mappings: &[(&str, &str)], queries: &[&str]) {
    let put = |path: &str, text: &str| {
        let path = folder.join("demo").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("adapter.yaml", manifest);
    for (name, text) in mappings {
        put(&format!("mappings/{name}.jsonata"), text);
    }
    for name in queries {
        put(&format!("queries/{name}.graphql"), "query { a }");
    }
}

/// The errors of a folder with this manifest, these mappings and queries.
pub(crate) fn errors(manifest: &str, mappings: &[(&str, &str)], queries: &[&str]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), manifest, mappings, queries);
    let errors = Catalog::from_dir(folder.path()).err().unwrap_or_default();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_whole_manifest_is_right() {
    assert_eq!(errors(MANIFEST, &[("visit", "row")], &[]), [""; 0]);
}

/// One change to the manifest, and the one error that follows.
#[test]
fn what_is_wrong_is_named_with_its_line() {
    let pointer = "not a JSON pointer (RFC 6901): empty, or `/` before each part, `~0` for `~`, `~1` for `/`";
    let header = "not a lower-case header name";
    let cases = [
        (
            "adapter: demo",
            "adapter: other",
            "2: the adapter is called `other` here, but its folder is `demo`",
        ),
        ("default: slow", "default: never", "10: must be one of slow, fast"),
        ("  token: What", "  unused: Nothing.\n  token: What", "13: nothing uses this secret"),
        ("header: x-signature", "header: X-Signature", &format!("18: {header}")),
        ("timestamp-header: x-timestamp", "timestamp-header: \"\"", &format!("19: {header}")),
        ("    secret: token\n", "    secret: tokn\n", "20: there is no secret `tokn`"),
        ("tolerance: 60", "tolerance: 86400", "23: must be from 1 to 3600"),
        ("query: msg, secret: token", "query: msg, secret: key", "24: there is no secret `key`"),
        (
            "- application/json",
            "- Application/JSON",
            "26: not a lower-case media type without parameters (example: application/json)",
        ),
        ("max-body: 1000", "max-body: 0", "27: must be from 1 to 4500000"),
        ("max-body: 1000", "max-body: 9000000", "27: must be from 1 to 4500000"),
        ("rows: /items", "rows: items", &format!("28: {pointer}")),
        ("topic: /topic\n", "row: /topic\n", "30: `row` is the row itself: carry this under another name"),
        ("topic: /topic\n", "topic: topic\n", &format!("30: {pointer}")),
        ("row-key: /detail", "row-key: /a~b", &format!("31: {pointer}")),
        ("kind: /topic\n", "kind: topic\n", &format!("32: {pointer}")),
        ("mapping: visit", "mapping: vist", "35: there is no mapping `vist`"),
        ("- /row/patient", "- row.patient", &format!("37: {pointer}")),
        ("{header: x-office", "{header: x office", &format!("38: {header}")),
        ("source-id: [/row/id]", "source-id: [id]", &format!("39: {pointer}")),
        ("version: {tail: /row/etag}", "version: {tail: etag}", &format!("40: {pointer}")),
        ("version: {tail: /row/etag}", "version: {first: [/etag, etag]}", &format!("40: {pointer}")),
        ("\"{url}/in\"", "\"{urls}/in\"", "44: there is no setting `urls`"),
        ("\"{url}/in\"", "\"{url/in\"", "44: `{` and `}` must enclose the name of a setting"),
        ("secret: signing", "secret: sign", "45: there is no secret `sign`"),
        ("timeout: 5", "timeout: 600", "46: must be from 1 to 30"),
        ("max-attempts: 3", "max-attempts: 0", "47: must be from 1 to 100"),
        ("max-age: 24", "max-age: 0", "48: must be from 1 to 720"),
        ("calls: 500", "calls: 0", "50: must be from 1 to 1000000"),
        ("seconds: 1}", "seconds: 0}", "51: must be from 1 to 2678400"),
        ("concurrency: 4", "concurrency: 1000", "52: must be from 1 to 100"),
        (
            ", text: \"BUSY\"",
            "",
            "54: a signal with a status below 400 needs a `text` that tells it from success",
        ),
        ("status: 429", "status: 700", "55: must be from 200 to 599"),
    ];
    for (before, after, error) in cases {
        assert_eq!(MANIFEST.matches(before).count(), 1, "{before:?} is not unique");
        let broken = MANIFEST.replace(before, after);
        let found = errors(&broken, &[("visit", "row"), ("vist", "row")][..1], &[]);
        assert!(
            found.contains(&format!("demo/adapter.yaml:{error}")),
            "{after:?} gave {found:#?}\nnot {error:?}"
        );
        let others: Vec<_> = found.iter().filter(|found| !found.ends_with(error)).collect();
        let follow = others.iter().all(|other| other.contains("uses this"));
        assert!(follow, "{after:?} also gave {others:#?}");
    }
}

#[test]
fn a_word_outside_the_vocabulary_is_named() {
    let found = errors(&MANIFEST.replace("max-body: 1000", "max-bodies: 1000"), &[("visit", "row")], &[]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("demo/adapter.yaml:27: webhook: unknown field `max-bodies`"), "{found:?}");

    let found = errors("adapter: demo\n  version: 1\n", &[], &[]);
    assert!(found[0].starts_with("demo/adapter.yaml:2: "), "{found:?}");
}

#[test]
fn sections_must_make_sense() {
    let head = "adapter: demo\nversion: 1\ntitle: Demo\n";
    let useless = "demo/adapter.yaml:1: an adapter needs a `webhook`, `hl7v2`, `api` or `deliver` section, or `open: true`";
    assert_eq!(errors(head, &[], &[]), [useless]);
    assert_eq!(errors(&format!("{head}open: true\n"), &[], &[]), [""; 0]);

    let webhook = format!(
        "{head}secrets: {{s: x}}\nwebhook:\n  verify: {{kind: token, header: h, secret: s}}\n  \
         carry: {{a: /a}}\n  kind: {{constant: k}}\n  kinds: {{}}\n"
    );
    assert_eq!(
        errors(&webhook, &[], &[]),
        [
            "demo/adapter.yaml:7: `carry` needs `rows`",
            "demo/adapter.yaml:9: no kinds: nothing would be taken"
        ]
    );
}

#[test]
fn a_mapping_that_does_not_compile_is_named_with_its_line() {
    let found = errors(MANIFEST, &[("visit", "(\n  $a := 1;\n  $b := [1, ;\n)")], &[]);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("demo/mappings/visit.jsonata:3: "), "{found:?}");
}

#[test]
fn a_mapping_that_no_kind_uses_is_named() {
    let found = errors(MANIFEST, &[("visit", "row"), ("visitt", "row")], &[]);
    assert_eq!(found, ["demo/mappings/visitt.jsonata:1: no kind and no feed uses this mapping"]);
}

#[test]
fn a_folder_without_a_manifest_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("demo")).unwrap();
    let errors = Catalog::from_dir(folder.path()).unwrap_err();
    assert!(errors[0].to_string().starts_with("demo/adapter.yaml:1: cannot be read: "), "{errors:?}");
    assert!(Catalog::from_dir(folder.path().join("nowhere")).is_err());
}

/// What the pipeline asks for.
#[test]
fn the_catalog_is_the_pipelines_source_of_adapters() {
    use bridge_core::manifest::Adapters;
    let catalog = Catalog::builtin();
    assert!(Adapters::manifest(&catalog, "drchrono").is_some_and(|manifest| manifest.webhook.is_some()));
    assert!(catalog.mapping("drchrono", "patient").is_some_and(|source| source.contains("Patient")));
    assert!(
        catalog.mapping("drchrono", "nothing").is_none() && catalog.mapping("nobody", "patient").is_none()
    );
}

/// A version is raised whenever what comes out changes; so it has to exist for every adapter.
#[test]
fn every_adapter_has_a_guide() {
    let guides: BTreeMap<String, bool> = Catalog::builtin()
        .names()
        .map(|name| (name.to_owned(), crate::fixture::adapters().join(name).join("README.md").is_file()))
        .collect();
    assert!(guides.values().all(|there| *there), "{guides:?}");
}
