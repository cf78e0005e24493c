//! PV1, the visit.

use bridge_hl7v2::{Segment, Value};
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, cx, dtm, msg::Event, period, pl, xcn},
    json::Json,
    messages::patient::{Diagnosis, Patient},
    report::Reason,
    segments::{prt, pv2, rol},
    tables::{
        ADMISSION_TYPE, AMBULATORY_STATUS, BED_STATUS, ENCOUNTER_CLASS, ENCOUNTER_STATUS_OF_CLASS,
        ENCOUNTER_STATUS_OF_EVENT, HOSPITAL_SERVICE, READMISSION,
    },
};

/// Whether there is a visit at all: senders fill a required PV1 with the class `N` and nothing else.
pub(crate) fn is_visit(pv1: Segment<'_>) -> bool {
    let said = |n: u32| !pv1.field(n).is_empty() && !pv1.field(n).is_null();
    match pv1.field(2).component(1).raw() {
        "" | "N" => (3..=54).any(said),
        _ => true,
    }
}

/// The Encounter's id: of the visit number (PV1-19), else of an alternate one (PV1-50), else of the patient and the
/// time of admission, else of this message.
pub(crate) fn id<'m>(c: &mut Conversion<'m>, pv1: Segment<'m>, patient: Ref) -> Uuid {
    for n in [19, 50] {
        if let Some(id) = cx::id(c, "Encounter", pv1.field(n).first()) {
            return id;
        }
    }
    if let Some(admitted) = pv1.field(44).first().content() {
        return c.id_within("Encounter", patient.id, &["PV1-44:", &admitted]);
    }
    c.note_field(pv1, 19, Reason::NoIdentifier);
    let position = pv1.position().to_string();
    c.id_in_message("Encounter", &["PV1-", &position])
}

/// Patient.extension: the importance of the person, where PV1-16 is about that.
pub(crate) fn patient_extensions<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    if !c.profile.vip_is_personal {
        return;
    }
    for pv1 in c.children(pid, &["PV1"]) {
        if let Some(vip) = c.one(pv1, 16, extension!("patient-importance")) {
            w.extension("http://hl7.org/fhir/StructureDefinition/patient-importance", |w| {
                cwe::member(c, w, "valueCodeableConcept", Some(vip), None);
            });
        }
    }
}

/// The Encounter, with what PV2, ROL, PRT and DG1 say about it.
pub(crate) fn encounter<'m>(
    c: &mut Conversion<'m>,
    pv1: Segment<'m>,
    encounter: Ref,
    patient: &Patient<'m>,
    diagnoses: &[Diagnosis],
) -> Ref {
    let pv2 = c.child(pv1, &["PV2"]);
    c.resource("Encounter", encounter.id, |c, w| {
        c.skip(pv1, &[1]);
        pv2::extensions(c, w, pv2);
        w.array("identifier", |w| {
            if let Some(number) = c.one(pv1, 19, "Encounter.identifier") {
                w.item(|w| cx::identifier(c, w, number, Some(cx::Kind::VISIT)));
            }
            let alternates = c.each(pv1, 50, "Encounter.identifier");
            cx::items(c, w, alternates);
        });
        status(c, w, pv1);
        class(c, w, pv1);
        if let Some(kind) = c.one(pv1, 4, "Encounter.type") {
            w.one("type", |w| cwe::codeable_concept(c, w, kind, Some(&ADMISSION_TYPE)));
        }
        let service = c.one(pv1, 10, "Encounter.serviceType");
        cwe::member(c, w, "serviceType", service, Some(&HOSPITAL_SERVICE));
        pv2::priority(c, w, pv2);
        patient.resource.write(w, "subject");
        episode(c, w, pv1, patient.resource);
        w.array("participant", |w| {
            participants(c, w, pv1);
            pv2::participants(c, w, pv2);
            rol::participants(c, w, pv1);
            prt::participants(c, w, pv1);
        });
        period::member(c, w, pv1, [44, 45], "Encounter.period");
        pv2::length_and_reason(c, w, pv2);
        diagnosis(w, diagnoses);
        if let Some(account) = patient.account {
            w.array("account", |w| account.item(w));
        }
        hospitalization(c, w, pv1);
        w.array("location", |w| {
            locations(c, w, pv1);
            pv2::location(c, w, pv2);
        });
    })
}

