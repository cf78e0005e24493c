//! The rules of a conversion, one test each: what users of other converters found broken.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use bridge_convert::{AllergySeverity, ConvertError, Converter, NextOfKin, Profile, Reason};
use bridge_hl7v2::Message;
use jiff::tz::TimeZone;
use serde_json::Value;
use support::{convert, convert_with, profile, received, resources, structure};
use uuid::Uuid;

const MSH: &str = "MSH|^~\\&|APP|FAC|||20240229103000||";

fn adt(event: &str, rest: &str) -> String {
    format!("{MSH}ADT^{event}|M1|P|2.5.1\r{rest}")
}

fn only(converted: &bridge_convert::Converted, kind: &str) -> Value {
    let found = resources(converted, kind);
    assert_eq!(found.len(), 1, "{kind}: {found:#?}");
    found.into_iter().next().unwrap()
}

fn notes(converted: &bridge_convert::Converted) -> Vec<String> {
    converted.diagnostics.iter().map(ToString::to_string).collect()
}

fn id_of(text: &str) -> String {
    only(&convert(text), "Patient")["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_observation_after_a_specimen_is_a_result_of_it() {
    let converted = convert(&format!(
        "{MSH}ORU^R01|M1|P|2.5.1\rPID|1||7^^^NORTH^MR\rOBR|1||F1|P1^Panel^L\rOBX|1|ST|A^a^L||x||||||F\r\
         SPM|1|S1^S2||SER\rOBX|2|ST|B^b^L||y||||||F"
    ));
    let (report, specimen) = (only(&converted, "DiagnosticReport"), only(&converted, "Specimen"));
    let observations = resources(&converted, "Observation");
    assert_eq!(report["result"].as_array().unwrap().len(), 2);
    let to_specimen = format!("Specimen/{}", specimen["id"].as_str().unwrap());
    assert!(observations.iter().all(|o| o["specimen"]["reference"] == to_specimen.as_str()));
    assert_eq!(observations[1]["focus"][0]["reference"], to_specimen.as_str());
}

#[test]
fn a_merge_gives_two_patients_linked_both_ways() {
    for event in ["A40", "A34", "A18", "A47"] {
        let converted = convert(&adt(event, "PID|1||7^^^NORTH^MR||New\rMRG|8^^^NORTH^MR"));
        let patients = resources(&converted, "Patient");
        let name = |p: &Value| format!("Patient/{}", p["id"].as_str().unwrap());
        assert_eq!(patients[0]["link"][0]["type"], "replaces", "{event}");
        assert_eq!(patients[0]["link"][0]["other"]["reference"], name(&patients[1]).as_str());
        assert_eq!(patients[1]["link"][0]["type"], "replaced-by");
        assert_eq!(patients[1]["link"][0]["other"]["reference"], name(&patients[0]).as_str());
        assert_eq!(patients[1]["active"], false);
        assert_eq!(patients[1]["id"].as_str().unwrap(), id_of(&adt("A08", "PID|1||8^^^NORTH^MR")));
    }
}

#[test]
fn a_move_of_a_visit_merges_nobody() {
    let converted = convert(&adt("A45", "PID|1||7^^^NORTH^MR\rMRG|8^^^NORTH^MR"));
    assert!(only(&converted, "Patient").get("link").is_none());
    assert!(
        notes(&converted).contains(&"MRG-1: not mapped".to_owned())
            || notes(&converted).contains(&"MRG: the segment is not used".to_owned())
    );
}

#[test]
fn merges_in_a_circle_give_no_link_that_closes_it() {
    for rest in [
        "PID|1||7^^^NORTH^MR\rMRG|7^^^NORTH^MR",
        "PID|1||7^^^NORTH^MR\rMRG|8^^^NORTH^MR\rPID|2||8^^^NORTH^MR\rMRG|7^^^NORTH^MR",
        "PID|1||7^^^N^MR\rMRG|8^^^N^MR\rPID|2||8^^^N^MR\rMRG|9^^^N^MR\rPID|3||9^^^N^MR\rMRG|7^^^N^MR",
    ] {
        let converted = convert(&adt("A40", rest));
        let circular = converted.diagnostics.iter().filter(|d| d.reason == Reason::CircularMerge);
        assert_eq!(circular.count(), 1, "{rest}");
    }
}

#[test]
fn null_removes_and_empty_leaves() {
    let converted = convert(&adt("A31", "PID|1||7^^^NORTH^MR||Base||\"\"|||||||\"\"|"));
    let removals: Vec<_> = converted.removals.iter().map(|r| (r.path, r.location.to_string())).collect();
    let patient = only(&converted, "Patient");
    assert_eq!(
        removals,
        [
            ("Patient.telecom.where(use = 'work')", "PID-14".to_owned()),
            ("Patient.birthDate", "PID-7".to_owned()),
        ]
    );
    assert!(converted.removals.iter().all(|r| r.id.to_string() == patient["id"].as_str().unwrap()));
    assert!(patient.get("birthDate").is_none() && patient.get("gender").is_none());
}

#[test]
fn ids_are_of_authority_and_value_under_the_tenant() {
    let one = id_of(&adt("A08", "PID|1||7^^^NORTH^MR"));
    assert_eq!(one, id_of(&adt("A01", "PID|1||9^^^X^PI~7^^^NORTH^MR||Other")));
    assert_ne!(one, id_of(&adt("A08", "PID|1||7^^^SOUTH^MR")));
    let other = Profile::new(Uuid::from_u128(8), TimeZone::UTC, "https://fhir.example/r4");
    let other = convert_with(
        other.authority("NORTH", "https://north.example/mrn"),
        &adt("A08", "PID|1||7^^^NORTH^MR"),
    );
    assert_ne!(one, only(&other, "Patient")["id"].as_str().unwrap());
    let known = Uuid::new_v5(&Uuid::from_u128(7), b"Patient\n25\nhttps://north.example/mrn\n7");
    assert_eq!(one, known.to_string());
}

#[test]
fn without_an_authority_the_facility_tells_numbers_apart() {
    let at = |facility: &str| {
        id_of(&format!("MSH|^~\\&|APP|{facility}|||20240229103000||ADT^A08|M1|P|2.5.1\rPID|1||7"))
    };
    assert_ne!(at("NORTH"), at("SOUTH"));
}

#[test]
fn every_repetition_is_kept_and_an_empty_one_is_none() {
    let patient = only(
        &convert(&adt(
            "A08",
            "PID|1||~7^^^NORTH^MR~8^^^EAST^PI||~One^A~Two^B||||||~A St~B St||~1^PRN^PH~2^PRN^PH~",
        )),
        "Patient",
    );
    for (element, count) in [("identifier", 2), ("name", 2), ("address", 2), ("telecom", 2)] {
        assert_eq!(patient[element].as_array().unwrap().len(), count, "{element}");
    }
}

#[test]
fn two_results_that_look_alike_are_two() {
    let converted = convert(&format!(
        "{MSH}ORU^R01|M1|P|2.5.1\rPID|1||7\rOBR|1||F1|P1\r{0}\r{0}\r{0}",
        "OBX|1|ST|A||x||||||F"
    ));
    assert_eq!(resources(&converted, "Observation").len(), 3);
}

#[test]
fn precision_and_offset_are_the_senders() {
    let visit = |start: &str| {
        let text =
            adt("A01", &format!("PID|1||7\rPV1|1|I|||||||||||||||||V1|||||||||||||||||||||||||{start}"));
        only(&convert(&text), "Encounter")["period"]["start"].as_str().unwrap().to_owned()
    };
    assert_eq!(visit("2024"), "2024");
    assert_eq!(visit("20240229"), "2024-02-29");
    assert_eq!(visit("202402291030"), "2024-02-29T10:30:00-06:00");
    assert_eq!(visit("202407011030"), "2024-07-01T10:30:00-05:00");
    assert_eq!(visit("20240229103000.5+0530"), "2024-02-29T10:30:00.5+05:30");
}

#[test]
fn a_wrong_date_is_told_by_its_place_and_not_shown() {
    let converted = convert(&adt("A08", "PID|1||7^^^NORTH^MR||Base||19991301"));
    assert!(only(&converted, "Patient").get("birthDate").is_none());
    assert!(notes(&converted).contains(&"PID-7[1]: the month is not 01 to 12".to_owned()));
    assert!(notes(&converted).iter().all(|note| !note.contains("1999")));
}

#[test]
fn a_required_status_has_a_declared_default() {
    let mut profile = profile();
    profile.defaults.observation_status = "preliminary".into();
    let converted =
        convert_with(profile, &format!("{MSH}ORU^R01|M1|P|2.5.1\rPID|1||7\rOBR|1||F1|P1\rOBX|1|ST|A||x"));
    assert_eq!(only(&converted, "Observation")["status"], "preliminary");
    assert!(notes(&converted).contains(&"OBX-11: empty, so Observation.status has its default".to_owned()));
}

#[test]
fn a_system_is_never_made_from_a_name() {
    let text = adt("A08", "PID|1||7^^^CLINIC^MR~8^^^LAB&2.999.1&ISO^PI~9^^^WEB&https://x.example/id&URI");
    let patient = only(&convert(&text), "Patient");
    let systems: Vec<_> =
        patient["identifier"].as_array().unwrap().iter().map(|i| i["system"].as_str()).collect();
    assert_eq!(systems, [None, Some("urn:oid:2.999.1"), Some("https://x.example/id")]);
    let known = convert_with(profile().authority("CLINIC", "https://clinic.example"), &text);
    assert_eq!(only(&known, "Patient")["identifier"][0]["system"], "https://clinic.example");
}

#[test]
fn escapes_and_delimiters_do_not_reach_the_resource() {
    let patient =
        only(&convert(&adt("A08", "PID|1||7||O\\T\\Neil \\S\\ \"Q\"^Z\u{f6}e \\X41\\\\.br\\B")), "Patient");
    assert_eq!(patient["name"][0]["family"], "O&Neil ^ \"Q\"");
    assert_eq!(patient["name"][0]["given"][0], "Z\u{f6}e A\nB");
}

#[test]
fn a_site_segment_and_a_stray_line_are_told() {
    let converted = convert(&adt("A08", "PID|1||7^^^NORTH^MR\rZPI|1|x\rZPI|2|y\r"));
    let told: Vec<_> = notes(&converted).into_iter().filter(|n| n.starts_with('Z')).collect();
    assert_eq!(told, ["ZPI: the segment is not used", "ZPI[2]: the segment is not used"]);
}

#[test]
fn a_message_about_nothing_is_refused_with_its_place() {
    let refusal = |text: &str| {
        let message = Message::parse(text).unwrap();
        Converter::new(profile()).convert(&message, received()).unwrap_err()
    };
    assert_eq!(refusal(&format!("{MSH}ADT^A01|1")).to_string(), "PID: missing, and ADT^A01 is about it");
    assert_eq!(
        refusal(&format!("{MSH}SIU^S12|1\rPID|1||7")).to_string(),
        "SCH: missing, and SIU^S12 is about it"
    );
    assert_eq!(
        refusal(&format!("{MSH}DFT^P03|1\rPID|1||7")).to_string(),
        "FT1: missing, and DFT^P03 is about it"
    );
    let other = refusal(&format!("{MSH}MDM^T02|1\rPID|1||7"));
    assert_eq!(other.to_string(), "MSH-9[1]: MDM^T02 messages are not converted");
    assert!(matches!(other, ConvertError::UnsupportedEvent { .. }));
    assert!(!refusal(&format!("{MSH}Una Testperson^x|1")).to_string().contains("Una"));
}

#[test]
fn a_pseudo_visit_is_none() {
    let converted = convert(&adt("A28", "PID|1||7^^^NORTH^MR\rPV1|1|N"));
    assert!(resources(&converted, "Encounter").is_empty());
}

#[test]
fn the_event_the_end_and_the_class_tell_the_status_of_a_visit() {
    let status = |event: &str, class: &str, end: &str| {
        let rest = format!("PID|1||7\rPV1|1|{class}|||||||||||||||||V1||||||||||||||||||||||||||{end}");
        only(&convert(&adt(event, &rest)), "Encounter")["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("A01", "I", ""), "in-progress");
    assert_eq!(status("A03", "I", ""), "finished");
    assert_eq!(status("A05", "P", ""), "planned");
    assert_eq!(status("A08", "P", ""), "planned");
    assert_eq!(status("A08", "O", "20240301"), "finished");
    assert_eq!(status("A11", "I", ""), "cancelled");
    assert_eq!(status("A23", "I", ""), "entered-in-error");
}

#[test]
fn the_trigger_tells_what_became_of_an_appointment() {
    let status = |event: &str, code: &str| {
        let text = format!(
            "{MSH}SIU^{event}|M1|P|2.5.1\rSCH||F1|||||||||^^30^20240307093000^||||||||||||||{code}\rPID|1||7"
        );
        only(&convert(&text), "Appointment")["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status("S12", ""), "booked");
    assert_eq!(status("S14", "PENDING"), "pending");
    assert_eq!(status("S15", "Booked"), "cancelled");
    assert_eq!(status("S17", ""), "entered-in-error");
    assert_eq!(status("S26", ""), "noshow");
}

#[test]
fn an_appointment_ends_after_its_duration_in_the_zone() {
    let text = format!("{MSH}SIU^S12|M1|P|2.5.1\rSCH||F1|||||||45|min|^^^20240310013000\rPID|1||7");
    let appointment = only(&convert(&text), "Appointment");
    assert_eq!(appointment["start"], "2024-03-10T01:30:00-06:00");
    // The clocks go forward at two.
    assert_eq!(appointment["end"], "2024-03-10T03:15:00-05:00");
    assert_eq!(appointment["minutesDuration"].to_string(), "45");
}

#[test]
fn a_number_with_a_sign_is_a_number_and_other_text_is_text() {
    let value = |kind: &str, text: &str, units: &str| {
        let text =
            format!("{MSH}ORU^R01|M1|P|2.5.1\rPID|1||7\rOBR|1||F1|P1\rOBX|1|{kind}|A||{text}|{units}|||||F");
        let observation = only(&convert(&text), "Observation");
        let members = observation.as_object().unwrap();
        let found = members.iter().find(|(name, _)| name.starts_with("value")).unwrap();
        format!("{}={}", found.0, found.1)
    };
    assert_eq!(
        value("NM", "5.40", "mg/dL^^UCUM"),
        r#"valueQuantity={"value":5.40,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}"#
    );
    assert_eq!(value("NM", "<0.010", "mg"), r#"valueQuantity={"value":0.010,"comparator":"<","unit":"mg"}"#);
    assert_eq!(value("NM", "see note", ""), r#"valueString="see note""#);
    assert_eq!(
        value("SN", "^1^:^128", ""),
        r#"valueRatio={"numerator":{"value":1},"denominator":{"value":128}}"#
    );
    assert_eq!(
        value("SN", "^2^-^4", "g"),
        r#"valueRange={"low":{"value":2,"unit":"g"},"high":{"value":4,"unit":"g"}}"#
    );
    assert_eq!(value("SN", "<>^5", ""), r#"valueString="<> 5""#);
    assert_eq!(value("DT", "202402", ""), r#"valueDateTime="2024-02""#);
    assert_eq!(value("QX", "what", ""), r#"valueString="what""#);
}

#[test]
fn blanks_are_nothing() {
    let converted = convert(&adt("A08", "PID|1||7^^^NORTH^MR\rIN1|1||A^^^ ^ | "));
    structure::check(&converted).unwrap();
    assert_eq!(only(&converted, "Coverage")["payor"].as_array().unwrap().len(), 1);
    for organization in resources(&converted, "Organization") {
        assert!(organization.get("identifier").is_some(), "org-1: {organization}");
    }
}

#[test]
fn a_period_does_not_end_before_it_starts() {
    let visit = |start: &str, end: &str| {
        let fields = "|".repeat(42);
        let converted = convert(&adt("A01", &format!("PID|1||7^^^NORTH^MR\rPV1|1|I{fields}{start}|{end}")));
        let noted = converted.diagnostics.iter().any(|d| d.to_string().starts_with("PV1-45[1]: lies before"));
        let period = only(&converted, "Encounter")["period"].clone();
        (period["start"].is_string(), period["end"].is_string(), noted)
    };
    assert_eq!(visit("20240301", "202402291200"), (true, false, true));
    assert_eq!(visit("202403011200", "202403011159"), (true, false, true));
    assert_eq!(visit("202403011200", "202403"), (true, true, false), "as far as both are known");
    assert_eq!(visit("", "20240301"), (false, true, false));
}

#[test]
fn an_event_without_a_code_is_said_to_be_unknown() {
    let message = convert("MSH|^~\\&|PM|NORTH|EHR|NORTH|20240229103000||ADT|M1|P|2.5.1\rPID|1||7^^^NORTH^MR");
    let event = &only(&message, "MessageHeader")["eventCoding"];
    assert_eq!(event["system"], "http://terminology.hl7.org/CodeSystem/data-absent-reason");
    assert_eq!(event["code"], "unknown");
}

#[test]
fn the_profile_decides_what_the_guide_leaves_open() {
    let rest = "PID|1||7\rNK1|1|Kin^A|MTH\rAL1|1|DA|P^Penicillin^L|SV|Hives";
    let mut profile = profile();
    let both = convert_with(profile.clone(), &adt("A08", rest));
    assert_eq!(resources(&both, "RelatedPerson").len(), 1);
    assert_eq!(only(&both, "Patient")["contact"].as_array().unwrap().len(), 1);
    assert_eq!(only(&both, "AllergyIntolerance")["reaction"][0]["severity"], "severe");
    profile.next_of_kin = NextOfKin::Contact;
    profile.allergy_severity = AllergySeverity::Criticality;
    let other = convert_with(profile, &adt("A08", rest));
    assert!(resources(&other, "RelatedPerson").is_empty());
    assert_eq!(only(&other, "AllergyIntolerance")["criticality"], "high");
}

#[test]
fn time_grows_with_size_and_no_faster() {
    let message = |results: usize| {
        let mut text = format!("{MSH}ORU^R01|M1|P|2.5.1\rPID|1||7\rOBR|1||F1|P1");
        for n in 0..results {
            text.push_str(&format!("\rOBX|{n}|NM|C{n}^Name^L||{n}.5|mg|1-9|N|||F|||20240229|||D{n}^Doe"));
        }
        text
    };
    let best = |text: &str| {
        let message = Message::parse(text).unwrap();
        let converter = Converter::new(profile());
        let run = || {
            let begun = std::time::Instant::now();
            converter.convert(&message, received()).unwrap();
            begun.elapsed()
        };
        (0..3).map(|_| run()).min().unwrap()
    };
    let (small, large) = (best(&message(1_000)), best(&message(10_000)));
    assert!(large < small * 40, "ten times the message took {large:?} after {small:?}");
}
