//! What would run away is stopped, and the next record is none the worse for it.

use std::time::{Duration, Instant};

use bridge_mapping::MappingError;
use serde_json::json;

use crate::{apply, map};

#[test]
fn what_runs_away_is_stopped() {
    for (source, text) in [
        ("($f := function($n) { $f($n + 1) }; $f(0))", "takes longer than 1000 ms"),
        ("($f := function($n) { 1 + $f($n + 1) }; $f(0))", "nests deeper than 600 levels"),
        ("$count([1..10000000])", "builds a sequence longer than 100000"),
        (
            "$map([1..99999], function($a) { $map([1..99999], function($b) { $a * $b }) })",
            "takes longer than 1000 ms",
        ),
        (
            "$reduce([1..30], function($a, $b) { {'x': $a, 'y': $a} }, 1)",
            "results in more than 1000000 values",
        ),
    ] {
        let started = Instant::now();
        let error = apply(source, &json!({})).unwrap_err();
        assert!(matches!(error, MappingError::Limit { .. }), "{source}: {error}");
        assert_eq!(error.text(), text, "{source}");
        // Once to fail and once more to find the place.
        assert!(started.elapsed() < Duration::from_secs(5), "{source} took {:?}", started.elapsed());
        assert_eq!(map("{'a': 1 + 1}", "{}"), r#"{"a":2}"#, "after {source}");
    }
}

/// Patterns are matched in linear time: these take minutes in a backtracking matcher.
#[test]
fn patterns_do_not_explode() {
    let record = json!({"text": "a".repeat(20_000)});
    let started = Instant::now();
    assert_eq!(apply("$contains(text, /(a+)+b/)", &record).unwrap(), json!(false));
    assert_eq!(apply("$count($split(text, /(a|aa)+$/))", &record).unwrap(), json!(2));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[test]
fn a_pattern_too_large_to_compile_is_an_error() {
    let error = apply("{'a': $match(text, /((a{999}){999}){999}/)}", &json!({"text": "a"})).unwrap_err();
    assert!(matches!(error, MappingError::Record { .. }), "{error}");
}

#[test]
fn sources_are_bounded() {
    let long = format!("'{}'", "a".repeat(300 * 1024));
    assert_eq!(map(&long, "{}"), "test:1:1: is longer than 262144 bytes");
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    assert!(matches!(apply(&deep, &json!({})), Err(MappingError::Source { .. })));
}
