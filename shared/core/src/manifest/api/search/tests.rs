#![allow(clippy::unwrap_used)]

use super::*;
use crate::manifest::Clock;

fn resource() -> ResourceApi {
    let local = |form: &str| TimeForm { form: form.to_owned(), clock: Clock::Local };
    let text = |text: &str| text.to_owned();
    let by_patient = Search {
        operation: text("by-patient"),
        arguments: BTreeMap::from([(text("kind"), text("any"))]),
        parameters: BTreeMap::from([
            (text("patient"), SearchParameter::Reference { argument: text("pat"), to: text("Patient") }),
            (
                text("date"),
                SearchParameter::Date {
                    from: text("from"),
                    to: text("to"),
                    time: local("%Y-%m-%d"),
                    to_included: true,
                },
            ),
        ]),
        required: vec![text("patient")],
    };
    let by_time = Search {
        operation: text("by-time"),
        arguments: BTreeMap::new(),
        parameters: BTreeMap::from([
            (
                text("date"),
                SearchParameter::Date {
                    from: text("from"),
                    to: text("to"),
                    time: local("%Y-%m-%dT%H:%M"),
                    to_included: false,
                },
            ),
            (
                text("status"),
                SearchParameter::Token {
                    argument: text("state"),
                    values: BTreeMap::from([(text("booked"), text("Scheduled"))]),
                    system: None,
                },
            ),
            (
                text("identifier"),
                SearchParameter::Token {
                    argument: text("number"),
                    values: BTreeMap::new(),
                    system: Some(text("{own-system}")),
                },
            ),
            (text("name"), SearchParameter::String { argument: text("q") }),
            (text("birthdate"), SearchParameter::Day { argument: text("dob"), time: local("%m/%d/%Y") }),
        ]),
        required: Vec::new(),
    };
    ResourceApi { search: vec![by_patient, by_time], ..ResourceApi::default() }
}

fn asked(pairs: &[(&str, &str)]) -> Vec<Asked> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The operation, and its arguments as `name=value`.
fn ask(pairs: &[(&str, &str)]) -> Result<String, SearchError> {
    let (resource, asked) = (resource(), asked(pairs));
    let search = resource.search_for(&asked)?;
    let settings = BTreeMap::from([("own-system".to_owned(), "urn:demo:number".to_owned())]);
    let zone = "America/Denver".parse().unwrap();
    let known = |reference: &Reference<'_>| {
        (reference.to == "Patient" && reference.value == "abc").then(|| "7".to_owned())
    };
    let arguments = search.arguments(&asked, &zone, &settings, known)?;
    let shown: Vec<_> = arguments.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(format!("{} {}", search.operation, shown.join(" ")))
}

#[test]
fn the_first_way_that_knows_all_parameters_is_taken() {
    let one_day = "by-patient from=2026-03-05 kind=any pat=7 to=2026-03-05";
    for patient in ["abc", "Patient/abc"] {
        assert_eq!(ask(&[("patient", patient), ("date", "2026-03-05")]).unwrap(), one_day);
    }
    assert_eq!(ask(&[("patient:Patient", "abc"), ("date", "2026-03-05")]).unwrap(), one_day);
    assert_eq!(ask(&[("status", "booked")]).unwrap(), "by-time state=Scheduled");
    assert_eq!(ask(&[]).unwrap(), "by-time ");
}

#[test]
fn what_is_not_supported_is_refused_by_name() {
    let unsupported = |name: &str| SearchError::Unsupported(name.to_owned());
    assert_eq!(ask(&[("location", "1")]), Err(unsupported("location")));
    assert_eq!(ask(&[("name:exact", "A")]), Err(unsupported("name:exact")));
    assert_eq!(ask(&[("patient:Group", "abc")]), Err(unsupported("patient:Group")));
    assert_eq!(ask(&[("patient.name", "A")]), Err(unsupported("patient.name")));
    let together = SearchError::Together("patient, status".to_owned());
    assert_eq!(ask(&[("patient", "abc"), ("status", "booked")]), Err(together));

    let mut only = resource();
    only.search.truncate(1);
    let missing = only.search_for(&asked(&[("date", "2026-03-05")]));
    assert_eq!(missing.unwrap_err(), SearchError::Missing("`patient`".to_owned()));
}

