//! What is wrong with the words about reading is named with its line: a record that a webhook only names, an export, a queue
//! that is read once.

use crate::catalog::errors;

const MANIFEST: &str = r#"adapter: demo
version: 1
title: Demo
settings:
  url: {about: Where., default: ""}
  site: {about: Which., default: ""}
secrets:
  key: What proves us.
webhook:
  verify: {kind: token, header: x-key, secret: key}
  kind: /event
  kinds:
    visit-changed:
      fetch:
        resource: Appointment
        id: /visit
        needs: site
      lane: [/visit]
api:
  base: "{url}"
  operations:
    read: {path: "/visits/{id}"}
    changed: {path: "/visits/changed/{site}"}
    handed-out:
      path: /visits/changed
      query: {first: "{from}", last: "{to}"}
    everybody:
      style: fhir
      path: /Group/all/$export
      query: {_since: "{since}"}
      export:
        of: Patient
        every: 60
        within: 24
  kinds:
    visit:
      mapping: visit
    patient:
      mapping: visit
  resources:
    Appointment:
      kind: visit
      identifier: "urn:demo:visit"
      read: {operation: read}
      poll:
        operation: changed
        every: 300
        delta:
          kind: queue
          full: 1000
          again:
            operation: handed-out
            from: from
            to: to
    Patient:
      kind: patient
      identifier: "urn:demo:patient"
      poll:
        operation: everybody
        every: 3600
        delta: {kind: since, argument: since, overlap: 60}
"#;

const MAPPINGS: [(&str, &str); 1] = [("visit", "$")];

#[test]
fn the_words_are_right_as_they_are() {
    assert_eq!(errors(MANIFEST, &MAPPINGS, &[]), [""; 0]);
}

/// One change to the manifest, and the errors that follow.
#[test]
fn what_is_wrong_with_them_is_named_with_its_line() {
    let pointer = "not a JSON pointer (RFC 6901): empty, or `/` before each part, `~0` for `~`, `~1` for `/`";
    let header =
        "must be a place in the message: when the record is read, its headers are not there any more";
    let unread = "the interface does not say how one `Patient` is read by its id: `resources.Patient.read`";
    let rows = "      path: /Group/all/$export\n      rows: /entry\n";
    let cases: [(&str, &str, &[&str]); 13] = [
        ("resource: Appointment", "resource: Patient", &[&format!("15: {unread}")]),
        ("id: /visit\n", "id: {header: x-visit}\n", &[&format!("16: {header}")]),
        ("id: /visit\n", "id: visit\n", &[&format!("16: {pointer}")]),
        ("needs: site", "needs: sites", &["17: there is no setting `sites`"]),
        // What is not read must be mapped.
        (
            "      fetch:\n        resource: Appointment\n        id: /visit\n        needs: site\n",
            "",
            &["13: there is no mapping ``"],
        ),
        (
            "    visit:\n      mapping: visit\n",
            "    visit:\n      mapping: visit\n      fetch: {resource: Appointment, id: /id}\n",
            &["38: `fetch` goes without an interface: only webhooks name records"],
        ),
        ("style: fhir", "style: form", &["31: `export` needs `style: fhir`"]),
        ("of: Patient", "of: patients", &["32: not a FHIR resource type (example: Patient)"]),
        ("      path: /Group/all/$export\n", rows, &["32: `export` goes without pages, job or rows"]),
        ("every: 60", "every: 0", &["33: must be from 1 to 4294967295"]),
        ("within: 24", "within: 0", &["34: must be from 1 to 4294967295"]),
        ("full: 1000", "full: 0", &["50: must be from 1 to 4294967295"]),
        (
            "            operation: handed-out\n",
            "            operation: handed-in\n",
            &[
                "24: nothing uses this operation",
                "26: `from` is no setting, and nothing gives it as an argument",
                "52: there is no operation `handed-in`",
            ],
        ),
    ];
    for (before, after, expected) in cases {
        assert_eq!(MANIFEST.matches(before).count(), 1, "{before:?} is not unique");
        let found = errors(&MANIFEST.replace(before, after), &MAPPINGS, &[]);
        let expected: Vec<String> =
            expected.iter().map(|error| format!("demo/adapter.yaml:{error}")).collect();
        assert!(
            expected.iter().all(|error| found.contains(error)),
            "{after:?} gave {found:#?}\nnot {expected:#?}"
        );
    }
}