/// A visit that has ended is finished. Otherwise the event says how it stands, where it says so (an update or a
/// registration does not), and then the class.
fn status<'m>(c: &mut Conversion<'m>, w: &mut Json, pv1: Segment<'m>) {
    if c.valued(pv1, 45) {
        return w.code("status", "finished");
    }
    let event = Event::of(c.message.header().field(9).first());
    let of_event = match (event.message, event.trigger) {
        ("ADT", "A04" | "A08") => None,
        ("ADT", "A23") => Some("entered-in-error"),
        ("ADT", "A27" | "A38") => Some("cancelled"),
        ("ADT", trigger) => ENCOUNTER_STATUS_OF_EVENT.code(trigger),
        _ => None,
    };
    let class = cwe::raw_code(pv1.field(2).first());
    let of_class = || class.and_then(|class| ENCOUNTER_STATUS_OF_CLASS.code(&class));
    match of_event.or_else(of_class) {
        Some(status) => w.code("status", status),
        None => {
            c.note_field(pv1, 2, Reason::Default("Encounter.status"));
            let status = &c.profile.defaults.encounter_status;
            w.text("status", status);
        }
    }
}

fn class<'m>(c: &mut Conversion<'m>, w: &mut Json, pv1: Segment<'m>) {
    let said = match c.one(pv1, 2, "Encounter.class") {
        Some(class) => w.object("class", |w| cwe::coding(c, w, class, Some(&ENCOUNTER_CLASS))),
        None => false,
    };
    if !said {
        c.note_field(pv1, 2, Reason::Default("Encounter.class"));
        w.object("class", |w| {
            w.code("system", "http://terminology.hl7.org/CodeSystem/v3-ActCode");
            w.text("code", &c.profile.defaults.encounter_class);
        });
    }
}

/// Who takes part, and as what.
const PARTICIPANTS: [(u32, &str, &str); 5] = [
    (7, "ATND", "attender"),
    (8, "REF", "referrer"),
    (9, "CON", "consultant"),
    (17, "ADM", "admitter"),
    (52, "PART", "Participation"),
];

fn participants<'m>(c: &mut Conversion<'m>, w: &mut Json, pv1: Segment<'m>) {
    for (n, code, text) in PARTICIPANTS {
        for value in c.each(pv1, n, "Encounter.participant") {
            participant(c, w, value, code, text);
        }
    }
}

pub(crate) fn participant<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    value: Value<'m>,
    code: &str,
    text: &str,
) {
    let Some(practitioner) = xcn::practitioner(c, value) else { return };
    w.item(|w| {
        w.one("type", |w| {
            w.one("coding", |w| {
                w.code("system", "http://terminology.hl7.org/CodeSystem/v3-ParticipationType");
                w.code("code", code);
                if text == "attender" {
                    w.code("display", text);
                }
            });
            if text != "attender" {
                w.code("text", text);
            }
        });
        practitioner.write(w, "individual");
    });
}

fn diagnosis(w: &mut Json, diagnoses: &[Diagnosis]) {
    w.array("diagnosis", |w| {
        for diagnosis in diagnoses {
            w.item(|w| diagnosis.members(w));
        }
    });
}

fn hospitalization<'m>(c: &mut Conversion<'m>, w: &mut Json, pv1: Segment<'m>) {
    w.object("hospitalization", |w| {
        if let Some(number) = c.one(pv1, 5, "Encounter.hospitalization.preAdmissionIdentifier") {
            w.object("preAdmissionIdentifier", |w| cx::identifier(c, w, number, None));
        }
        let source = c.one(pv1, 14, "Encounter.hospitalization.admitSource");
        cwe::member(c, w, "admitSource", source, None);
        let readmission = c.one(pv1, 13, "Encounter.hospitalization.reAdmission");
        cwe::member(c, w, "reAdmission", readmission, Some(&READMISSION));
        for (n, key, path, table) in [
            (38, "dietPreference", "Encounter.hospitalization.dietPreference", None),
            (16, "specialCourtesy", "Encounter.hospitalization.specialCourtesy", None),
            (
                15,
                "specialArrangement",
                "Encounter.hospitalization.specialArrangement",
                Some(&AMBULATORY_STATUS),
            ),
        ] {
            w.array(key, |w| {
                let values = c.each(pv1, n, path);
                cwe::items(c, w, values, table);
            });
        }
        if let Some(place) = c.one(pv1, 37, "Encounter.hospitalization.destination")
            && let Some(location) = discharge_location(c, place)
        {
            location.write(w, "destination");
        }
        let disposition = c.one(pv1, 36, "Encounter.hospitalization.dischargeDisposition");
        cwe::member(c, w, "dischargeDisposition", disposition, None);
    });
}

/// DLD: a kind of place rather than a place, so a Location of that type.
fn discharge_location<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Ref> {
    let kind = value.part(1);
    if kind.content().is_none() {
        c.note(value, Reason::Lacks("a kind of place"));
        return None;
    }
    if let Some(at) = Some(value.part(2)).filter(|at| at.content().is_some()) {
        c.note(at, Reason::NotMapped);
    }
    let id = c.id("Location", &["DLD"], &[kind.raw()]);
    Some(c.resource("Location", id, |c, w| {
        w.code("mode", "kind");
        w.one("type", |w| cwe::codeable_concept(c, w, kind, None));
    }))
}