#[test]
fn values_that_cannot_be_asked_for_are_refused() {
    for (name, value) in [
        ("status", "arrived"),
        ("status", "booked,arrived"),
        ("status", ""),
        ("status", "|booked"),
        ("status", "system|"),
        ("date", "ne2026-03-05"),
        ("date", "yesterday"),
        ("date", "2026-02-30"),
        ("date", "2026-03-05,2026-03-06"),
        ("birthdate", "1980"),
        ("birthdate", "ge1980-01-02"),
    ] {
        let refused = ask(&[(name, value)]);
        assert!(matches!(refused, Err(SearchError::Value { .. })), "{name}={value}: {refused:?}");
    }
    let twice = ask(&[("status", "booked"), ("status", "booked")]);
    assert!(matches!(twice, Err(SearchError::Value { .. })));
}

#[test]
fn what_is_not_of_this_product_finds_nothing() {
    assert_eq!(ask(&[("patient", "other")]), Err(SearchError::Elsewhere("patient".to_owned())));
    assert_eq!(ask(&[("identifier", "urn:other|5")]), Err(SearchError::Elsewhere("identifier".to_owned())));
    assert_eq!(ask(&[("identifier", "urn:demo:number|5")]).unwrap(), "by-time number=5");
    assert_eq!(ask(&[("identifier", "5")]).unwrap(), "by-time number=5");
    assert_eq!(ask(&[("name", r"a\,b\|c")]).unwrap(), "by-time q=a,b|c", "escapes are undone");
}

#[test]
fn references_are_listed_to_be_resolved() {
    let (resource, asked) = (resource(), asked(&[("patient", "Patient/abc"), ("date", "2026-03-05")]));
    let search = resource.search_for(&asked).unwrap();
    assert_eq!(search.references(&asked), [Reference { to: "Patient", value: "abc" }]);
}

/// Denver is UTC-7 until 2026-03-08, then UTC-6.
#[test]
fn dates_become_a_beginning_and_an_end() {
    let by_time = |pairs: &[(&str, &str)]| ask(pairs).unwrap().replace("by-time ", "");
    for (value, arguments) in [
        ("2026-03-08", "from=2026-03-08T00:00 to=2026-03-09T00:00"),
        ("2026-03", "from=2026-03-01T00:00 to=2026-04-01T00:00"),
        ("2026", "from=2026-01-01T00:00 to=2027-01-01T00:00"),
        ("ge2026-03-08", "from=2026-03-08T00:00"),
        ("gt2026-03-08", "from=2026-03-09T00:00"),
        ("le2026-03-08", "to=2026-03-09T00:00"),
        ("lt2026-03-08", "to=2026-03-08T00:00"),
        ("ge2026-03-05T17:30:00Z", "from=2026-03-05T10:30"),
        ("ge2026-03-05T10:30", "from=2026-03-05T10:30"),
        ("le2026-03-05T10:30", "to=2026-03-05T10:31"),
        // The product counts minutes: rounded outwards.
        ("ge2026-03-05T10:30:20-07:00", "from=2026-03-05T10:30"),
        ("lt2026-03-05T10:30:20-07:00", "to=2026-03-05T10:31"),
    ] {
        assert_eq!(by_time(&[("date", value)]), arguments, "{value}");
    }
    let both = by_time(&[("date", "ge2026-03-05"), ("date", "lt2026-03-07"), ("date", "le2026-03-09")]);
    assert_eq!(both, "from=2026-03-05T00:00 to=2026-03-07T00:00");
}

#[test]
fn an_end_that_is_included_is_the_last_moment() {
    let by_day = |value: &str| ask(&[("patient", "abc"), ("date", value)]).unwrap();
    assert!(by_day("le2026-03-07").ends_with("to=2026-03-07"));
    assert!(by_day("lt2026-03-07").ends_with("to=2026-03-06"));
}
