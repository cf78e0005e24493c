//! DiagnosticReport and Observation to ORC, OBR, OBX, NTE and SPM.

use bridge_hl7v2::write::{Content, SegmentBuilder};

use super::{
    WriteError, Writing,
    datatypes::{cwe, dtm, ei, of_type, system_name, tm, xcn, xon},
    node::Node,
    patient, segment, visit,
};
use crate::tables::{
    COLLECTION_METHOD, DIAGNOSTIC_SECTION, INTERPRETATION, OBSERVATION_STATUS, REPORT_STATUS,
    SPECIMEN_CONDITION, SPECIMEN_TYPE,
};

/// ORU^R01 of all DiagnosticReports, which are one patient's.
pub(super) fn write(writing: &mut Writing<'_>) -> Result<(), WriteError> {
    let reports = writing.all("DiagnosticReport");
    let first = *reports.first().ok_or(WriteError::MissingResource("DiagnosticReport"))?;
    let subject = writing.follow(first.get("subject"));
    if subject.is_there() {
        patient::person(writing, subject);
    }
    let encounter = writing.follow(first.get("encounter"));
    if encounter.is_there() {
        visit::pv1(writing, encounter);
    }
    for (number, report) in (1_u32..).zip(reports) {
        order(writing, report, number);
    }
    Ok(())
}

const REPORT: &[&str] = &[
    "identifier",
    "basedOn",
    "status",
    "category",
    "code",
    "subject",
    "encounter",
    "effectiveDateTime",
    "effectivePeriod",
    "issued",
    "specimen",
    "result",
    "extension",
    "performer",
    "resultsInterpreter",
];

fn order<'a>(writing: &mut Writing<'a>, report: Node<'a>, number: u32) {
    let request = writing.follow(report.first("basedOn"));
    let number_of = |writing: &Writing<'a>, kind: &str| {
        let own = of_type(report, kind);
        ei(writing, if own.is_there() { own } else { of_type(request, kind) })
    };
    let (placer, filler) = (number_of(writing, "PLAC"), number_of(writing, "FILL"));
    let requester = writing.follow(request.get("requester"));
    let mut orc = segment("ORC");
    orc.set(1, "RE").set(2, placer.clone()).set(3, filler.clone()).set(12, xcn(writing, requester));
    writing.add(orc);
    let mut obr = segment("OBR");
    obr.set(1, number.to_string()).set(2, placer).set(3, filler);
    obr.set(4, cwe(writing, report.get("code"), None));
    let period = report.get("effectivePeriod");
    let start = if period.is_there() { period.text("start") } else { report.text("effectiveDateTime") };
    obr.set(7, dtm(start)).set(8, dtm(period.text("end")));
    obr.set(16, xcn(writing, requester)).set(22, dtm(report.text("issued")));
    let section = report.first("category").code_of(DIAGNOSTIC_SECTION.own_system());
    obr.set(24, section).set(25, REPORT_STATUS.v2(report.text("status")).unwrap_or_default());
    for reason in request.each("reasonCode") {
        obr.push(31, cwe(writing, reason, None));
    }
    writing.add(obr);
    notes(
        writing,
        report
            .extensions("http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.note")
            .map(|note| note.get("valueAnnotation")),
    );
    let results: Vec<_> = report.each("result").map(|result| writing.follow(result)).collect();
    for (number, observation) in (1_u32..).zip(results.into_iter().filter(|result| result.is_there())) {
        obx(writing, observation, number);
    }
    let specimens: Vec<_> = report.each("specimen").map(|specimen| writing.follow(specimen)).collect();
    for (number, specimen) in (1_u32..).zip(specimens.into_iter().filter(|specimen| specimen.is_there())) {
        spm(writing, specimen, number);
    }
    writing.note_unused(report, REPORT);
}

fn notes<'a>(writing: &mut Writing<'a>, notes: impl Iterator<Item = Node<'a>>) {
    for (number, note) in (1_u32..).zip(notes) {
        let mut nte = segment("NTE");
        nte.set(1, number.to_string());
        for line in note.text("text").lines() {
            nte.push(3, line);
        }
        writing.add(nte);
    }
}

const OBSERVATION: &[&str] = &[
    "identifier",
    "basedOn",
    "status",
    "_status",
    "category",
    "code",
    "subject",
    "encounter",
    "effectiveDateTime",
    "performer",
    "valueQuantity",
    "valueString",
    "valueCodeableConcept",
    "valueDateTime",
    "valueTime",
    "valueRange",
    "valueRatio",
    "valuePeriod",
    "interpretation",
    "note",
    "bodySite",
    "method",
    "specimen",
    "focus",
    "referenceRange",
    "component",
    "extension",
];

