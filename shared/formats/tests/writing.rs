//! What is written is read back as it was: every format, by the readers that feeds use.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use bridge_core::{
    export::OutColumn,
    feed::{Charset, Csv, Format, Header, Json, Shape, Xdt, Xml},
};
use bridge_formats::{Envelope, Limits, Reader, WriteFault, Writer};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const NAMES: [&str; 3] = ["chart", "name", "note"];

fn columns(names: &[&str]) -> Vec<OutColumn> {
    names.iter().map(|name| OutColumn { name: (*name).to_owned(), header: None }).collect()
}

/// Writes records, the second half by another writer; gives the file.
fn written(shape: &Shape, names: &[&str], records: &[Value]) -> Vec<u8> {
    let envelope = Envelope {
        parties: ["BRIDGE", "", "PMS", ""].map(str::to_owned),
        made: "20260302".to_owned(),
        control_id: "42".to_owned(),
    };
    let new = || Writer::new(shape, &columns(names), envelope.clone());
    let (mut file, mut writer) = (Vec::new(), new());
    writer.begin(&mut file).unwrap();
    for (at, record) in records.iter().enumerate() {
        if at == records.len() / 2 {
            writer = new().resume(at as u64);
        }
        writer.record(record, &mut file).unwrap_or_else(|error| panic!("{error}: {record}"));
    }
    writer.end(&mut file).unwrap();
    file
}

/// Reads a file back.
fn read(shape: &Shape, names: &[&str], file: &[u8]) -> Vec<Value> {
    let columns: Vec<_> = names.iter().map(|name| bridge_core::feed::Column::text(name)).collect();
    let mut reader = Reader::open(file, shape, &columns, Limits::default()).unwrap();
    let mut records = Vec::new();
    while let Some(record) = reader.next().unwrap() {
        records.push(serde_json::from_str(&record.to_json()).unwrap());
    }
    records
}

fn csv(delimiter: &str, quote: &str, header: Header, trailer: &str) -> Shape {
    let csv = Csv {
        delimiter: delimiter.into(),
        quote: quote.into(),
        header,
        trailer: trailer.into(),
        ..Csv::default()
    };
    Shape { csv: Some(csv), ..Shape::of(Format::Csv) }
}

/// Text that is in the set.
fn text(charset: Charset) -> &'static str {
    match charset {
        Charset::Iso8859_1 => "[a-zé×\"' ,;|\t\r\n\u{0}&<>]{0,10}",
        Charset::Iso8859_15 => "[a-zé€Ž\"' ,;|\t\r\n&<>]{0,10}",
        Charset::Windows1252 => "[a-zé€–\"' ,;|\t\r\n&<>]{0,10}",
        Charset::Cp437 => "[a-zé±ß\"' ,;|\t\r\n&<>]{0,10}",
        _ => "[a-zé日🦷\u{feff}\"' ,;|\t\r\n\u{0}\u{85}&<>\\\\]{0,10}",
    }
}

const CHARSETS: [Charset; 7] = [
    Charset::Utf8,
    Charset::Utf16Le,
    Charset::Utf16Be,
    Charset::Iso8859_1,
    Charset::Iso8859_15,
    Charset::Windows1252,
    Charset::Cp437,
];

fn charset_and<T: std::fmt::Debug + 'static>(
    records: impl Fn(Charset) -> BoxedStrategy<T> + 'static,
) -> impl Strategy<Value = (Charset, T)> {
    prop::sample::select(CHARSETS.to_vec()).prop_flat_map(move |charset| (Just(charset), records(charset)))
}

fn rows(charset: Charset) -> BoxedStrategy<Vec<Vec<String>>> {
    let row = (1..=NAMES.len()).prop_flat_map(move |columns| {
        prop::collection::vec(prop::collection::vec(text(charset), columns), 0..6)
    });
    row.boxed()
}

/// A tree of the kinds that JSON has.
fn tree(charset: Charset) -> BoxedStrategy<Value> {
    let number = prop::sample::select(vec!["0", "-1", "12345678901234567890123", "1.50", "1e400"]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number.prop_map(|text| serde_json::from_str(text).unwrap()),
        text(charset).prop_map(Value::String),
    ];
    let tree = leaf.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec((text(charset), inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    });
    tree.boxed()
}

fn objects(charset: Charset) -> BoxedStrategy<Vec<Value>> {
    let object = prop::collection::vec((text(charset), tree(charset)), 0..4);
    let record = object.prop_map(|members| Value::Object(members.into_iter().collect()));
    prop::collection::vec(record, 0..5).boxed()
}

