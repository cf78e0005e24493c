//! PID, the patient.

use bridge_hl7v2::{Segment, Value, time::Precision};
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, cx, dln, dtm, hd, nm, xad, xpn, xtn},
    json::Json,
    messages::patient::Patient,
    report::Reason,
    segments::{msh, nk1, pd1, prt, pv1, rol},
    tables::{ADMINISTRATIVE_SEX, MARITAL_STATUS, RELIGION},
};

/// The Patient's id: of the best identifier in PID-3 (see [`crate::Profile::patient_id_types`]), else of PID-2, PID-4
/// or PID-18, else of this message.
pub(crate) fn id<'m>(c: &mut Conversion<'m>, pid: Segment<'m>) -> Uuid {
    if let Some(id) = best(c, pid.field(3).filled()).and_then(|cx| cx::id(c, "Patient", cx)) {
        return id;
    }
    for n in [2, 4] {
        if let Some(id) = cx::id(c, "Patient", pid.field(n).first()) {
            return id;
        }
    }
    c.note_field(pid, 3, Reason::NoIdentifier);
    if let Some(account) = cx::id(c, "Account", pid.field(18).first()) {
        return c.id_within("Patient", account, &["holder"]);
    }
    let position = pid.position().to_string();
    c.id_in_message("Patient", &["PID-", &position])
}

/// The identifier that names the patient, among those that hold one.
pub(crate) fn best<'m>(
    c: &Conversion<'m>,
    identifiers: impl Iterator<Item = Value<'m>> + Clone,
) -> Option<Value<'m>> {
    let mut held = identifiers.filter(|cx| cx.part(1).content().is_some());
    let preferred = c.profile.patient_id_types.iter();
    let mut preferred = preferred.filter_map(|kind| held.clone().find(|cx| cx.part(5).raw() == kind));
    preferred.next().or_else(|| held.next())
}

/// The Patient, with what PD1, NK1, PV1, ROL and PRT say about the person.
pub(crate) fn patient<'m>(c: &mut Conversion<'m>, patient: &Patient<'m>) -> Ref {
    let pid = patient.pid;
    c.resource("Patient", patient.resource.id, |c, w| {
        c.skip(pid, &[1]);
        extensions(c, w, patient);
        identifiers(c, w, pid);
        if patient.inactive {
            w.boolean("active", false);
        }
        w.array("name", |w| {
            let (names, aliases) = (c.each(pid, 5, "Patient.name"), c.each(pid, 9, "Patient.name"));
            xpn::items(c, w, names);
            xpn::items(c, w, aliases);
        });
        w.array("telecom", |w| {
            for (n, default_use, path) in TELECOMS {
                let values = c.each(pid, n, path);
                xtn::items(c, w, values, default_use);
            }
        });
        if let Some(sex) = c.one(pid, 8, "Patient.gender")
            && let Some(code) = cwe::code(c, sex, &ADMINISTRATIVE_SEX)
        {
            w.code("gender", code);
        }
        birth(c, w, pid);
        deceased(c, w, pid);
        addresses(c, w, pid);
        let marital = c.one(pid, 16, "Patient.maritalStatus");
        cwe::member(c, w, "maritalStatus", marital, Some(&MARITAL_STATUS));
        multiple_birth(c, w, pid);
        w.array("contact", |w| nk1::contacts(c, w, pid));
        if let Some(language) = c.one(pid, 15, "Patient.communication") {
            w.one("communication", |w| cwe::member(c, w, "language", Some(language), None));
        }
        w.array("generalPractitioner", |w| {
            pd1::general_practitioners(c, w, pid);
            rol::general_practitioners(c, w, pid);
            prt::general_practitioners(c, w, pid);
        });
        w.array("link", |w| {
            for (other, kind) in &patient.links {
                w.item(|w| {
                    other.write(w, "other");
                    w.code("type", kind);
                });
            }
        });
    })
}

const TELECOMS: [(u32, &str, &str); 3] = [
    (13, "home", "Patient.telecom.where(use = 'home')"),
    (14, "work", "Patient.telecom.where(use = 'work')"),
    (40, "", "Patient.telecom"),
];

