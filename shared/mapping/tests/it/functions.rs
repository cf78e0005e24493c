//! The functions of our own: every documented example, and what they refuse.

use crate::map;
use bridge_mapping::functions::{
    date, identifier, link, list, local, minutes_between, pad, pick, plus_minutes, reference, text, truth,
    zoned,
};

#[test]
fn every_example_holds() {
    let all = [
        date::EXAMPLES,
        identifier::EXAMPLES,
        link::EXAMPLES,
        list::EXAMPLES,
        local::EXAMPLES,
        minutes_between::EXAMPLES,
        pad::EXAMPLES,
        pick::EXAMPLES,
        plus_minutes::EXAMPLES,
        reference::EXAMPLES,
        text::EXAMPLES,
        truth::EXAMPLES,
        zoned::EXAMPLES,
    ];
    for (source, result) in all.into_iter().flatten() {
        assert_eq!(map(source, "{}"), *result, "{source}");
    }
}

#[test]
fn what_they_refuse_they_name_without_the_value() {
    for (source, error) in [
        ("$date('planted')", "test:1:1: $date must begin with a date of the form yyyy-MM-dd"),
        ("$date('2026-02-30')", "test:1:1: $date must begin with a date of the form yyyy-MM-dd"),
        ("$date([1])", "test:1:1: $date argument 1 must be a string or a number"),
        ("$text(['planted'])", "test:1:1: $text argument 1 must be a string or a number"),
        ("$pick('planted', ['a'])", "test:1:1: $pick argument 1 must be an object"),
        ("$pick({'a': 1}, 1)", "test:1:1: $pick argument 2 must be a list of names"),
        ("$truth('planted')", "test:1:1: $truth must be a boolean, \"true\" or \"false\""),
        ("$truth(1)", "test:1:1: $truth must be a boolean, \"true\" or \"false\""),
        (
            "{'start': $zoned('5/3/2026 planted')}",
            "test:1:11: $zoned must be yyyy-MM-dd HH:mm[:ss], with T or a blank between date and time",
        ),
        (
            "$zoned('2026-07-05 24:30:00')",
            "test:1:1: $zoned must be yyyy-MM-dd HH:mm[:ss], with T or a blank between date and time",
        ),
        (
            "$zoned('2026-07-05 14:30:60')",
            "test:1:1: $zoned must be yyyy-MM-dd HH:mm[:ss], with T or a blank between date and time",
        ),
        ("$zoned('2026-07-05 14:30:00', 'planted')", "test:1:1: $zoned argument 2 must be an IANA time zone"),
        ("$zoned('1850-07-05 14:30:00')", "test:1:1: $zoned lies before the zone had a standard time"),
        (
            "$plusMinutes('2026-07-05T14:30:00', 5)",
            "test:1:1: $plusMinutes argument 1 must be a time stamp with an offset, as $zoned gives",
        ),
        (
            "$plusMinutes('2026-07-05T14:30:00Z', 0.5)",
            "test:1:1: $plusMinutes argument 2 must be a whole number",
        ),
        ("$plusMinutes('2026-07-05T14:30:00Z', 1e18)", "test:1:1: $plusMinutes argument 2 is out of range"),
        (
            "$local('2026-07-05T14:30:00')",
            "test:1:1: $local argument 1 must be a time stamp with an offset, or a date",
        ),
        (
            "$local('2026-07-05T14:30:00Z', 'planted')",
            "test:1:1: $local argument 2 must be an IANA time zone",
        ),
        (
            "$minutesBetween('2026-07-05T14:30:00Z', 'planted')",
            "test:1:1: $minutesBetween argument 2 must be a time stamp with an offset",
        ),
        ("$identifier(absent, 1)", "test:1:1: $identifier needs a system"),
        ("$reference('Patient?', 'a', 1)", "test:1:1: $reference argument 1 must be a resource type"),
        ("$reference('Patient', absent, 1)", "test:1:1: $reference needs a system"),
        ("$pad('a', 1001)", "test:1:1: $pad pads to 1000 characters at most"),
        ("$pad('a', -1e300)", "test:1:1: $pad argument 2 must be a whole number"),
    ] {
        assert_eq!(map(source, "{}"), error, "{source}");
    }
}

#[test]
fn a_number_is_taken_with_every_digit() {
    let record = r#"{"id": 12345678901234567890, "price": 1.50, "n": 30.00}"#;
    for (source, result) in [
        ("$identifier('s', id).value", r#""12345678901234567890""#),
        ("$reference('Patient', 's', id).reference", r#""Patient?identifier=s|12345678901234567890""#),
        ("$identifier('s', price).value", r#""1.50""#),
        ("$plusMinutes('2026-07-05T14:30:00Z', n)", r#""2026-07-05T15:00:00Z""#),
    ] {
        assert_eq!(map(source, record), result, "{source}");
    }
}

#[test]
fn they_can_be_passed_to_functions() {
    assert_eq!(
        map("$map(['2026-01-02 03:04', '2026-07-05'], $date)", "{}"),
        r#"["2026-01-02","2026-07-05"]"#
    );
    assert_eq!(map("'true' ~> $truth", "{}"), "true");
}
