//! Errors say where in the mapping, by which rule, and nothing of the record.

use bridge_mapping::MappingError;
use serde_json::json;

use crate::{apply, map};

#[test]
fn a_failure_names_its_place() {
    for (source, error) in [
        (
            "{\n  'a': 1,\n  'b': name + 1\n}",
            "test:3:3: the left side of the operator is not a number (T2001)",
        ),
        ("{'a': {'b': $number(name)}, 'c': 1}", "test:1:13: this is not a number (D3030)"),
        ("{'a': $uppercase(name), 'b': $sum([name])}", "test:1:30: an argument is of the wrong type (T0412)"),
        (
            "rows.{\n 'a': 1,\n 'b': id - $$.name}",
            "test:3:2: the right side of the operator is not a number (T2002)",
        ),
        (
            "$map(rows, function($row) { $zoned($row.id) })",
            "test:1:29: $zoned must be yyyy-MM-dd HH:mm[:ss], with T or a blank between date and time",
        ),
        ("{'a': name ~> $number}", "test:1:2: this is not a number (D3030)"),
        ("{'a': name ~> $number()}", "test:1:15: this is not a number (D3030)"),
        ("{'a': rows^($$.rows)}", "test:1:2: only numbers and texts can be put in order (T2008)"),
        ("{'a': name.$number()}", "test:1:2: this is not a number (D3030)"),
        ("($f := function($x) { $number($x) }; {'a': $f(name)})", "test:1:23: this is not a number (D3030)"),
        (
            "{'a' : 1, 'b': {name: 1, 'd': {$string(name): -name}}}",
            "test:1:26: only a number can be negated (D1002)",
        ),
        ("{'a' /* : */ : $f(1)}", "test:1:16: what is called is not a function (T1006)"),
        ("{'a': 1, 'b': $substring(name, 1e20, 5)}", "test:1:15: an argument is out of range"),
        ("name > 1", "test: values of different types cannot be compared (T2009)"),
        (
            "{'a': true ? 'b' : 'c', 'd': name > 1}",
            "test:1:25: values of different types cannot be compared (T2009)",
        ),
    ] {
        assert_eq!(map(source, r#"{"name": "planted", "rows": [{"id": 1}, {"id": 2}]}"#), error, "{source}");
    }
}

#[test]
fn an_authors_own_words_are_shown_but_no_data() {
    for (source, error) in [
        ("{'a': $error('no chart number')}", "test:1:7: no chart number"),
        ("{'a': $error('bad name ' & name)}", "test:1:7: the mapping raised an error"),
        ("{'a': $assert(name = 'x', 'not x')}", "test:1:7: not x"),
        ("{'a': $assert(name = 'x', name)}", "test:1:7: the mapping raised an error"),
    ] {
        assert_eq!(map(source, r#"{"name": "planted"}"#), error, "{source}");
    }
}

/// Every failure this crate knows of, over values that are easy to find again.
#[test]
fn no_error_holds_a_value() {
    let record =
        json!({"name": "planted", "id": 77077, "list": ["planted", 77077], "long": 77_077.000_770_7});
    let mut failed = 0;
    for source in [
        "$number(name)",
        "name - 1",
        "-name",
        "name > id",
        "[name..3]",
        "[1..name]",
        "name ~> id",
        "$sum(list)",
        "list^($)",
        "$sort(list)",
        "{id: 1}",
        "name()",
        "$name()",
        "$single(list)",
        "$toMillis(name)",
        "$sqrt(-id)",
        "$fromMillis(name)",
        "$formatBase(id, 99)",
        "$formatNumber(id, name)",
        "$join(list)",
        "$error(name)",
        "$power(id, 99999)",
        "$split(id, name)",
        "$substring(id)",
        "$replace(name, '', 'x')",
        "$reduce(list, $sum)",
        "$zoned(name)",
        "$date(name)",
        "$truth(name)",
        "$plusMinutes(name, id)",
        "$reference(name, 'a', id)",
        "$ ~> |$|name|",
        "$lookup(name, id)",
        "$merge(list)",
        "$decodeUrl('%' & name)",
        "$zip(name)[0] + 1",
        "$number(name & long)",
        "long & name > 1",
        "$identifier($, id)",
        "$pad(name, id)",
        "$assert(false, name)",
        "$map(list, function($x) { $x + 1 })",
        "$list.$eval",
        "{'a': name, name: 1, 'planted': 2}",
        "$match(name, id)",
        "$parseInteger(name, name)",
        "$formatInteger(id, name)",
        "$toMillis(name, '[Y]')",
        "$base64decode('planted!')",
    ] {
        if let Err(error) = apply(source, &record) {
            failed += 1;
            let shown = format!("{error} {error:?}");
            // The source is not PHI; a value can only come from the record.
            let quoted = source.contains("planted");
            assert!(quoted || !shown.contains("planted"), "{source}: {shown}");
            assert!(!shown.contains("77077"), "{source}: {shown}");
        }
    }
    assert!(failed > 35, "only {failed} failed");
}

#[test]
fn a_source_is_refused_with_its_place() {
    for (source, place) in [("{\n  'a' 1}", (2, 7)), ("{'a': $now()}", (1, 7)), ("$shuffle(rows)", (1, 1))] {
        let error = apply(source, &json!({})).unwrap_err();
        assert!(matches!(error, MappingError::Source { .. }), "{error}");
        assert_eq!(error.place().map(|place| (place.line, place.column)), Some(place), "{error}");
        assert_eq!(error.mapping(), "test");
    }
}