fn identifiers<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    w.array("identifier", |w| {
        for n in [2, 3, 4] {
            let values = c.each(pid, n, "Patient.identifier");
            cx::items(c, w, values);
        }
        if let Some(ssn) = c.text(pid, 19, "Patient.identifier.where(type.coding.code = 'SS')") {
            national_id(c, w, &ssn);
        }
        if let Some(license) = c.one(pid, 20, "Patient.identifier.where(type.coding.code = 'DL')") {
            w.item(|w| dln::identifier(c, w, license));
        }
    });
}

/// An Identifier for fields that hold the number of a person in their country and say no more.
pub(crate) fn national_id(c: &Conversion<'_>, w: &mut Json, number: &str) {
    let national = &c.profile.national_id;
    w.item(|w| {
        w.object("type", |w| {
            w.one("coding", |w| {
                w.code("system", "http://terminology.hl7.org/CodeSystem/v2-0203");
                w.text("code", &national.type_code);
            });
        });
        w.text("system", &national.system);
        w.text("value", number);
    });
}

fn extensions<'m>(c: &mut Conversion<'m>, w: &mut Json, patient: &Patient<'m>) {
    let pid = patient.pid;
    w.array("extension", |w| {
        for name in c.each(pid, 6, extension!("patient-mothersMaidenName")) {
            let text = xpn::text(name);
            if text.is_empty() {
                c.note(name, Reason::Lacks("a name"));
                continue;
            }
            w.extension("http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName", |w| {
                w.text("valueString", &text);
            });
        }
        if let Some(religion) = c.one(pid, 17, extension!("patient-religion")) {
            w.extension("http://hl7.org/fhir/StructureDefinition/patient-religion", |w| {
                cwe::member(c, w, "valueCodeableConcept", Some(religion), Some(&RELIGION));
            });
        }
        if let Some(place) = c.text(pid, 23, extension!("patient-birthPlace")) {
            w.extension("http://hl7.org/fhir/StructureDefinition/patient-birthPlace", |w| {
                w.object("valueAddress", |w| w.text("text", &place));
            });
        }
        for (n, url, path) in [
            (
                26,
                "http://hl7.org/fhir/StructureDefinition/patient-citizenship",
                extension!("patient-citizenship"),
            ),
            (
                28,
                "http://hl7.org/fhir/StructureDefinition/patient-nationality",
                extension!("patient-nationality"),
            ),
            (
                39,
                "http://hl7.org/fhir/StructureDefinition/patient-citizenship",
                extension!("patient-citizenship"),
            ),
        ] {
            for country in c.each(pid, n, path) {
                w.extension(url, |w| {
                    w.one_extension("code", |w| {
                        cwe::member(c, w, "valueCodeableConcept", Some(country), None);
                    });
                });
            }
        }
        animal(c, w, pid);
        pd1::extensions(c, w, pid);
        pv1::patient_extensions(c, w, pid);
    });
}

fn animal<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    let species = c.one(pid, 35, extension!("patient-animal"));
    let breed = c.one(pid, 36, extension!("patient-animal"));
    if species.is_none() {
        // The extension requires a species.
        if let Some(breed) = breed {
            c.note(breed, Reason::Lacks("PID-35"));
        }
        return;
    }
    w.extension("http://hl7.org/fhir/StructureDefinition/patient-animal", |w| {
        w.array("extension", |w| {
            for (url, value) in [("species", species), ("breed", breed)] {
                if let Some(value) = value {
                    w.extension(url, |w| {
                        cwe::member(c, w, "valueCodeableConcept", Some(value), None);
                    });
                }
            }
        });
    });
}

fn birth<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    let Some(value) = c.one(pid, 7, "Patient.birthDate") else { return };
    let Some(dtm) = dtm::date(c, w, "birthDate", value) else { return };
    if dtm.precision() >= Precision::Hour {
        w.object("_birthDate", |w| {
            w.one_extension("http://hl7.org/fhir/StructureDefinition/patient-birthTime", |w| {
                dtm::date_time(c, w, "valueDateTime", value);
            });
        });
    }
}

