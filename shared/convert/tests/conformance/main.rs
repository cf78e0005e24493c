//! The conversion against the v2-to-FHIR guide, row by row: a value is put at the place a row names and must be found
//! at the path the row gives; what stands under a condition is tried with it met, and with it broken.
//!
//! The report says, for each segment map, how many trials passed, found the value elsewhere, or did not find it.
//! `floor.tsv` holds what passes: it may rise (`BRIDGE_BLESS=1` writes it) and never fall. `reasons.tsv` says why what
//! does not pass does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr, clippy::disallowed_methods)]

mod condition;
mod guide;
mod path;
mod sample;
#[path = "../support/mod.rs"]
mod support;
mod trial;

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use bridge_convert::{AllergySeverity, Converter};
use bridge_hl7v2::Message;
use serde_json::Value;

use self::{
    condition::Test,
    guide::Guide,
    sample::Draft,
    trial::{Expected, Trial},
};

/// The segment maps of the message families ADT, SIU and ORU; the guide has none for DFT.
const MAPS: &[&str] = &[
    "AIG[Appointment]",
    "AIL[Appointment]",
    "AIP[Appointment]",
    "AIS[Appointment]",
    "AIS[ServiceRequest]",
    "AL1[AllergyIntolerance]",
    "DG1[Condition]",
    "DG1[Encounter]",
    "EVN[Provenance]",
    "IAM[AllergyIntolerance]",
    "IN1[Coverage]",
    "IN3[CareTeam]",
    "MRG[Account]",
    "MSA[MessageHeader]",
    "MSH[Bundle]",
    "MSH[MessageHeader]",
    "MSH[Provenance-Operator]",
    "MSH[Provenance-Source]",
    "MSH[Provenance-Transformation]",
    "NK1[Patient]",
    "NK1[RelatedPerson]",
    "NTE[Appointment-Comment]",
    "NTE[Observation]",
    "OBR[DiagnosticReport]",
    "OBR[ServiceRequest]",
    "OBR[Specimen]",
    "OBX[Observation-Component]",
    "OBX[Observation]",
    "ORC[DiagnosticReport]",
    "ORC[ServiceRequest]",
    "PD1[Observation-LivingWill]",
    "PD1[Patient]",
    "PID[Account]",
    "PID[Appointment]",
    "PID[Patient]",
    "PID[Provenance-Patient]",
    "PR1[Procedure]",
    "PRT[CareTeam]",
    "PRT[Device]",
    "PRT[Observation-Location]",
    "PRT[Patient-GeneralPractitioner-Practitioner]",
    "PRT[PractitionerRole]",
    "PV1[Basic-EncounterHistory]",
    "PV1[Coverage]",
    "PV1[Encounter]",
    "PV1[Patient]",
    "PV2[Encounter]",
    "ROL[CareTeam]",
    "ROL[Encounter-PractitionerRole]",
    "ROL[Patient-GeneralPractitioner]",
    "SCH[Appointment]",
    "SCH[Provenance]",
    "SCH[ServiceRequest]",
    "SFT[Device]",
    "SFT[MessageHeader]",
    "SPM[Specimen]",
    "TQ1[ServiceRequest]",
];

#[derive(Default, Clone, Copy)]
struct Count {
    passed: usize,
    wrong_path: usize,
    missing: usize,
    reasoned: usize,
}

/// Why a row does not pass: map (or `*`), beginning of the place, part of the path, and the reason.
struct Excuse {
    map: String,
    place: String,
    path: String,
    used: std::cell::Cell<bool>,
}

fn own(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(file)
}

fn excuses() -> Vec<Excuse> {
    let text = fs::read_to_string(own("reasons.tsv")).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    rows.map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        assert!(cells.len() == 4 && cells[3].len() > 10, "a reason needs map, place, path and words: {line}");
        Excuse { map: cells[0].into(), place: cells[1].into(), path: cells[2].into(), used: false.into() }
    })
    .collect()
}

