//! Encounter to PV1.

use super::{
    Writing,
    datatypes::{cwe, cx, dtm, of_type, pl, xcn},
    node::Node,
    segment,
};
use crate::tables::{
    ADMISSION_TYPE, AMBULATORY_STATUS, ENCOUNTER_CLASS, HOSPITAL_SERVICE, READMISSION, Table,
};

const USED: &[&str] = &[
    "identifier",
    "status",
    "class",
    "type",
    "serviceType",
    "subject",
    "participant",
    "period",
    "hospitalization",
    "location",
    "diagnosis",
    "account",
];

/// PV1 of an Encounter.
pub(super) fn pv1<'a>(writing: &mut Writing<'a>, encounter: Node<'a>) {
    let mut pv1 = segment("PV1");
    let class = encounter.get("class");
    let own = class.text("system") == ENCOUNTER_CLASS.own_system();
    let code = class.text("code");
    pv1.set(1, "1").set(2, if own { code } else { ENCOUNTER_CLASS.v2(code).unwrap_or(code) });
    for place in encounter.each("location") {
        let temporary = place.first("extension").is_there();
        let n = match place.text("status") {
            _ if temporary => 11,
            "completed" => 6,
            "reserved" => 42,
            _ => 3,
        };
        let location = writing.follow(place.get("location"));
        pv1.set(n, pl(writing, location));
    }
    pv1.set(4, cwe(writing, encounter.first("type"), Some(&ADMISSION_TYPE)));
    let stay = encounter.get("hospitalization");
    let preadmission = stay.get("preAdmissionIdentifier");
    if preadmission.is_there() {
        pv1.set(5, cx(writing, preadmission));
    }
    for participant in encounter.each("participant") {
        let role =
            participant.first("type").code_of("http://terminology.hl7.org/CodeSystem/v3-ParticipationType");
        let n = match role {
            "ATND" => 7,
            "REF" => 8,
            "CON" => 9,
            "ADM" => 17,
            _ => continue,
        };
        let person = writing.follow(participant.get("individual"));
        pv1.push(n, xcn(writing, person));
    }
    pv1.set(10, cwe(writing, encounter.get("serviceType"), Some(&HOSPITAL_SERVICE)));
    let concepts: [(usize, &str, Option<&'static Table>); 6] = [
        (13, "reAdmission", Some(&READMISSION)),
        (14, "admitSource", None),
        (15, "specialArrangement", Some(&AMBULATORY_STATUS)),
        (16, "specialCourtesy", None),
        (36, "dischargeDisposition", None),
        (38, "dietPreference", None),
    ];
    for (n, name, table) in concepts {
        for concept in stay.each(name) {
            pv1.push(n, cwe(writing, concept, table));
        }
    }
    let number = of_type(encounter, "VN");
    let number = if number.is_there() { number } else { encounter.first("identifier") };
    if number.is_there() {
        pv1.set(19, cx(writing, number));
    }
    let period = encounter.get("period");
    pv1.set(44, dtm(period.text("start"))).set(45, dtm(period.text("end")));
    writing.add(pv1);
    writing.note_unused(encounter, USED);
}