/// The places of a stay: field, status, and whether it is a temporary one.
fn locations<'m>(c: &mut Conversion<'m>, w: &mut Json, pv1: Segment<'m>) {
    let preadmit = pv1.field(2).component(1).raw() == "P";
    for (n, status) in
        [(3, if preadmit { "planned" } else { "active" }), (6, "completed"), (11, "active"), (42, "reserved")]
    {
        let Some(value) = c.one(pv1, n, "Encounter.location") else { continue };
        let bed = (n == 3).then(|| c.one(pv1, 40, "Location.operationalStatus")).flatten();
        let Some(location) = pl::location(c, value, |c, w| operational_status(c, w, bed)) else { continue };
        w.item(|w| {
            if n == 11 {
                w.one_extension(
                    "http://hl7.org/fhir/StructureDefinition/subject-locationClassification",
                    |w| {
                        w.object("valueCodeableConcept", |w| {
                            w.one("coding", |w| {
                                w.code("system", "http://hl7.org/fhir/ValueSet/subject-location");
                                w.code("code", "temporary");
                            });
                        });
                    },
                );
            }
            location.write(w, "location");
            w.code("status", status);
        });
    }
}

fn operational_status<'m>(c: &mut Conversion<'m>, w: &mut Json, status: Option<Value<'m>>) {
    let Some(status) = status else { return };
    match BED_STATUS.code(status.part(1).raw()) {
        Some(code) => {
            w.object("operationalStatus", |w| {
                w.text("system", BED_STATUS.own_system());
                w.code("code", code);
            });
        }
        None => c.note(status, Reason::NoCode),
    }
}

/// The EpisodeOfCare of PV1-54, described by PV1-53.
fn episode<'m>(c: &mut Conversion<'m>, w: &mut Json, pv1: Segment<'m>, patient: Ref) {
    let Some(number) = c.one(pv1, 54, "Encounter.episodeOfCare") else {
        return;
    };
    let Some(id) = cx::needed_id(c, "EpisodeOfCare", number) else { return };
    let episode = c.resource("EpisodeOfCare", id, |c, w| {
        if let Some(text) = c.text(pv1, 53, "EpisodeOfCare.extension") {
            w.one_extension("http://hl7.org/fhir/StructureDefinition/resource-instance-description", |w| {
                w.text("valueMarkdown", &text);
            });
        }
        w.one("identifier", |w| cx::identifier(c, w, number, None));
        w.text("status", &c.profile.defaults.episode_status);
        patient.write(w, "patient");
    });
    w.array("episodeOfCare", |w| episode.item(w));
}

/// The Coverage of a financial class (PV1-20), for senders that send no IN1.
pub(crate) fn coverages<'m>(c: &mut Conversion<'m>, pv1: Segment<'m>, patient: Ref) -> Vec<Ref> {
    let classes = c.each(pv1, 20, "Coverage.type");
    classes.filter_map(|class| coverage(c, class, patient)).collect()
}

fn coverage<'m>(c: &mut Conversion<'m>, class: Value<'m>, patient: Ref) -> Option<Ref> {
    let code = class.part(1);
    if code.content().is_none() {
        c.note(class, Reason::Lacks("a class"));
        return None;
    }
    for further in class.parts().skip(2).filter(|part| part.content().is_some()) {
        c.note(further, Reason::NotMapped);
    }
    let id = c.id_within("Coverage", patient.id, &["PV1-20:", code.raw()]);
    Some(c.resource("Coverage", id, |c, w| {
        w.text("status", &c.profile.defaults.coverage_status);
        w.object("type", |w| cwe::codeable_concept(c, w, code, None));
        patient.write(w, "beneficiary");
        w.object("period", |w| dtm::date_time(c, w, "start", class.part(2)));
        // Who pays is required, and a financial class does not say.
        w.one("payor", |w| {
            w.one_extension("http://hl7.org/fhir/StructureDefinition/data-absent-reason", |w| {
                w.code("valueCode", "unknown");
            });
        });
    }))
}

/// The Basic that keeps where the patient was last time (PV1-43), for which R4 has no resource.
pub(crate) fn history<'m>(c: &mut Conversion<'m>, pv1: Segment<'m>, encounter: Ref, patient: Ref) {
    let Some(value) = c.one(pv1, 43, "Basic.extension") else { return };
    let Some(location) = pl::location(c, value, |_, _| {}) else { return };
    let id = c.id_within("Basic", encounter.id, &["PV1-43"]);
    c.resource("Basic", id, |_, w| {
        w.one_extension(
            "http://hl7.org/fhir/5.0/StructureDefinition/extension-EncounterHistory.location",
            |w| {
                w.array("extension", |w| {
                    w.extension("location", |w| {
                        location.write(w, "valueReference");
                    });
                    w.extension("status", |w| {
                        w.code("valueCode", "completed");
                    });
                });
            },
        );
        w.object("code", |w| w.code("text", "EncounterHistory"));
        patient.write(w, "subject");
    });
}
