//! The DiagnosticReport on an order.

use bridge_hl7v2::Segment;

use super::effective;
use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, dtm, ndl},
    json::Json,
    messages::order::Order,
    report::Reason,
    segments::{nte, orc},
    tables::{DIAGNOSTIC_SECTION, REPORT_STATUS},
};

/// What a DiagnosticReport refers to.
pub(crate) struct Around<'a> {
    pub(crate) patient: Option<Ref>,
    pub(crate) encounter: Option<Ref>,
    pub(crate) request: Ref,
    pub(crate) specimens: &'a [Ref],
    pub(crate) results: &'a [Ref],
    /// From PRT: who performed, who interpreted.
    pub(crate) performers: &'a [Ref],
    pub(crate) interpreters: &'a [Ref],
}

/// The DiagnosticReport on an order.
pub(crate) fn diagnostic_report<'m>(
    c: &mut Conversion<'m>,
    order: &Order<'m>,
    id: uuid::Uuid,
    around: &Around<'_>,
) -> Ref {
    c.resource("DiagnosticReport", id, |c, w| {
        orc::security(c, w, order.orc);
        w.array("extension", |w| {
            orc::report_extensions(c, w, order.orc);
            notes(c, w, order);
        });
        w.array("identifier", |w| {
            orc::order_numbers(c, w, order);
            orc::group_numbers(c, w, order.orc, true);
        });
        w.array("basedOn", |w| around.request.item(w));
        report_status(c, w, order);
        category_and_code(c, w, order.obr);
        if let Some(patient) = around.patient {
            patient.write(w, "subject");
        }
        if let Some(encounter) = around.encounter {
            encounter.write(w, "encounter");
        }
        if let Some(obr) = order.obr {
            effective(c, w, obr, ["effectiveDateTime", "effectivePeriod"], "DiagnosticReport.effective");
            if let Some(issued) = c.one(obr, 22, "DiagnosticReport.issued") {
                dtm::instant(c, w, "issued", issued);
            }
        }
        w.array("performer", |w| {
            around.performers.iter().for_each(|performer| performer.item(w));
            if let Some(obr) = order.obr {
                performers(c, w, obr);
            }
        });
        w.array("resultsInterpreter", |w| {
            around.interpreters.iter().for_each(|interpreter| interpreter.item(w));
            if let Some(obr) = order.obr {
                for value in c.each(obr, 32, "DiagnosticReport.resultsInterpreter") {
                    if let Some(role) = ndl::practitioner_role(c, value) {
                        role.item(w);
                    }
                }
            }
        });
        w.array("specimen", |w| around.specimens.iter().for_each(|specimen| specimen.item(w)));
        w.array("result", |w| around.results.iter().for_each(|result| result.item(w)));
    })
}

/// NTE after the OBR: R4's DiagnosticReport has no `note`; R5's has, and its extension carries it.
fn notes<'m>(c: &mut Conversion<'m>, w: &mut Json, order: &Order<'m>) {
    for segment in [order.orc, order.obr].into_iter().flatten() {
        for comment in c.children(segment, &["NTE"]) {
            c.skip(comment, &[1, 2]);
            w.extension("http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.note", |w| {
                w.object("valueAnnotation", |w| nte::annotation_members(c, w, comment));
            });
        }
    }
}

/// OBR-25. Codes of table 0123 the guide leaves open are read by their meaning.
fn report_status<'m>(c: &mut Conversion<'m>, w: &mut Json, order: &Order<'m>) {
    let sent = order.obr.and_then(|obr| c.one(obr, 25, "DiagnosticReport.status"));
    let code = sent.map(|value| value.part(1).raw().trim());
    let known = code.and_then(|code| REPORT_STATUS.code(code)).or(match code {
        Some("A") => Some("partial"),
        Some("M") => Some("preliminary"),
        Some("N") => Some("registered"),
        _ => None,
    });
    match known {
        Some(status) => w.code("status", status),
        None => {
            match (sent, order.obr) {
                (Some(sent), _) => c.note(sent, Reason::NoCode),
                (None, Some(obr)) => c.note_field(obr, 25, Reason::Default("DiagnosticReport.status")),
                (None, None) => {}
            }
            w.text("status", &c.profile.defaults.report_status);
        }
    }
}

fn category_and_code<'m>(c: &mut Conversion<'m>, w: &mut Json, obr: Option<Segment<'m>>) {
    let section = obr.and_then(|obr| c.one(obr, 24, "DiagnosticReport.category"));
    if let Some(section) = section {
        w.one("category", |w| cwe::codeable_concept(c, w, section, Some(&DIAGNOSTIC_SECTION)));
    }
    let code = obr.and_then(|obr| c.one(obr, 4, "DiagnosticReport.code"));
    let said = match code {
        Some(code) => w.object("code", |w| cwe::codeable_concept(c, w, code, None)),
        None => false,
    };
    if !said {
        if let Some(obr) = obr {
            c.note_field(obr, 4, Reason::Default("DiagnosticReport.code"));
        }
        unknown_code(w);
    }
}

/// `code` where it is required and nothing says it.
pub(crate) fn unknown_code(w: &mut Json) {
    w.object("code", |w| {
        w.one("coding", |w| {
            w.code("system", "http://terminology.hl7.org/CodeSystem/data-absent-reason");
            w.code("code", "unknown");
        });
    });
}

/// Assistants and transcriptionists, whose function an extension tells.
fn performers<'m>(c: &mut Conversion<'m>, w: &mut Json, obr: Segment<'m>) {
    for (n, function) in [(34, "SPRF"), (35, "TRANS")] {
        for value in c.each(obr, n, "DiagnosticReport.performer") {
            let Some(role) = ndl::practitioner_role(c, value) else { continue };
            w.item(|w| {
                w.one_extension("http://hl7.org/fhir/StructureDefinition/event-performerFunction", |w| {
                    w.object("valueCodeableConcept", |w| {
                        w.one("coding", |w| {
                            w.code("system", "http://terminology.hl7.org/CodeSystem/v3-ParticipationType");
                            w.code("code", function);
                        });
                    });
                });
                w.reference_member(role.kind, role.id);
            });
        }
    }
}
