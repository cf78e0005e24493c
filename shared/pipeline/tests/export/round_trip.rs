//! What is exported by one bridge and taken in by another are the same resources, in every format.

use bridge_core::config::Connection;
use bridge_pipeline::files::FileState;
use bridge_testkit::{memory::lock, practice::Practice};
use futures::executor::block_on;
use serde_json::{Value, json};

use crate::fixtures::{self, *};

/// The same patients as a resource and as a record.
const RECORD: &str = r#"{"chart": identifier.value, "family": name.family, "given": name.given[0], "sex": gender,
    "born": birthDate}"#;
const RESOURCE: &str = r#"{"resourceType": "Patient", "identifier": [{"system": "urn:sim:patient", "value": chart}],
    "name": [{"family": family, "given": [given]}], "gender": sex, "birthDate": born}"#;
const XDT_RECORD: &str = r#"{"record": "6301", "fields": [
    {"field": "3000", "value": identifier.value}, {"field": "3101", "value": name.family},
    {"field": "3102", "value": name.given[0]}, {"field": "3110", "value": gender},
    {"field": "3103", "value": birthDate}]}"#;
const XDT_RESOURCE: &str = r#"(
    $value := function($id) { fields[field=$id].value };
    {"resourceType": "Patient", "identifier": [{"system": "urn:sim:patient", "value": $value("3000")}],
     "name": [{"family": $value("3101"), "given": [$value("3102")]}], "gender": $value("3110"),
     "birthDate": $value("3103")})"#;

fn export(file: &str, mapping: &str, columns: bool) -> String {
    let mapping = if mapping.is_empty() { String::new() } else { "mapping: out\n".to_owned() };
    let columns = match columns {
        true => "columns: [{name: chart}, {name: family}, {name: given}, {name: sex}, {name: born}]\n",
        false => "",
    };
    format!(
        "schedule: {{at: '02:30'}}\nresources: [Patient]\nname: 'p-{{number}}.x'\nfile: {file}\n{mapping}{columns}"
    )
}

fn connection(edit: impl FnOnce(&mut Connection)) -> Connection {
    let mut source = Practice::source();
    source.routes.clear();
    source.mappings.insert("note".to_owned(), "resource".to_owned());
    edit(&mut source);
    source
}

fn patients() -> Vec<Value> {
    let patient = |n: usize| {
        let given = ["Ann;e", "Bo", "Zoë"][n % 3];
        json!({
            "resourceType": "Patient",
            "identifier": [{"system": "urn:sim:patient", "value": format!("{:03}", n)}],
            "name": [{"family": format!("Tëst, \"{n}\""), "given": [given]}],
            "gender": "female", "birthDate": format!("19{:02}-03-01", n + 50),
        })
    };
    (0..40).map(patient).collect()
}

/// All patients that a practice knows, by reference.
fn known(practice: &Practice) -> Vec<(String, Value)> {
    let references: Vec<String> = {
        let world = lock(&practice.world);
        let resources = world.tables.iter().filter(|record| record.key.sk == "current");
        resources.filter_map(|record| record.key.pk.strip_prefix("sim#").map(str::to_owned)).collect()
    };
    let read = |reference: String| {
        let found = block_on(practice.bridge.resource(&source().tenant(), &reference)).unwrap().unwrap();
        let json = serde_json::from_slice(found.1.expose()).unwrap();
        (reference, json)
    };
    references.into_iter().map(read).collect()
}

