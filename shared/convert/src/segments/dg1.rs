//! DG1, a diagnosis.

use bridge_hl7v2::Segment;
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, dtm, ei, nm, xcn},
    json::Json,
    messages::patient::Diagnosis,
    report::Reason,
    tables::DIAGNOSIS_TYPE,
};

/// The Condition of one DG1, and how the visit refers to it.
pub(crate) fn condition<'m>(
    c: &mut Conversion<'m>,
    dg1: Segment<'m>,
    patient: Ref,
    encounter: Option<Ref>,
) -> Diagnosis {
    let id = id(c, dg1, patient, encounter);
    let id = c.fresh("Condition", id);
    let condition = c.resource("Condition", id, |c, w| {
        // DG1-2 names the coding method, which DG1-3 does itself since v2.3.
        c.skip(dg1, &[1]);
        extensions(c, w, dg1);
        if let Some(identifier) = c.one(dg1, 20, "Condition.identifier") {
            w.one("identifier", |w| ei::identifier(c, w, identifier, None));
        }
        verification(c, w, dg1);
        code(c, w, dg1);
        patient.write(w, "subject");
        if let Some(encounter) = encounter {
            encounter.write(w, "encounter");
        }
        if let Some(onset) = c.one(dg1, 5, "Condition.onset") {
            dtm::date_time(c, w, "onsetDateTime", onset);
        }
        if let Some(recorded) = c.one(dg1, 19, "Condition.recordedDate") {
            dtm::date_time(c, w, "recordedDate", recorded);
        }
        if let Some(asserter) = c.one(dg1, 16, "Condition.asserter")
            && let Some(practitioner) = xcn::practitioner(c, asserter)
        {
            practitioner.write(w, "asserter");
        }
    });
    if encounter.is_none() {
        // The role and the rank are a diagnosis's in a visit.
        for n in [6, 15].into_iter().filter(|n| !dg1.field(*n).is_empty()) {
            c.note_field(dg1, n, Reason::Lacks("PV1"));
        }
        return Diagnosis { condition, role: None, rank: None };
    }
    Diagnosis { condition, role: role(c, dg1), rank: rank(c, dg1) }
}

/// By DG1-20; else by code (or text), date and place under the visit or the patient.
fn id<'m>(c: &mut Conversion<'m>, dg1: Segment<'m>, patient: Ref, encounter: Option<Ref>) -> Uuid {
    if let Some(id) = ei::id(c, "Condition", dg1.field(20).first()) {
        return id;
    }
    let [code, text, kind] = [dg1.field(3).component(1), dg1.field(4).first(), dg1.field(6).component(1)];
    let owner = encounter.unwrap_or(patient).id;
    c.id_within("Condition", owner, &["DG1:", code.raw(), "|", text.raw(), "|", kind.raw()])
}

fn extensions<'m>(c: &mut Conversion<'m>, w: &mut Json, dg1: Segment<'m>) {
    w.array("extension", |w| {
        if let Some(asserted) = c.one(dg1, 19, "Condition.extension") {
            w.extension("http://hl7.org/fhir/StructureDefinition/condition-assertedDate", |w| {
                dtm::date_time(c, w, "valueDateTime", asserted);
            });
        }
        if let Some(parent) = c.one(dg1, 22, "Condition.extension") {
            w.extension("http://hl7.org/fhir/StructureDefinition/condition-dueTo", |w| {
                w.object("valueReference", |w| {
                    w.code("type", "Condition");
                    w.object("identifier", |w| ei::identifier(c, w, parent, None));
                });
            });
        }
    });
}

/// DG1-21: only a deletion says something FHIR has a word for.
fn verification<'m>(c: &mut Conversion<'m>, w: &mut Json, dg1: Segment<'m>) {
    let Some(action) = c.one(dg1, 21, "Condition.verificationStatus") else { return };
    if !matches!(action.raw().trim(), "A" | "U" | "D" | "X") {
        c.note(action, Reason::NoCode);
    }
    if action.raw().trim() == "D" {
        w.object("verificationStatus", |w| {
            w.one("coding", |w| {
                w.code("system", "http://terminology.hl7.org/CodeSystem/condition-ver-status");
                w.code("code", "entered-in-error");
            });
        });
    }
}

fn code<'m>(c: &mut Conversion<'m>, w: &mut Json, dg1: Segment<'m>) {
    let code = c.one(dg1, 3, "Condition.code");
    let description = c.text(dg1, 4, "Condition.code.text");
    w.object("code", |w| {
        w.array("coding", |w| {
            if let Some(code) = code {
                cwe::coding_items(c, w, code, None);
            }
        });
        let own = code.filter(|code| cwe::has_text(*code)).and_then(cwe::string);
        if let Some(text) = description.or(own) {
            w.text("text", &text);
        }
    });
}

/// The member `use` of Encounter.diagnosis, as JSON.
fn role<'m>(c: &mut Conversion<'m>, dg1: Segment<'m>) -> Option<Vec<u8>> {
    let kind = c.one(dg1, 6, "Encounter.diagnosis.use")?;
    let mut json = Json::default();
    json.object("use", |w| cwe::codeable_concept(c, w, kind, Some(&DIAGNOSIS_TYPE)));
    Some(json.into_bytes())
}

fn rank<'m>(c: &mut Conversion<'m>, dg1: Segment<'m>) -> Option<i64> {
    let priority = c.one(dg1, 15, "Encounter.diagnosis.rank")?;
    let rank = nm::integer(c, priority)?;
    // 0 says that it is ranked nowhere.
    if rank < 0 {
        c.note(priority, Reason::NotANumber);
    }
    (rank > 0).then_some(rank)
}