fn obx<'a>(writing: &mut Writing<'a>, observation: Node<'a>, number: u32) {
    let mut obx = segment("OBX");
    obx.set(1, number.to_string()).set(3, cwe(writing, observation.get("code"), None));
    let group = observation.extension("http://hl7.org/fhir/StructureDefinition/observation-v2-subid");
    obx.set(4, group.extension("original-sub-identifier").text("valueString"));
    let components: Vec<_> = observation.each("component").collect();
    let values = if components.is_empty() { vec![observation] } else { components };
    let mut range = observation.first("referenceRange").text("text");
    for holder in values {
        if let Some((kind, content, units)) = value(writing, holder) {
            obx.set(2, kind).push(5, content).set(6, units);
        }
        if range.is_empty() {
            range = holder.first("referenceRange").text("text");
        }
    }
    obx.set(7, range);
    for flag in observation.each("interpretation") {
        obx.push(8, cwe(writing, flag, Some(&INTERPRETATION)));
    }
    obx.set(11, OBSERVATION_STATUS.v2(observation.text("status")).unwrap_or_default());
    obx.set(14, dtm(observation.text("effectiveDateTime")));
    performers(writing, &mut obx, observation);
    obx.set(17, cwe(writing, observation.get("method"), None));
    obx.set(20, cwe(writing, observation.get("bodySite"), None));
    writing.add(obx);
    notes(writing, observation.each("note"));
    writing.note_unused(observation, OBSERVATION);
}

/// OBX-16 and OBX-23.
fn performers<'a>(writing: &Writing<'a>, obx: &mut SegmentBuilder<'a>, observation: Node<'a>) {
    for performer in observation.each("performer") {
        let performer = writing.follow(performer);
        if performer.text("resourceType") == "Organization" {
            obx.set(23, xon(writing, performer));
        } else if performer.is_there() {
            obx.push(16, xcn(writing, performer));
        }
    }
}

/// OBX-2, OBX-5 and OBX-6 of a value; `None` when there is none that v2 has a type for.
fn value<'a>(writing: &Writing<'a>, holder: Node<'a>) -> Option<(&'static str, Content<'a>, Content<'a>)> {
    let none = Content::default;
    let quantity = holder.get("valueQuantity");
    if quantity.is_there() {
        let units = unit(writing, quantity);
        let number = quantity.number("value");
        return Some(match quantity.text("comparator") {
            "" => ("NM", number.into(), units),
            sign => ("SN", Content::default().with(1, sign).with(2, number), units),
        });
    }
    let (range, ratio) = (holder.get("valueRange"), holder.get("valueRatio"));
    let (ends, separator) = if range.is_there() {
        ([range.get("low"), range.get("high")], "-")
    } else {
        ([ratio.get("numerator"), ratio.get("denominator")], ":")
    };
    if range.is_there() || ratio.is_there() {
        let content = Content::default()
            .with(1, ends[0].text("comparator"))
            .with(2, ends[0].number("value"))
            .with(3, separator)
            .with(4, ends[1].number("value"));
        return Some(("SN", content, unit(writing, ends[0])));
    }
    let concept = holder.get("valueCodeableConcept");
    if concept.is_there() {
        return Some(("CWE", cwe(writing, concept, None), none()));
    }
    let period = holder.get("valuePeriod");
    if period.is_there() {
        return Some(("DR", [dtm(period.text("start")), dtm(period.text("end"))].into(), none()));
    }
    match (holder.text("valueDateTime"), holder.text("valueTime"), holder.text("valueString")) {
        ("", "", "") => None,
        ("", "", text) => Some((if text.contains('\n') { "TX" } else { "ST" }, text.into(), none())),
        ("", time, _) => Some(("TM", tm(time).into(), none())),
        (at, ..) => Some((if at.contains('T') { "DTM" } else { "DT" }, dtm(at).into(), none())),
    }
}

fn unit<'a>(writing: &Writing<'a>, quantity: Node<'a>) -> Content<'a> {
    let (name, code) = (quantity.text("unit"), quantity.text("code"));
    match code {
        "" => name.into(),
        code => {
            let system = system_name(writing, quantity.text("system"));
            let name = if name == code { "" } else { name };
            Content::default().with(1, code).with(2, name).with(3, system)
        }
    }
}

fn spm<'a>(writing: &mut Writing<'a>, specimen: Node<'a>, number: u32) {
    let mut spm = segment("SPM");
    spm.set(1, number.to_string());
    let pair = ["PGN", "FGN"].map(|kind| {
        let identifier = of_type(specimen, kind);
        let assigner = identifier.get("assigner").text("display");
        [identifier.text("value"), assigner]
    });
    spm.set(2, pair);
    spm.set(4, cwe(writing, specimen.get("type"), Some(&SPECIMEN_TYPE)));
    let collection = specimen.get("collection");
    spm.set(7, cwe(writing, collection.get("method"), Some(&COLLECTION_METHOD)));
    spm.set(8, cwe(writing, collection.get("bodySite"), None));
    for note in specimen.each("note") {
        spm.push(14, note.text("text"));
    }
    let period = collection.get("collectedPeriod");
    let start = if period.is_there() { period.text("start") } else { collection.text("collectedDateTime") };
    spm.set(17, [dtm(start), dtm(period.text("end"))]).set(18, dtm(specimen.text("receivedTime")));
    for condition in specimen.each("condition") {
        spm.push(24, cwe(writing, condition, Some(&SPECIMEN_CONDITION)));
    }
    writing.add(spm);
}
