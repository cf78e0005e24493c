//! What is wrong with an `api` section is named with its line.

use bridge_adapters::Catalog;

use crate::catalog::{errors, put};

const MANIFEST: &str = r#"adapter: demo
version: 1
title: Demo
settings:
  url: {about: Where., default: ""}
  system: {about: Whose ids., default: "urn:demo"}
secrets:
  key: What proves us.
api:
  base: "{url}"
  hosts:
    - files.example
  headers:
    x-app: "{system}"
  auth:
    kind: header
    name: x-key
    value: "{key}"
  timeout: 20
  limits:
    - {calls: 5, seconds: 1}
  answers:
    - {at: /error, means: invalid}
  operations:
    read:
      path: "/visits/{id}"
    list:
      path: /visits
      query:
        since: "{since}"
        who: "{who}"
      rows: /visits
      pages:
        kind: number
        page: page
        size: 100
    book:
      method: POST
      path: /visits
      body: book
    ask:
      style: graphql
      path: /graphql
      call: ask
    start:
      method: POST
      path: /jobs
      job:
        id: /id
        result: result
        at: /state
        waiting: [busy]
        every: 5
    result:
      path: "/jobs/{job}"
  version:
    operation: ask
    at: /version
  kinds:
    visit:
      mapping: visit
  resources:
    Appointment:
      kind: visit
      identifier: "{system}"
      read:
        operation: read
      search:
        - operation: list
          parameters:
            patient:
              kind: reference
              argument: who
              to: Appointment
          required:
            - patient
      poll:
        operation: list
        every: 300
        delta:
          kind: since
          argument: since
          overlap: 60
          time:
            form: "%Y-%m-%d"
        reconcile:
          operation: start
          every: 24
      write:
        - on: create
          operation: book
          find:
            operation: list
            arguments: find
            same: same
        - on: update
          operation: book
          changed: [start]
          read-back: true
          record: /id
deliver:
  transport:
    kind: api
"#;

const MAPPINGS: [(&str, &str); 4] = [("visit", "$"), ("book", "resource"), ("find", "{}"), ("same", "true")];

#[test]
fn a_whole_section_is_right() {
    assert_eq!(errors(MANIFEST, &MAPPINGS, &["ask"]), [""; 0]);
}

