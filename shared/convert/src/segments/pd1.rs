//! PD1, more about the patient.

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, xcn, xon},
    json::Json,
    tables::LIVING_WILL,
};

/// Patient.extension: disability and congregation.
pub(crate) fn extensions<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    for pd1 in c.children(pid, &["PD1"]) {
        if let Some(disability) = c.one(pd1, 6, extension!("patient-disability")) {
            w.extension("http://hl7.org/fhir/StructureDefinition/patient-disability", |w| {
                cwe::member(c, w, "valueCodeableConcept", Some(disability), None);
            });
        }
        for place in c.each(pd1, 14, extension!("patient-congregation")) {
            if let Some(name) = xon::string(c, place) {
                w.extension("http://hl7.org/fhir/StructureDefinition/patient-congregation", |w| {
                    w.text("valueString", &name);
                });
            }
        }
    }
}

/// Patient.generalPractitioner: primary facilities and providers.
pub(crate) fn general_practitioners<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    for pd1 in c.children(pid, &["PD1"]) {
        for facility in c.each(pd1, 3, "Patient.generalPractitioner") {
            if let Some(organization) = xon::organization(c, facility) {
                organization.item(w);
            }
        }
        let providers = c.each(pd1, 4, "Patient.generalPractitioner");
        xcn::practitioner_items(c, w, providers);
    }
}

/// The Observation that there is, or is no, living will (PD1-7).
pub(crate) fn living_will<'m>(c: &mut Conversion<'m>, pid: Segment<'m>, patient: Ref) {
    for pd1 in c.children(pid, &["PD1"]) {
        let Some(code) = c.one(pd1, 7, "Observation.value") else { continue };
        let id = c.id_within("Observation", patient.id, &["living-will"]);
        c.resource("Observation", id, |c, w| {
            w.code("status", "final");
            w.object("code", |w| {
                w.one("coding", |w| {
                    w.code("system", "http://loinc.org");
                    w.code("code", "45473-6");
                });
                w.code("text", "living will");
            });
            patient.write(w, "subject");
            cwe::member(c, w, "valueCodeableConcept", Some(code), Some(&LIVING_WILL));
        });
    }
}