#[test]
fn every_format_gives_the_same_resources() {
    for (file, out, back, has_columns) in [
        ("{format: csv, charset: windows-1252, csv: {delimiter: ';'}}", RECORD, RESOURCE, true),
        ("{format: csv, charset: utf-16le, csv: {delimiter: tab}}", RECORD, RESOURCE, true),
        ("{format: json, json: {records: data.patients}}", RECORD, RESOURCE, false),
        ("{format: ndjson, charset: iso-8859-15}", RECORD, RESOURCE, false),
        ("{format: xml, charset: iso-8859-1, xml: {records: Practice/Patient}}", RECORD, RESOURCE, false),
        ("{format: xdt, charset: cp437}", XDT_RECORD, XDT_RESOURCE, false),
        ("{format: fhir-ndjson}", "", "$", false),
    ] {
        let mut from = Practice::with_source(connection(|source| {
            source.mappings.insert("out".to_owned(), out.to_owned());
            let export = serde_norway::from_str(&export(file, out, has_columns)).unwrap();
            source.exports.insert("nightly".to_owned(), export);
            assert_eq!(source.exports["nightly"].problems(&source.feeds), [], "{file}");
        }));
        from.export_pace = fixtures::STEPS;
        for (n, patient) in patients().iter().enumerate() {
            let body =
                json!({"patient": n.to_string(), "tag": n.to_string(), "resource": patient}).to_string();
            assert_eq!(from.post(&[("x-token", "t")], body.as_bytes()).status, 202);
        }
        from.settle();
        lock(&from.world).now += 86_400_000;
        tick(&from);
        let object = runs(&from)[0].object.clone().unwrap();
        let bytes = lock(&from.world).files.get(&object).unwrap().to_vec();

        let to = Practice::with_source(connection(|source| {
            source.mappings.insert("in".to_owned(), back.to_owned());
            let feed = format!("{{keys: '*', file: {file}, mapping: in}}");
            source.feeds.insert("patients".to_owned(), serde_norway::from_str(&feed).unwrap());
        }));
        to.drop_file("p.x", &bytes);
        to.settle();
        let read = &to.files()[0];
        assert_eq!((read.state, read.progress.sent), (FileState::Done, 40), "{file}: {:?}", read.cause);
        assert_eq!(known(&to).len(), 40, "{file}");
        assert_eq!(known(&from), known(&to), "{file}");
    }
}

/// HL7 v2 says less than FHIR does: what it says comes back.
#[test]
fn a_batch_of_hl7_messages_gives_the_same_patients() {
    let site = "{authorities: {P: 'urn:sim:patient'}}";
    let speaking = |edit: &dyn Fn(&mut Connection)| {
        connection(|source| {
            source.hl7v2 = Some(serde_norway::from_str(site).unwrap());
            edit(source);
        })
    };
    let mut from = Practice::with_source(speaking(&|source| {
        let export = export("{format: hl7-batch}", "", false);
        source.exports.insert("nightly".to_owned(), serde_norway::from_str(&export).unwrap());
        assert_eq!(source.exports["nightly"].problems(&source.feeds), []);
    }));
    from.export_pace = fixtures::STEPS;
    for (n, patient) in patients().iter().enumerate() {
        let body = json!({"patient": n.to_string(), "tag": n.to_string(), "resource": patient}).to_string();
        assert_eq!(from.post(&[("x-token", "t")], body.as_bytes()).status, 202);
    }
    from.settle();
    lock(&from.world).now += 86_400_000;
    tick(&from);
    let run = &runs(&from)[0];
    assert_eq!((run.counts.records, run.counts.held), (40, 0));
    let batch = written(&from, run.object.as_deref().unwrap());
    assert!(batch.starts_with("FHS|^~\\&|") && batch.ends_with("BTS|40\rFTS|1\r"), "its envelope");
    let ids: std::collections::BTreeSet<&str> = batch
        .split('\r')
        .filter(|line| line.starts_with("MSH"))
        .filter_map(|line| line.split('|').nth(9))
        .collect();
    assert_eq!(ids.len(), 40, "MSH-10 tells messages apart");

    let to = Practice::with_source(speaking(&|source| {
        let feed = "{keys: '*', file: {format: hl7-batch}}";
        source.feeds.insert("patients".to_owned(), serde_norway::from_str(feed).unwrap());
    }));
    to.drop_file("p.x", batch.as_bytes());
    to.settle();
    assert_eq!(to.files()[0].state, FileState::Done, "{:?}", to.files()[0].cause);
    let said = |practice: &Practice| -> Vec<(String, Vec<Value>)> {
        let patients = known(practice).into_iter().filter(|(reference, _)| reference.starts_with("Patient/"));
        let elements = ["/name/0/family", "/name/0/given", "/gender", "/birthDate", "/identifier/0/value"];
        let of =
            |json: &Value| elements.map(|place| json.pointer(place).cloned().unwrap_or_default()).to_vec();
        patients.map(|(reference, json)| (reference, of(&json))).collect()
    };
    assert_eq!(said(&to).len(), 40);
    assert_eq!(said(&from), said(&to));
}