/// One change to the manifest, and the one error that follows.
#[test]
fn what_is_wrong_is_named_with_its_line() {
    let pointer = "not a JSON pointer (RFC 6901): empty, or `/` before each part, `~0` for `~`, `~1` for `/`";
    let form = "not a form of strftime (example: %Y-%m-%d %H:%M:%S)";
    let cases = [
        ("base: \"{url}\"", "base: \"{urls}\"", "10: there is no setting `urls`"),
        (
            "- files.example",
            "- https://files.example/",
            "12: must be a host (examples: auth.example, auth.example:8443, *.example)",
        ),
        ("x-app: ", "X-App: ", "14: not a lower-case header name"),
        ("x-app: \"{system}\"", "x-app: \"{key}\"", "14: there is no setting `key`"),
        ("name: x-key", "name: X Key", "17: not a lower-case header name"),
        ("value: \"{key}\"", "value: \"{keys}\"", "18: there is no setting `keys`"),
        ("value: \"{key}\"", "value: fixed", "8: nothing uses this secret"),
        ("timeout: 20", "timeout: 60", "19: must be from 1 to 30"),
        ("calls: 5", "calls: 0", "21: must be from 1 to 1000000"),
        ("{at: /error, means", "{means", "23: a rule needs `status`, `at` or `text`"),
        ("{at: /error, ", "{at: error, ", &format!("23: {pointer}")),
        ("{at: /error, ", "{status: [200, 42], ", "23: must be from 100 to 599"),
        (
            "path: \"/visits/{id}\"",
            "path: \"/visits/{ids}\"",
            "26: `ids` is no setting, and nothing gives it as an argument",
        ),
        ("path: \"/visits/{id}\"", "path: \"visits/{id}\"", "26: a path begins with `/`, or is an https URL"),
        (
            "path: \"/visits/{id}\"",
            "path: \"/visits/{id\"",
            "26: `{` and `}` must enclose the name of a setting",
        ),
        ("        who: \"{who}\"\n", "", "27: is given the argument `who`, and makes no use of it"),
        ("rows: /visits", "rows: visits", &format!("32: {pointer}")),
        ("size: 100", "size: 0", "36: must be from 1 to 4294967295"),
        ("method: POST\n      path: /visits", "method: GET\n      path: /visits", "40: a GET has no body"),
        ("body: book", "body: bok", "40: there is no mapping `bok`"),
        ("call: ask", "call: aks", "44: there is no query `aks`"),
        ("result: result", "result: reslt", "50: there is no operation `reslt`"),
        ("    operation: ask\n", "    operation: asks\n", "57: there is no operation `asks`"),
        ("  version:\n    operation: ask\n    at: /version\n", "", "41: nothing uses this operation"),
        ("mapping: visit", "mapping: vist", "61: there is no mapping `vist`"),
        ("kind: visit\n", "kind: visits\n", "64: there is no kind `visits`"),
        ("identifier: \"{system}\"", "identifier: \"{key}\"", "65: there is no setting `key`"),
        ("to: Appointment", "to: Patient", "74: there is no resource `Patient` here"),
        ("            - patient\n", "            - actor\n", "75: there is no parameter `actor` here"),
        ("every: 300", "every: 5", "79: must be from 30 to 604800"),
        ("form: \"%Y-%m-%d\"", "form: \"%K\"", &format!("85: {form}")),
        ("operation: start", "operation: strt", "87: there is no operation `strt`"),
        ("same: same", "same: smae", "95: there is no mapping `smae`"),
        ("      read:\n        operation: read\n", "", "96: `changed` needs `read`"),
        ("record: /id", "record: id", &format!("100: {pointer}")),
    ];
    for (before, after, error) in cases {
        assert_eq!(MANIFEST.matches(before).count(), 1, "{before:?} is not unique");
        let found = errors(&MANIFEST.replace(before, after), &MAPPINGS, &["ask"]);
        let expected = format!("demo/adapter.yaml:{error}");
        assert!(found.contains(&expected), "{after:?} gave {found:#?}\nnot {error:?}");
        let follows = |other: &String| {
            other == &expected
                || other.contains("uses this")
                || other.contains("needs `read`")
                || other.contains("argument")
        };
        assert!(found.iter().all(follows), "{after:?} also gave {found:#?}");
    }
}

#[test]
fn sections_must_fit_together() {
    let without_writes =
        MANIFEST.split("      write:\n").next().unwrap().to_owned() + "deliver: {transport: {kind: api}}\n";
    let found = errors(&without_writes, &MAPPINGS, &["ask"]);
    assert!(
        found.iter().any(|error| error.ends_with("deliveries by `api` need an `api` in which a resource has `write`")),
        "{found:#?}"
    );
    let found = errors(MANIFEST, &MAPPINGS, &["ask", "other"]);
    assert_eq!(found, ["demo/queries/other.graphql:1: no operation uses this query"]);
    let soap = MANIFEST.replace("      style: graphql", "      style: soap");
    let found = errors(&soap, &MAPPINGS, &[]);
    assert_eq!(found, ["demo/adapter.yaml:9: `style: soap` needs `soap`"]);
}

#[test]
fn a_connections_address_must_be_one_that_may_be_called() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), MANIFEST, &MAPPINGS, &["ask"]);
    let catalog = Catalog::from_dir(folder.path()).unwrap();
    let problems = |url: &str| -> Vec<String> {
        let yaml = format!(
            "connection: north.pms\nadapter: demo\nzone: America/Denver\nsettings: {{url: '{url}'}}\nsecrets: {{key: k}}\n"
        );
        let connection = serde_norway::from_str(&yaml).unwrap();
        catalog.get("demo").unwrap().check_connection(&connection).iter().map(ToString::to_string).collect()
    };
    for good in [
        "",
        "https://pms.example/api",
        "http://127.0.0.1:8080",
        "http://localhost:1/x",
        "https://198.51.100.7",
    ] {
        assert_eq!(problems(good), [""; 0], "{good}");
    }
    for bad in [
        "http://pms.example",
        "https://10.0.0.1/",
        "https://169.254.169.254",
        "https://[fe80::1]",
        "https://pms.example?x=1",
        "https://user@pms.example",
        "pms.example",
    ] {
        let found = problems(bad);
        assert_eq!(found.len(), 1, "{bad}");
        assert!(
            found[0].starts_with("settings.url: must be an https URL without user, query or fragment"),
            "{found:?}"
        );
    }
}
