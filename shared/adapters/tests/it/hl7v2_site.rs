//! An `hl7v2` section is held against its adapter and its connection before anything runs on it.

use bridge_adapters::Catalog;
use bridge_core::config::Connection;

const GUIDE: &str = include_str!("../../../../adapters/hl7v2/README.md");

/// The problems of a connection with this section.
fn problems(adapter: &str, rest: &str) -> Vec<String> {
    let yaml = format!("connection: demo.one\nadapter: {adapter}\nzone: America/Chicago\n{rest}");
    let connection: Connection =
        serde_norway::from_str(&yaml).unwrap_or_else(|error| panic!("{error}\n{yaml}"));
    let catalog = Catalog::builtin();
    let problems = catalog.get(adapter).unwrap().check_connection(&connection);
    problems.iter().map(|problem| format!("{}: {problem}", problem.line(&yaml))).collect()
}

fn refused(rest: &str) -> String {
    let yaml = format!("connection: demo.one\nadapter: hl7v2\nzone: America/Chicago\n{rest}");
    serde_norway::from_str::<Connection>(&yaml).unwrap_err().to_string()
}

#[test]
fn the_guides_interfaces_have_no_problems() {
    let blocks = GUIDE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let sections: Vec<&str> = blocks.filter(|block| block.starts_with("hl7v2:")).collect();
    assert_eq!(sections.len(), 4, "the hook and three interfaces");
    for section in sections {
        assert_eq!(problems("hl7v2", section), [""; 0], "{section}");
    }
    assert_eq!(problems("hl7v2", ""), [""; 0], "everything may be left out");
}

#[test]
fn what_can_not_work_is_refused_with_its_place() {
    let uri = "must be a URI (example: https://north.example/mrn, or urn:oid:2.999.1)";
    let cases = [
        (
            "hl7v2:\n  acknowledge-to: other.one\n",
            "5: hl7v2.acknowledge-to: a route stays within its tenant".to_owned(),
        ),
        ("hl7v2:\n  hook: site\n", "5: hl7v2.hook: there is no mapping `site`".to_owned()),
        ("hl7v2:\n  authorities:\n    NORTH: north\n", format!("6: hl7v2.authorities.NORTH: {uri}")),
        ("hl7v2:\n  endpoint: some where\n", format!("5: hl7v2.endpoint: {uri}")),
        (
            "hl7v2:\n  sender: {}\n",
            "5: hl7v2.sender: needs an `application` or a `facility`: without one it says nothing".to_owned(),
        ),
        (
            "hl7v2:\n  events: []\n",
            "5: hl7v2.events: is empty, so nothing would be taken: leave it out for the default".to_owned(),
        ),
        (
            "hl7v2:\n  verify: {kind: basic, user: a, secret: b}\n",
            "5: hl7v2.verify.secret: there is no secret `b`".to_owned(),
        ),
        (
            "mappings:\n  site: resources\n",
            "5: mappings.site: no kind and no feed uses this mapping".to_owned(),
        ),
    ];
    for (section, problem) in cases {
        assert_eq!(problems("hl7v2", section), [problem], "{section}");
    }
    let default = problems("hl7v2", "hl7v2:\n  defaults:\n    Patient.gender: male\n");
    assert!(
        default[0].starts_with("6: hl7v2.defaults.Patient.gender: must be one of ChargeItem.status,"),
        "{default:?}"
    );
    let closed = problems("opendental", "secrets: {customer-key: invented}\nhl7v2: {}\n");
    assert_eq!(closed, ["5: hl7v2: the adapter `opendental` does not speak HL7 v2: use `hl7v2`"]);
}

#[test]
fn what_is_no_word_is_refused_by_name() {
    for (section, word) in [
        ("hl7v2: {events: [A04]}", "`A04` is no event"),
        ("hl7v2: {acknowledge: auto}", "acknowledge"),
        ("hl7v2: {ack: as-asked}", "as-asked"),
        ("hl7v2: {charset: {undeclared: latin9}}", "latin9"),
        ("hl7v2: {park-on: [weather]}", "weather"),
    ] {
        let error = refused(section);
        assert!(error.contains(word), "{section}: {error}");
    }
}
