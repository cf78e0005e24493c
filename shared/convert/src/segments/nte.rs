//! NTE, notes and comments on what stands before them.

use bridge_hl7v2::Segment;

use crate::{
    conversion::Conversion,
    datatypes::{cwe, dtm, xcn},
    json::Json,
};

/// An Annotation, as an element of `note`: the repetitions of NTE-3 are its lines.
pub(crate) fn annotation<'m>(c: &mut Conversion<'m>, w: &mut Json, nte: Segment<'m>) {
    // NTE-2 is who said so in a code without people in it (L, P, O); NTE-5 names them.
    c.skip(nte, &[1, 2]);
    w.item(|w| annotation_members(c, w, nte));
}

pub(crate) fn annotation_members<'m>(c: &mut Conversion<'m>, w: &mut Json, nte: Segment<'m>) {
    let lines: Vec<_> = c.each(nte, 3, "Observation.note").map(|line| line.text()).collect();
    let text = lines.join("\n");
    if text.trim().is_empty() {
        // An Annotation needs its text: a note of nothing is nothing.
        return;
    }
    if let Some(author) = c.one(nte, 5, "Annotation.author")
        && let Some(practitioner) = xcn::practitioner(c, author)
    {
        practitioner.write(w, "authorReference");
    }
    if let Some(entered) = c.one(nte, 6, "Annotation.time") {
        dtm::date_time(c, w, "time", entered);
    }
    w.text("text", &text);
}

/// An element of `extension` that carries an Annotation, for Appointment, which has no `note` in R4.
pub(crate) fn appointment_extension<'m>(c: &mut Conversion<'m>, w: &mut Json, nte: Segment<'m>) {
    c.skip(nte, &[1, 2]);
    let lines = c.each(nte, 3, "Appointment.extension").any(|line| !line.raw().trim().is_empty());
    if !lines {
        return;
    }
    w.extension("http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.note", |w| {
        w.object("valueAnnotation", |w| {
            w.array("extension", |w| {
                if let Some(kind) = c.one(nte, 4, "Appointment.extension") {
                    w.extension("http://hl7.org/fhir/StructureDefinition/annotationType", |w| {
                        cwe::member(c, w, "valueCodeableConcept", Some(kind), None);
                    });
                }
                for code in c.each(nte, 9, "Appointment.extension") {
                    w.extension("http://hl7.org/fhir/StructureDefinition/alternate-codes", |w| {
                        cwe::member(c, w, "valueCodeableConcept", Some(code), None);
                    });
                }
            });
            annotation_members(c, w, nte);
        });
    });
}
