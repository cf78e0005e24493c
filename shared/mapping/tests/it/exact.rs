//! Numbers leave as they were written, and mean in between what they mean to JSONata.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{apply, map};

#[test]
fn numbers_go_through_as_written() {
    let numbers = r#"{"a":1.00,"b":12345678901234567890,"c":0.1,"d":[1e+400,1e+2,-0.0,-0,0.10],"e":42}"#;
    assert_eq!(map("$", numbers), numbers);
    assert_eq!(
        map("{'value': a, 'rest': d[[0..2]]}", numbers),
        r#"{"value":1.00,"rest":[1e+400,1e+2,-0.0]}"#
    );
    assert_eq!(map("$map(d, function($n) { {'n': $n} })[4]", numbers), r#"{"n":0.10}"#);
    assert_eq!(
        map("$merge([{'x': 1}, $sift($, function($v, $k) { $k = 'b' })])", numbers),
        r#"{"x":1,"b":12345678901234567890}"#
    );
}

#[test]
fn a_protected_number_means_what_any_number_means() {
    let record = r#"{"one": 1.00, "zero": 0.00, "long": 12345678901234567890, "near": 12345678901234567891,
        "amounts": [1.50, 2.50, 10.00], "lines": [{"n": 2.0}, {"n": 10.0}, {"n": 1.0}], "name": "x", "tens": 1E1}"#;
    for (source, result) in [
        // Arithmetic sees doubles.
        ("one + 1", "2"),
        ("-one", "-1"),
        ("$sum(amounts)", "14"),
        ("$max(amounts) % 3", "1"),
        ("amounts ~> $sum", "14"),
        ("amounts ~> $sum()", "14"),
        ("$round(amounts[0])", "2"),
        ("one.$round()", "1"),
        ("$map(amounts, $abs)", "[1.5,2.5,10]"),
        ("$number(one)", "1"),
        ("[zero..one]", "[0,1]"),
        ("$formatNumber(one, '0.0')", r#""1.0""#),
        // Truth.
        ("zero ? 'yes' : 'no'", r#""no""#),
        ("zero or false", "false"),
        ("one and true", "true"),
        ("$boolean(zero)", "false"),
        ("$not(zero)", "true"),
        ("zero ?: 5", "5"),
        ("one ?: 5", "1.00"),
        ("zero ?? 5", "0.00"),
        ("$filter([0, zero, one], function($n) { $n })", "1.00"),
        // Order and equality.
        ("one > 0", "true"),
        ("one = 1", "true"),
        ("tens = 10", "true"),
        ("1 in [one]", "true"),
        ("{'a': one} = {'a': 1}", "true"),
        ("one = '1.00'", "false"),
        ("long = near", "false"),
        ("long != near", "true"),
        ("long = 12345678901234567890", "false"),
        ("lines[n > 1].n", "[2.0,10.0]"),
        ("lines[n = 10].n", "10.0"),
        ("lines^(n).n", "[1.0,2.0,10.0]"),
        ("lines^(>n)[0].n", "10.0"),
        ("$sort(lines, function($a, $b) { $a.n > $b.n }).n", "[1.0,2.0,10.0]"),
        ("$sort(amounts)", "[1.50,2.50,10.00]"),
        ("$reverse($sort(amounts))[0]", "10.00"),
        // As text they have the digits that were written.
        ("$string(one)", r#""1.00""#),
        ("one.$string()", r#""1.00""#),
        ("$map(amounts, $string)", r#"["1.50","2.50","10.00"]"#),
        ("one & ''", r#""1.00""#),
        ("'id-' & long", r#""id-12345678901234567890""#),
        ("$length($string(long))", "20"),
        ("$string({'a': one})", r#""{\"a\":1}""#),
        ("$string([one])", r#""[1]""#),
        // They are no texts.
        ("$type(one)", r#""number""#),
        ("$uppercase(one)", "test:1:1: an argument is of the wrong type (T0410)"),
        ("one > 'a'", "test: values of different types cannot be compared (T2009)"),
        ("{one: 1}", "test: the key of an object is not a text (T1003)"),
    ] {
        assert_eq!(map(source, record), result, "{source}");
    }
}

#[test]
fn arithmetic_beyond_a_double_is_an_error() {
    assert_eq!(map("{'a': huge * 2}", r#"{"huge": 1e999}"#), "test:1:2: a number is out of range (D1001)");
    assert_eq!(map("huge", r#"{"huge": 1e999}"#), "1e+999");
}

#[test]
fn private_use_characters_of_record_and_mapping_stay() {
    let record = "{\"text\": \"\u{E000}1\", \"\u{E001}\": \"\u{E002}\u{E003}\", \"n\": 1.00}";
    let result = map(
        "{'text': text, '\u{E004}': $.*[1], 'own': '\u{E005}2', 'n': n, 'esc': '\\uE006' & text}",
        record,
    );
    assert_eq!(
        result,
        "{\"text\":\"\u{E000}1\",\"\u{E004}\":\"\u{E002}\u{E003}\",\"own\":\"\u{E005}2\",\"n\":1.00,\"esc\":\"\u{E006}\u{E000}1\"}"
    );
}

/// Numbers as systems write them: integers, money, long ids, exponents.
fn number() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        (-999i32..999, 0u8..100).prop_map(|(whole, cents)| format!("{whole}.{cents:02}")),
        "-?[1-9][0-9]{0,24}",
        "-?(0|[1-9][0-9]{0,3})\\.[0-9]{1,20}",
        "-?[1-9](\\.[0-9]{1,3})?e-?[0-9]{1,2}",
        Just("0.00".to_owned()),
        Just("-0".to_owned()),
    ]
    .prop_map(|text| serde_json::from_str(&text).expect("a JSON number"))
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => number(),
        1 => "[a-c\u{E000}-\u{E002}1.]{0,4}".prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec(("[a-d\u{E000}]{1,2}", inner), 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// The same numbers, each as the double that plain JSONata would see.
fn doubles(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let double: f64 = number.as_str().parse().unwrap();
            if double.fract() == 0.0 && double.abs() < 1e15 { json!(double as i64) } else { json!(double) }
        }
        Value::Array(items) => items.iter().map(doubles).collect(),
        Value::Object(fields) => fields.iter().map(|(name, field)| (name.clone(), doubles(field))).collect(),
        other => other.clone(),
    }
}

/// Ways to use numbers without writing them as text.
const USES: &[&str] = &[
    "a + b",
    "a * b - 1",
    "-a",
    "a > b",
    "a <= 0",
    "a ? 1 : 2",
    "a and b",
    "a or b",
    "$not(a)",
    "$boolean(c)",
    "$sum(c)",
    "$max(c)",
    "$average(c)",
    "c ~> $sum",
    "$round(a, 1)",
    "$floor(a)",
    "$abs(b)",
    "$number(a)",
    "$type(a)",
    "c[$ > 0]",
    "c[a]",
    "c^($)",
    "c^(>$)[0]",
    "$sort(c)",
    "$map(c, $abs)",
    "$map(c, function($x) { $x * 2 })",
    "$count(c)",
    "c[0]",
    "$filter(c, function($x) { $x })",
    "$reduce(c, function($x, $y) { $x + $y })",
    "a in c",
    "a = b",
    "a != a",
    "a = 1",
    "a ?: b",
    "a ?? b",
    "$append(a, c)",
    "$reverse(c)",
    "{'x': a, 'y': [b, c]}",
    "$exists(a)",
    "$string($floor(a))",
    "$formatNumber(b, '0.00')",
    "$power(a, 2)",
    "$spread({'x': a})",
    "$zip(c, c)",
    "($f := function($x) { $x }; $f(a))",
    "$single(c, function($x) { $x = 1 })",
    "$substring('abcdef', a)",
    "[1..a]",
    "$ ~> |$|{'n': a}|",
    "$merge([$, {'z': b}])",
    "$$.c.$abs()",
    "$each($, function($v) { $v })",
    "$sift($, function($v) { $v = 1 })",
    "c#$i[$i = 1]",
    "$lookup($, 'a')",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_carried_is_unchanged(record in any_json()) {
        prop_assert_eq!(apply("{'all': $}", &json!({"all": record})).map(|mapped| mapped["all"]["all"].clone()), Ok(record));
    }

    /// Protection is not noticed: the result is the one that plain doubles give, value by value.
    #[test]
    fn protection_changes_no_meaning(
        a in number(), b in number(), c in proptest::collection::vec(number(), 0..4), use_ in 0..USES.len(),
    ) {
        let record = json!({"a": a, "b": b, "c": c, "marker": serde_json::from_str::<Value>("1.000").unwrap()});
        // Two ids that share a double are one value to plain JSONata, and on purpose not to this crate.
        let exactly_comparable = !USES[use_].contains('=') && !USES[use_].contains(" in ");
        let small = [&a, &b].into_iter().chain(&c).all(|n| n.to_string().len() < 16);
        prop_assume!(exactly_comparable || small);

        let protected = apply(USES[use_], &record);
        let plain = apply(USES[use_], &doubles(&record));
        match (protected, plain) {
            (Ok(protected), Ok(plain)) => prop_assert_eq!(doubles(&protected), doubles(&plain), "{}", USES[use_]),
            (Err(protected), Err(plain)) => prop_assert_eq!(protected.to_string(), plain.to_string(), "{}", USES[use_]),
            (protected, plain) => prop_assert!(false, "{}: {protected:?} but {plain:?}", USES[use_]),
        }
    }
}