impl Excuse {
    fn covers(&self, trial: &Trial) -> bool {
        (self.map == "*" || trial.map == self.map || trial.map.starts_with(&format!("{}[", self.map)))
            && trial.place.starts_with(&self.place)
            && trial.path.contains(&self.path)
    }
}

#[test]
fn every_mapped_row_passes_or_has_a_reason() {
    let Some(reference) = support::reference() else {
        eprintln!("no reference material: nothing checked");
        return;
    };
    let guide = Guide::read(&reference);
    let excuses = excuses();
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    let mut failures = Vec::new();
    for map in MAPS {
        let count = counts.entry(map).or_default();
        for trial in trial::of_map(&guide, map) {
            match run(&trial) {
                Outcome::Passed => count.passed += 1,
                outcome => {
                    let mut excused = false;
                    for excuse in excuses.iter().filter(|excuse| excuse.covers(&trial)) {
                        excuse.used.set(true);
                        excused = true;
                    }
                    match outcome {
                        _ if excused => count.reasoned += 1,
                        Outcome::WrongPath => count.wrong_path += 1,
                        _ => count.missing += 1,
                    }
                    if !excused {
                        failures.push(format!(
                            "{outcome:?}\t{}\t{}\t{}\t{:?}",
                            trial.map, trial.place, trial.path, trial.expected
                        ));
                    }
                }
            }
        }
    }
    report(&counts, &failures);
    assert!(failures.is_empty(), "{} trials fail without a reason", failures.len());
    let unused: Vec<_> = excuses
        .iter()
        .filter(|e| !e.used.get())
        .map(|e| format!("{} {} {}", e.map, e.place, e.path))
        .collect();
    assert!(unused.is_empty(), "reasons for what passes: {unused:#?}");
    hold(&counts);
}

fn report(counts: &BTreeMap<&str, Count>, failures: &[String]) {
    eprintln!("{:<50}{:>8}{:>12}{:>9}{:>10}", "map", "passed", "wrong path", "missing", "reasoned");
    let mut total = Count::default();
    for (map, c) in counts {
        eprintln!("{map:<50}{:>8}{:>12}{:>9}{:>10}", c.passed, c.wrong_path, c.missing, c.reasoned);
        total.passed += c.passed;
        total.wrong_path += c.wrong_path;
        total.missing += c.missing;
        total.reasoned += c.reasoned;
    }
    eprintln!(
        "{:<50}{:>8}{:>12}{:>9}{:>10}",
        "total", total.passed, total.wrong_path, total.missing, total.reasoned
    );
    failures.iter().for_each(|failure| eprintln!("{failure}"));
}

