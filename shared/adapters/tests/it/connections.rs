//! A connection is held against its adapter before anything runs on it.

use bridge_adapters::Catalog;
use bridge_core::config::Connection;

const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// The problems of a connection file, with their lines.
fn problems(yaml: &str) -> Vec<String> {
    let connection: Connection = serde_norway::from_str(yaml).unwrap();
    let catalog = Catalog::builtin();
    let problems = catalog.get(&connection.adapter).unwrap().check_connection(&connection);
    problems.iter().map(|problem| format!("{}: {problem}", problem.line(yaml))).collect()
}

const HEAD: &str = "connection: demo.one\nzone: America/Chicago\n";

fn studio(rest: &str) -> Vec<String> {
    problems(&format!("{HEAD}adapter: practice-studio\n{rest}"))
}

fn opendental(rest: &str) -> Vec<String> {
    problems(&format!("{HEAD}adapter: opendental\nsecrets:\n  customer-key: invented\n{rest}"))
}

#[test]
fn a_right_one_has_no_problems() {
    let right = format!("settings:\n  url: https://example.org/hook\nsecrets:\n  signing-secret: {SECRET}\n");
    assert_eq!(studio(&right), [""; 0]);
    let environment =
        "settings:\n  url: http://127.0.0.1:9000/\nsecrets:\n  signing-secret: {env: STUDIO_SECRET}\n";
    assert_eq!(studio(environment), [""; 0]);
    assert_eq!(opendental("settings:\n  broken-status: noshow\n"), [""; 0]);
}

#[test]
fn settings_are_declared_and_listed() {
    assert_eq!(
        opendental("settings:\n  patient-system: urn:example:a\n  patient-sistem: urn:example:b\n"),
        ["8: settings.patient-sistem: there is no setting `patient-sistem`"]
    );
    let statuses = "proposed, pending, booked, arrived, checked-in, fulfilled, cancelled, noshow, waitlist, \
                    entered-in-error";
    assert_eq!(
        opendental("settings:\n  broken-status: missed\n"),
        [format!("7: settings.broken-status: must be one of {statuses}")]
    );
    assert_eq!(
        opendental("settings:\n  clinic-zones: 1=America/Denver, 2=America/Phönix\n"),
        ["7: settings.clinic-zones: must be `key=zone, key=zone` with IANA zones \
             (example: 2=America/Denver)"]
    );
    assert_eq!(opendental("settings:\n  clinic-zones: 1=America/Denver,2=America/Phoenix\n"), [""; 0]);
    let no_url = format!("secrets:\n  signing-secret: {SECRET}\n");
    assert_eq!(studio(&no_url), ["1: settings: the setting `url` is missing"]);
}

#[test]
fn addresses_are_safe_to_call() {
    let rule = "must be an https URL without user or fragment (http only to this machine)";
    for url in ["http://example.org/", "example.org", "https://a:b@example.org/", "https://example.org/#x"] {
        let rest = format!("settings:\n  url: \"{url}\"\nsecrets:\n  signing-secret: {SECRET}\n");
        assert_eq!(studio(&rest), [format!("5: settings.url: {rule}")], "{url}");
    }
}

#[test]
fn secrets_are_given_and_usable() {
    let url = "settings:\n  url: https://example.org/\n";
    let with = |secrets: &str| studio(&format!("{url}secrets:\n{secrets}"));
    let form = "7: secrets.signing-secret: must be `whsec_` and the base 64 of 24 to 64 bytes";
    assert_eq!(with("  signing-secret: whsec_c2hvcnQ=\n"), [form]);
    assert_eq!(with("  signing-secret: c2hvcnQ=\n"), [form]);
    assert_eq!(
        with("  signing-secret: []\n"),
        ["7: secrets.signing-secret: the secret `signing-secret` is missing"]
    );
    assert_eq!(
        with(&format!("  signing-secret: [{SECRET}, {SECRET}, {SECRET}]\n")),
        ["7: secrets.signing-secret: a secret has one value, or two during a rotation"]
    );
    assert_eq!(
        with(&format!("  signing-secret: {SECRET}\n  other: x\n")),
        ["8: secrets.other: there is no secret `other`"]
    );
    assert_eq!(studio(url), ["1: secrets: the secret `signing-secret` is missing"]);
}

#[test]
fn no_problem_shows_a_secret() {
    let found = studio("settings:\n  url: https://example.org/\nsecrets:\n  signing-secret: zyxwv-planted\n");
    assert!(!found.is_empty() && !found.concat().contains("planted"), "{found:?}");
}

#[test]
fn only_an_open_adapter_takes_rules() {
    let found = opendental(
        "webhook:\n  verify: {kind: token, header: x, secret: customer-key}\n  kind: {constant: k}\n  kinds: {}\n\
         mappings:\n  own: $\n",
    );
    assert_eq!(
        found,
        [
            "6: webhook: the adapter `opendental` is not open: it brings its own",
            "10: mappings: the adapter `opendental` is not open: it brings its own"
        ]
    );
    let none = problems(&format!("{HEAD}adapter: generic-json\n"));
    assert_eq!(
        none,
        [
            "1: the adapter `generic-json` is open: the connection brings a `webhook` section, `feeds` or `exports`"
        ]
    );
}