/// What an element can be: text, or attributes, text and elements.
fn element(charset: Charset) -> BoxedStrategy<Value> {
    // XML has no control characters.
    let text = move || text(charset).prop_map(|text| text.replace('\u{0}', ""));
    let leaf = text().prop_map(Value::String);
    let tree = leaf.prop_recursive(3, 12, 3, move |inner| {
        let inside = prop::collection::vec((prop::sample::select(vec!["a", "b-1", "C.d"]), inner), 1..3);
        let attributes = prop::collection::vec((prop::sample::select(vec!["@x", "@y"]), text()), 0..2);
        (attributes, inside).prop_map(|(attributes, inside)| {
            let mut members = Map::new();
            for (name, value) in attributes {
                members.insert(name.to_owned(), Value::String(value));
            }
            for (name, value) in inside {
                members.insert(name.to_owned(), value);
            }
            Value::Object(members)
        })
    });
    tree.boxed()
}

fn elements(charset: Charset) -> BoxedStrategy<Vec<Value>> {
    let several = prop::collection::vec(element(charset), 2..4).prop_map(Value::Array);
    let record =
        (element(charset), several).prop_map(|(one, several)| json!({"One": one, "Several": several}));
    prop::collection::vec(record, 0..4).boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn delimited_text_comes_back(
        (charset, rows) in charset_and(rows),
        delimiter in prop::sample::select(vec![",", ";", "tab", "|"]),
        quote in prop::sample::select(vec!["\"", "'"]),
        header in prop::sample::select(vec![Header::Required, Header::None]),
        trailer in prop::sample::select(vec!["", "TOTAL"]),
    ) {
        let names = &NAMES[..rows.first().map_or(1, Vec::len)];
        let shape = Shape { charset, ..csv(delimiter, quote, header, trailer) };
        let records: Vec<Value> = rows.iter().map(|row| {
            names.iter().zip(row).map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>().into()
        }).collect();
        prop_assert_eq!(read(&shape, names, &written(&shape, names, &records)), records);
    }

    #[test]
    fn json_comes_back((charset, records) in charset_and(objects), path in prop::sample::select(vec!["", "a", "a.b"])) {
        let array = Shape { charset, json: Some(Json { records: path.into() }), ..Shape::of(Format::Json) };
        let lines = Shape { charset, ..Shape::of(Format::Ndjson) };
        for shape in [array, lines] {
            prop_assert_eq!(&read(&shape, &[], &written(&shape, &[], &records)), &records);
        }
    }

    #[test]
    fn fhir_comes_back((charset, mut records) in charset_and(objects)) {
        for record in &mut records {
            record["resourceType"] = json!("Patient");
        }
        let shape = Shape { charset, ..Shape::of(Format::FhirNdjson) };
        prop_assert_eq!(read(&shape, &[], &written(&shape, &[], &records)), records);
    }

    #[test]
    fn xml_comes_back((charset, records) in charset_and(elements)) {
        let shape = Shape { charset, xml: Some(Xml { records: "Practice/Items/Item".into() }), ..Shape::of(Format::Xml) };
        // Readers find these sets by name or mark.
        prop_assert_eq!(&read(&shape, &[], &written(&shape, &[], &records)), &records);
        let found = Shape { charset: Charset::Auto, ..shape.clone() };
        prop_assert_eq!(&read(&found, &[], &written(&shape, &[], &records)), &records);
    }

    #[test]
    fn xdt_comes_back(
        charset in prop::sample::select(vec![Charset::Utf8, Charset::Iso8859_1, Charset::Cp437]),
        values in prop::collection::vec(prop::collection::vec("[a-zéß *]{0,20}", 0..5), 0..4),
    ) {
        let shape = Shape { charset, xdt: Some(Xdt::default()), ..Shape::of(Format::Xdt) };
        let records: Vec<Value> = values.iter().map(|values| {
            let fields: Vec<Value> = values.iter().map(|value| json!({"field": "6228", "value": value})).collect();
            json!({"record": "6310", "fields": fields})
        }).collect();
        let file = written(&shape, &[], &records);
        let found = read(&shape, &[], &file);
        prop_assert_eq!(found.len(), records.len());
        for (found, values) in found.iter().zip(&values) {
            let said = found["fields"].as_array().unwrap().iter().filter(|field| field["field"] == "6228");
            let said: Vec<&str> = said.map(|field| field["value"].as_str().unwrap()).collect();
            prop_assert_eq!(&said, values);
        }
        // What was read is written again as it stands, byte for byte; and the set is found by field 9206.
        let bare: Vec<Value> = found.iter().map(|record| {
            let field = |field: &Value| json!({"field": field["field"], "value": field["value"]});
            json!({"record": record["record"], "fields": record["fields"].as_array().unwrap().iter().map(field).collect::<Vec<_>>()})
        }).collect();
        prop_assert_eq!(written(&shape, &[], &bare), &file[..]);
        prop_assert_eq!(read(&Shape { charset: Charset::Auto, ..shape }, &[], &file), found);
    }

    #[test]
    fn hl7_batches_come_back(
        charset in prop::sample::select(vec![Charset::Utf8, Charset::Iso8859_1]),
        values in prop::collection::vec("[a-zé^~ ]{0,10}", 0..6),
    ) {
        let shape = Shape { charset, ..Shape::of(Format::Hl7Batch) };
        let message = |value: &String| format!("MSH|^~\\&|A|B|C|D|20260302||ADT^A28|1|P|2.5.1\rPID|1||{value}|x");
        let records: Vec<Value> = values.iter().map(|value| json!({"batch": "42", "message": message(value)})).collect();
        prop_assert_eq!(read(&shape, &[], &written(&shape, &[], &records)), records);
    }
}