/// Compares with the floor, or writes it.
fn hold(counts: &BTreeMap<&str, Count>) {
    let floor = fs::read_to_string(own("floor.tsv")).unwrap_or_default();
    let floor: BTreeMap<&str, usize> = floor
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(map, n)| (map, n.parse().unwrap()))
        .collect();
    for (map, count) in counts {
        let least = floor.get(map).copied().unwrap_or(0);
        assert!(count.passed >= least, "{map}: {} trials pass, {least} did", count.passed);
    }
    if env::var_os("BRIDGE_BLESS").is_some() {
        let lines: Vec<String> = counts.iter().map(|(map, c)| format!("{map}\t{}\n", c.passed)).collect();
        fs::write(own("floor.tsv"), lines.concat()).unwrap();
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Outcome {
    Passed,
    WrongPath,
    Missing,
    /// The value is at its path although the condition does not hold.
    Unconditional,
}

fn run(trial: &Trial) -> Outcome {
    let met = bundle(trial, false);
    let found = found(trial, &met);
    if !found {
        let somewhere = matches!(trial.expected, Expected::Input) && met.to_string().contains(&trial.input);
        return if somewhere { Outcome::WrongPath } else { Outcome::Missing };
    }
    // Breaking a condition shows nothing when the value is a constant that stands there for other reasons too.
    let telling = matches!(trial.expected, Expected::Input) && trial.input.starts_with('q');
    // A place that is not at one level is at another, and both are Locations.
    if !trial.conditions.is_empty() && telling && !trial.unread && trial.root != "Location" {
        let broken = bundle(trial, true);
        if self::found(trial, &broken) {
            return Outcome::Unconditional;
        }
    }
    Outcome::Passed
}

fn segment_of(trial: &Trial) -> &str {
    &trial.map[..3]
}

/// Segment and numbers of a place: `PV1-2.1`.
fn place(place: &str) -> (String, [u32; 3]) {
    let mut numbers = place.split(['-', '.']).skip(1).map(|n| n.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (place[..3].to_owned(), [next(), next(), next()])
}

fn bundle(trial: &Trial, broken: bool) -> Value {
    let mut draft = sample::base(&trial.map);
    let segment = segment_of(trial);
    context(trial, &mut draft);
    for (at, text) in &trial.with {
        draft.set(segment, *at, text);
    }
    if trial.at[0] > 0 {
        draft.set(segment, trial.at, &trial.input);
    }
    for (nth, atom) in trial.conditions.iter().enumerate() {
        let test = if broken && nth == 0 { atom.test.negated() } else { atom.test.clone() };
        let (segment, at) = place(&atom.place);
        match test {
            Test::Valued => {
                if !is_set(&mut draft, &segment, at) {
                    draft.set(&segment, at, filler(&atom.place));
                }
            }
            Test::Empty => draft.clear(&segment, at),
            Test::OneOf(codes) => {
                let number = codes.iter().find(|code| *code == "NM");
                draft.set(&segment, at, number.unwrap_or(&codes[0]));
            }
            Test::NoneOf(_) if atom.place == "OBX-2" => draft.set(&segment, at, "ST"),
            Test::NoneOf(codes) => {
                if codes.iter().any(|code| holds(&mut draft, &segment, at, code)) {
                    draft.set(&segment, at, "PH");
                }
            }
        }
    }
    if segment == "OBX" {
        observation(trial, &mut draft);
    }
    let mut text = draft.text();
    if trial.map == "OBX[Observation-Component]" {
        text = repeated(&text);
    }
    let mut profile = support::profile();
    if trial.path.contains("criticality") {
        profile.allergy_severity = AllergySeverity::Criticality;
    }
    profile.vip_is_personal = trial.map == "PV1[Patient]";
    profile.clinical_information_is_fasting = trial.path.contains("fasting");
    let message = Message::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let converted = Converter::new(profile).convert(&message, support::received());
    let converted = converted.unwrap_or_else(|error| panic!("{error}: {text}"));
    if let Err(fault) = support::structure::check(&converted) {
        panic!("{} {}: {fault}\n{text}", trial.map, trial.place);
    }
    support::json(&converted)
}

/// A value in OBX-5 that fits its type, where the trial puts none there.
fn observation(trial: &Trial, draft: &mut Draft) {
    let fields = draft.segment("OBX").cloned().unwrap_or_default();
    if fields.get(&11).is_some_and(|value| value.values().any(|text| text == "N")) {
        draft.clear("OBX", [5, 0, 0]);
    }
    let kind = fields.get(&2).and_then(|value| value.get(&(1, 0))).cloned().unwrap_or_default();
    let here = |component: u32| trial.at[0] == 5 && trial.at[1] == component;
    match kind.as_str() {
        "SN" => {
            let first = fields.get(&5).and_then(|value| value.get(&(1, 0))).cloned();
            if first.as_deref() == Some("text") {
                draft.clear("OBX", [5, 1, 0]);
            }
            for (component, text) in [(2, "5"), (4, "7")] {
                if !here(component) && (component == 2 || is_set(draft, "OBX", [5, 3, 0])) {
                    draft.set("OBX", [5, component, 0], text);
                }
            }
        }
        "ED" if !here(5) => draft.set("OBX", [5, 5, 0], "aGVsbG8="),
        "NM" | "NA" if !trial.place.starts_with("OBX-5") => draft.set("OBX", [5, 0, 0], "12"),
        _ => {}
    }
}

/// The same message with OBX-5 twice.
fn repeated(text: &str) -> String {
    let lines = text.split('\r').map(|line| {
        let mut fields: Vec<String> = line.split('|').map(str::to_owned).collect();
        if fields[0] == "OBX" && !fields[5].is_empty() {
            fields[5] = format!("{0}~{0}", fields[5]);
        }
        fields.join("|")
    });
    lines.collect::<Vec<_>>().join("\r")
}

/// A value that makes a field valued, of the type it has.
fn filler(place: &str) -> &'static str {
    match place {
        _ if place.ends_with(".12")
            || place.ends_with(".13")
            || place.ends_with(".19")
            || place.ends_with(".20") =>
        {
            "20240308101500"
        }
        "PID-29" | "PV1-45" | "OBR-8" | "AIS-4" | "AIG-8" | "AIL-6" | "AIP-6" | "IAM-11" | "TQ1-7"
        | "TQ1-8" | "SPM-17.2" => "20240308101500",
        _ if place.ends_with(".3") => "UCUM",
        "PR1-5.5" => "",
        "PID-25" => "2",
        "PR1-7" => "30",
        "OBX-33" => "S1",
        _ => "vv9",
    }
}

fn is_set(draft: &mut Draft, segment: &str, [field, component, sub]: [u32; 3]) -> bool {
    let fields = draft.segment(segment);
    let value = fields.and_then(|fields| fields.get(&field).cloned());
    let is_it = |(c, s): &(u32, u32)| *c == component && (sub == 0 || *s == sub || (sub == 1 && *s == 0));
    value.is_some_and(|value| component == 0 || value.keys().any(is_it))
}

fn holds(draft: &mut Draft, segment: &str, [field, component, _]: [u32; 3], code: &str) -> bool {
    let fields = draft.segment(segment);
    let value = fields.and_then(|fields| fields.get(&field).cloned()).unwrap_or_default();
    value.iter().any(|((c, _), text)| *c == component.max(1) && text == code)
}

/// What a field only means something together with.
fn context(trial: &Trial, draft: &mut Draft) {
    let place = trial.place.split(['.', ' ']).next().unwrap_or_default();
    let set: &[([u32; 3], &str)] = match place {
        "OBX-6" => &[([2, 0, 0], "NM"), ([5, 0, 0], "12")],
        "DG1-21" => &[([21, 0, 0], "D")],
        "PID-33" => &[([34, 0, 0], "UPD")],
        "PID-34" => &[([33, 0, 0], "20240228120000")],
        "PID-36" => &[([35, 0, 0], "DOG")],
        "PV1-40" => &[([3, 3, 0], "B1")],
        "PV1-53" => &[([54, 0, 0], "EP1")],
        "MSH-17" => &[([4, 0, 0], "FAC")],
        "NK1-30" | "NK1-31" | "NK1-32" if trial.map == "NK1[Patient]" => &[([13, 0, 0], "Org")],
        "NTE-4" | "NTE-5" | "NTE-6" | "NTE-9" => &[([3, 0, 0], "base text")],
        "OBX-24" => &[([23, 0, 0], "Lab")],
        "ORC-17" | "ORC-21" => &[([12, 1, 0], "D9"), ([12, 2, 0], "Doe")],
        "ORC-22" | "ORC-23" | "ORC-24" => &[([12, 1, 0], "D9"), ([12, 2, 0], "Doe"), ([21, 0, 0], "Place")],
        "IN1-5" => &[([4, 0, 0], "Payer")],
        "AIS-7" => &[([4, 0, 0], "20240307093000"), ([8, 0, 0], "min")],
        "AIG-11" => &[([8, 0, 0], "20240307093000"), ([12, 0, 0], "min")],
        "AIL-9" | "AIP-9" => &[([6, 0, 0], "20240307093000"), ([10, 0, 0], "min")],
        "PR1-7" => &[([5, 0, 0], "202401010930")],
        "PR1-16" => &[([3, 0, 0], "c5")],
        "TQ1-13" => &[([13, 2, 0], "min")],
        "TQ1-5" => &[([3, 8, 0], "AC"), ([5, 2, 0], "min")],
        "SFT-6" => &[([2, 0, 0], "1.0")],
        "PRT-7" => &[([8, 0, 0], "Org")],
        "PRT-14" | "PRT-15" if trial.path.contains("member(Organization") => &[([8, 0, 0], "Org")],
        "PRT-17" | "PRT-18" | "PRT-19" | "PRT-20" | "PRT-21" | "PRT-22" => &[([10, 0, 0], "DEV1")],
        _ => &[],
    };
    for (at, text) in set {
        draft.set(segment_of(trial), *at, text);
    }
    if trial.place.starts_with("TQ1-3") {
        let extra: &[([u32; 3], &str)] = match trial.place.as_str() {
            "TQ1-3.5" => &[([3, 6, 0], "d")],
            "TQ1-3.6" => &[([3, 5, 0], "2")],
            "TQ1-3.4" => &[([3, 2, 0], "DW"), ([3, 3, 0], "2")],
            "TQ1-3.9" => &[([3, 8, 0], "AC"), ([3, 10, 0], "min")],
            _ => &[],
        };
        extra.iter().for_each(|(at, text)| draft.set("TQ1", *at, text));
    }
    if segment_of(trial) == "OBX" && trial.at[0] == 5 {
        draft.clear("OBX", [5, 0, 0]);
    }
    if trial.map == "OBR[Specimen]" && ["OBR-7", "OBR-8"].contains(&place) {
        draft.set("OBR", [15, 0, 0], "SER");
    }
    if trial.map == "SCH[ServiceRequest]" || trial.map == "AIS[ServiceRequest]" {
        draft.set("SCH", [26, 0, 0], "P26");
    }
}

fn found(trial: &Trial, bundle: &Value) -> bool {
    let roots = match trial.root.as_str() {
        "Bundle" => vec![bundle],
        kind => path::resources(bundle, kind),
    };
    let steps = path::parse(&trial.path);
    path::find(bundle, roots, &steps).into_iter().any(|value| is_expected(trial, value))
}

fn is_expected(trial: &Trial, value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Object(_) => return trial.path.ends_with(')') || value.to_string().contains(&trial.input),
        _ => return false,
    };
    match &trial.expected {
        Expected::Text(expected) => {
            text == *expected || text.trim_end_matches('.') == expected.trim_end_matches('.')
        }
        Expected::Holding => text.contains(&trial.input),
        Expected::Computed => true,
        Expected::Input => is_input(&trial.input, &text),
    }
}

/// Dates in FHIR's form, coding systems by their URIs, universal ids as URNs; everything else as it was put in.
fn is_input(input: &str, text: &str) -> bool {
    let uri = match input {
        "LN" => "http://loinc.org",
        "SCT" => "http://snomed.info/sct",
        "UCUM" => "http://unitsofmeasure.org",
        _ => "",
    };
    let time = sample::fhir_time(input).is_some_and(|time| text.starts_with(&time) || time.starts_with(text));
    let narrative = text.starts_with("<div") && text.contains(&format!(">{input}<"));
    let clock = input.len() == 4 && text == format!("{}:{}:00", &input[..2], &input[2..]);
    text == input
        || (!uri.is_empty() && text == uri)
        || (text.starts_with("urn:") && text.ends_with(input))
        || time
        || clock
        || narrative
}