/// What a file is decrypted with is between the practice and the bridge, also where the adapter knows nothing of it.
#[test]
fn a_feed_of_encrypted_files_names_secrets_of_the_connection() {
    let with = |adapter: &str, secrets: &str| {
        problems(&format!(
            "{HEAD}adapter: {adapter}\nsecrets: {{{secrets}}}\nfeeds:\n  rows:\n    keys: '*'\n    file: {{format: csv}}\n    \
             openpgp: {{secret-key: file-key, passphrase: opens}}\n    mapping: row\nmappings: {{row: $}}\n"
        ))
    };
    assert_eq!(with("generic-json", "file-key: a, opens: b"), Vec::<String>::new());
    let found = with("generic-json", "file-key: a");
    assert_eq!(found, ["9: feeds.rows.openpgp.passphrase: the secret `opens` is missing"]);
    let closed = with("opendental", "customer-key: a, file-key: b, opens: c, other: d");
    assert!(closed.iter().any(|said| said.contains("no secret `other`")), "{closed:?}");
    assert!(!closed.iter().any(|said| said.contains("file-key") || said.contains("opens")), "{closed:?}");
}

#[test]
fn exports_are_checked_with_their_mappings_and_feeds() {
    let export = "exports:
  nightly:
    schedule: {at: '02:30'}
    resources: [Patient]
    where: active = true
    mapping: row
    file: {format: csv}
    columns: [{name: id}]
    name: 'p-{number}.csv'
mappings:
  row: '{\"id\": id}'
";
    // What a practice is sent is its own, also where the adapter brings everything else.
    assert_eq!(opendental(export), [""; 0]);
    for (from, to, expected) in [
        ("nightly:", "Nightly:", "7: exports.Nightly: an export's name is 1 to 40 of a-z, 0-9 and hyphens"),
        (
            "[Patient]",
            "[patient]",
            "9: exports.nightly.resources.0: not a FHIR resource type (example: Patient)",
        ),
        ("active = true", "active = (", "10: exports.nightly.where: "),
        ("mapping: row", "mapping: rows", "11: exports.nightly.mapping: "),
        ("p-{number}", "p-{date}", "14: exports.nightly.name: every run needs a name of its own"),
        ("'02:30'", "'2:30'", "`2:30` is not a time of day"),
        (
            "format: csv}",
            "format: csv, xml: {records: A/B}}",
            "12: exports.nightly.file.xml: the format is csv",
        ),
    ] {
        let yaml = export.replace(from, to);
        assert_ne!(yaml, export, "{from}");
        if expected.starts_with('`') {
            let whole = format!("{HEAD}adapter: opendental\n{yaml}");
            let error = serde_norway::from_str::<Connection>(&whole).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
            continue;
        }
        let found = opendental(&yaml);
        assert!(found.iter().any(|problem| problem.starts_with(expected)), "{found:?}");
    }
}

#[test]
fn a_feed_of_answers_needs_no_mapping() {
    let open = |feed: &str| {
        problems(&format!(
            "{HEAD}adapter: generic-json
feeds:
  answers: {{keys: 'a*.csv', file: {{format: csv}}{feed}}}
exports:
  nightly:
    schedule: {{every-minutes: 15}}
    resources: [Patient]
    file: {{format: fhir-ndjson}}
    name: 'p-{{at}}.ndjson'
    result: {{feed: answers, key: id, row-key: id, status: s, accepted: [OK]}}
"
        ))
    };
    assert_eq!(open(""), [""; 0]);
    let hl7 = open(", delta: {mode: snapshot}, key-columns: [id], columns: [{name: id}]");
    assert!(hl7.iter().any(|problem| problem.contains("answers are rows")), "{hl7:?}");
}

#[test]
fn own_rules_are_checked_like_an_adapters() {
    let found = problems(&format!(
        "{HEAD}adapter: generic-json
secrets:
  token: invented
webhook:
  verify: {{kind: token, header: X-Key, secret: tokn}}
  kind: type
  kinds:
    a:
      mapping: missing
mappings:
  unused: $
  broken: |
    (
      $x := ;
    )
"
    ));
    let starts = [
        "7: webhook.verify.secret: there is no secret `tokn`",
        "7: webhook.verify.header: not a lower-case header name",
        "8: webhook.kind: not a JSON pointer",
        "11: webhook.kinds.a.mapping: there is no mapping `missing`",
        "14: mappings.broken: no kind and no feed uses this mapping",
        "14: mappings.broken: broken:2:",
        "13: mappings.unused: no kind and no feed uses this mapping",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found}\nis not\n{start}");
    }
}

#[test]
fn routes_stay_at_home_and_name_fhir() {
    let found = opendental(
        "routes:\n  - to: demo.studio\n    resources: [Patient]\n    drop: [Patient.telecom]\n  \
         - to: other.studio\n    resources:\n      - patients\n    drop:\n      - telecom\n",
    );
    assert_eq!(
        found,
        [
            "10: routes.1.to: a route stays within its tenant",
            "12: routes.1.resources.0: not a FHIR resource type (example: Patient)",
            "14: routes.1.drop.0: not a path to an element (example: Patient.telecom)",
        ]
    );
}

/// The guides' examples, and those of the fixtures, can be copied as they are.
#[test]
fn the_connections_in_the_guides_are_right() {
    for name in Catalog::builtin().names() {
        let guide = std::fs::read_to_string(crate::fixture::adapters().join(name).join("README.md")).unwrap();
        let blocks = guide.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let connections: Vec<_> = blocks.filter(|block| block.starts_with("connection:")).collect();
        assert!(!connections.is_empty(), "{name}'s guide shows no connection");
        for connection in connections {
            assert_eq!(problems(connection), [""; 0], "{name}");
        }
    }
}