/// The time of death says that there was one; the indicator is for when nobody knows the time.
fn deceased<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    let at = w.mark();
    if let Some(death) = c.one(pid, 29, "Patient.deceased") {
        dtm::date_time(c, w, "deceasedDateTime", death);
    }
    if w.since(at) {
        c.field(pid, 30);
    } else if let Some(dead) = c.one(pid, 30, "Patient.deceased") {
        yes_no(c, w, "deceasedBoolean", dead);
    }
}

fn multiple_birth<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    let at = w.mark();
    if let Some(order) = c.one(pid, 25, "Patient.multipleBirth") {
        nm::integer_member(c, w, "multipleBirthInteger", order, 1);
    }
    if w.since(at) {
        c.field(pid, 24);
    } else if let Some(multiple) = c.one(pid, 24, "Patient.multipleBirth") {
        yes_no(c, w, "multipleBirthBoolean", multiple);
    }
}

/// Table 0136.
pub(crate) fn yes_no<'m>(c: &mut Conversion<'m>, w: &mut Json, key: &str, value: Value<'m>) {
    match value.part(1).raw().trim() {
        "Y" | "y" => w.boolean(key, true),
        "N" | "n" => w.boolean(key, false),
        _ => c.note(value, Reason::NoCode),
    }
}

/// PID-12 is the county of the one address there is, or of none in particular: then it is an address of its own.
fn addresses<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    w.array("address", |w| {
        let addresses = c.each(pid, 11, "Patient.address");
        let county = c.text(pid, 12, "Patient.address.district");
        let count = addresses.clone().count();
        let only = addresses.clone().next().filter(|_| count == 1);
        let fits = only.is_some_and(|xad| xad.part(9).is_empty());
        for address in addresses {
            w.item(|w| xad::address(c, w, address, county.as_deref().filter(|_| fits)));
        }
        if let Some(county) = county.filter(|_| !fits) {
            let said = only.and_then(|xad| cwe::string(xad.part(9))).is_some_and(|said| said == county);
            if !said {
                w.item(|w| w.text("district", &county));
            }
        }
    });
}

/// The Provenance of the patient's last update (PID-33, PID-34).
pub(crate) fn provenance<'m>(c: &mut Conversion<'m>, patient: &Patient<'m>) {
    let pid = patient.pid;
    if !c.valued(pid, 33) || !c.valued(pid, 34) {
        for (n, other) in [(33, "PID-34"), (34, "PID-33")] {
            if c.valued(pid, n) {
                c.note_field(pid, n, Reason::Lacks(other));
            }
        }
        return;
    }
    let at = pid.field(33).raw();
    let id = c.id_within("Provenance", patient.resource.id, &["PID-33:", at]);
    c.resource("Provenance", id, |c, w| {
        w.array("target", |w| patient.resource.item(w));
        if let Some(occurred) = c.one(pid, 33, "Provenance.occurred") {
            dtm::date_time(c, w, "occurredDateTime", occurred);
        }
        dtm::own_instant(w, "recorded", c.received);
        w.object("activity", |w| {
            w.one("coding", |w| {
                w.code("system", "http://terminology.hl7.org/CodeSystem/v3-DataOperation");
                w.code("code", "UPDATE");
            });
        });
        w.one("agent", |w| {
            agent_type(w, "performer");
            let facility = c.one(pid, 34, "Provenance.agent");
            match facility.and_then(|facility| hd::organization(c, facility)) {
                Some(organization) => organization.write(w, "who"),
                None => msh::unknown_agent(w),
            }
        });
    });
}

/// `type` of a Provenance.agent.
pub(crate) fn agent_type(w: &mut Json, code: &str) {
    w.object("type", |w| agent_type_coding(w, code));
}

/// A CodeableConcept of the types of participants in a Provenance.
pub(crate) fn agent_type_coding(w: &mut Json, code: &str) {
    w.one("coding", |w| {
        w.code("system", "http://terminology.hl7.org/CodeSystem/provenance-participant-type");
        w.code("code", code);
    });
}

/// The RelatedPerson of each of the mother's identifiers (PID-21).
pub(crate) fn mothers<'m>(c: &mut Conversion<'m>, patient: &Patient<'m>) {
    for value in c.each(patient.pid, 21, "Patient.link") {
        cx::mother(c, value, patient.resource);
    }
}