#[test]
fn what_has_no_place_is_refused_by_place_and_nothing_of_it_is_written() {
    let latin = |shape: Shape| Shape { charset: Charset::Iso8859_1, ..shape };
    let xml = || Shape { xml: Some(Xml { records: "A/B".into() }), ..Shape::of(Format::Xml) };
    let message = "MSH|^~\\&|A\rPID|1\rMSH|^~\\&|B\r";
    let cases = [
        (
            latin(Shape::of(Format::Csv)),
            json!({"chart": 1, "name": "Wałęsa"}),
            "name: a character is not in iso-8859-1",
        ),
        (Shape::of(Format::Csv), json!({"name": ["a"]}), "name: a list or an object"),
        (Shape::of(Format::Csv), json!({"Smith": 1}), "the record has a member that is not in `columns`"),
        (csv(",", "none", Header::Required, ""), json!({"name": "a,b"}), "name: holds a delimiter"),
        (csv(",", "\"", Header::Required, "END"), json!({"chart": " END "}), "chart: begins as the trailer"),
        (Shape::of(Format::Csv), json!(["a"]), "a record must be an object"),
        (latin(Shape::of(Format::Ndjson)), json!({"a": [{"b": "€"}]}), "a.b: a character is not"),
        (Shape::of(Format::FhirNdjson), json!({"id": "1"}), "not a FHIR resource"),
        (xml(), json!({"a": {"1b": "x"}}), "a/1b: a member's name"),
        (xml(), json!({"a": "\u{0}"}), "a: a character is one that XML"),
        (xml(), json!({"#text": " ", "a": "x"}), "#text: blank text"),
        (xml(), json!({"a": [["x"]]}), "a: a list or an object"),
        (Shape::of(Format::Xdt), json!({"record": "6310"}), "an xDT record has"),
        (
            Shape::of(Format::Xdt),
            json!({"record": "6310", "fields": [{"field": "30", "value": "x"}]}),
            "fields[0]: an xDT record",
        ),
        (
            Shape::of(Format::Xdt),
            json!({"record": "6310", "fields": [{"field": "3000", "value": "x\ny"}]}),
            "fields[0]: an xDT line",
        ),
        (
            Shape::of(Format::Xdt),
            json!({"record": "6310", "fields": [{"field": "3000", "value": "x".repeat(991)}]}),
            "fields[0]: an xDT line",
        ),
        (
            Shape::of(Format::Xdt),
            json!({"record": "6310", "fields": [{"field": "8100", "value": "1"}]}),
            "fields[0]: this field",
        ),
        (
            Shape::of(Format::Xdt),
            json!({"record": "6310", "fields": [{"field": "9206", "value": "3"}]}),
            "fields[0]: this field",
        ),
        (Shape::of(Format::Hl7Batch), json!({"message": message}), "message: not one HL7 v2 message"),
        (Shape::of(Format::Hl7Batch), json!({"message": "MSH|^~\\&|A\n"}), "message: not one HL7 v2 message"),
    ];
    for (shape, record, expected) in cases {
        let mut writer = Writer::new(&shape, &columns(&NAMES), Envelope::default());
        let mut file = Vec::new();
        let error = writer.record(&record, &mut file).expect_err(expected);
        assert!(error.to_string().starts_with(expected), "{error}");
        assert!(file.is_empty() && writer.records() == 0, "{expected}");
    }
}

#[test]
fn a_title_that_is_not_in_the_set_is_refused_before_any_record() {
    let shape = Shape { charset: Charset::Cp437, ..Shape::of(Format::Csv) };
    let writer = Writer::new(&shape, &columns(&["Œuvre"]), Envelope::default());
    let error = writer.begin(&mut Vec::new()).unwrap_err();
    assert_eq!(error.fault, WriteFault::Charset { charset: "cp437" });
}
