//! IAM, an allergy with an identifier, a status and a reporter.

use bridge_hl7v2::{Segment, Value};

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, dtm, ei, xpn},
    json::Json,
    report::Reason,
    segments::al1,
    tables::RELATIONSHIP,
};

/// The AllergyIntolerance of one IAM.
pub(crate) fn allergy<'m>(c: &mut Conversion<'m>, iam: Segment<'m>, patient: Ref) -> Ref {
    let own = ei::id(c, "AllergyIntolerance", iam.field(7).first());
    let id =
        own.unwrap_or_else(|| c.id_within("AllergyIntolerance", patient.id, &["AL1:", iam.field(3).raw()]));
    let id = c.fresh("AllergyIntolerance", id);
    c.resource("AllergyIntolerance", id, |c, w| {
        c.skip(iam, &[1]);
        if let Some(identifier) = c.one(iam, 7, "AllergyIntolerance.identifier") {
            w.one("identifier", |w| ei::identifier(c, w, identifier, None));
        }
        status(c, w, iam);
        let category = c.one(iam, 2, "AllergyIntolerance.category");
        al1::kind_and_category(c, w, category);
        let severity = c.one(iam, 4, "AllergyIntolerance.criticality");
        al1::criticality(c, w, severity);
        w.object("code", |w| {
            let (code, inactive) = [3, 27].map(|n| c.one(iam, n, "AllergyIntolerance.code")).into();
            w.array("coding", |w| {
                for value in [code, inactive].into_iter().flatten() {
                    cwe::coding_items(c, w, value, None);
                }
            });
            let named = [code, inactive].into_iter().flatten().find(|value| cwe::has_text(*value));
            if let Some(text) = named.and_then(cwe::string) {
                w.text("text", &text);
            }
        });
        patient.write(w, "patient");
        onset(c, w, iam);
        if let Some(reported) = c.one(iam, 13, "AllergyIntolerance.recordedDate") {
            dtm::date_time(c, w, "recordedDate", reported);
        }
        recorder(c, w, iam, patient);
        let shown = c.each(iam, 5, "AllergyIntolerance.reaction");
        let texts = cwe::strings(c, shown);
        al1::reaction(c, w, severity, |w| {
            for text in &texts {
                w.item(|w| w.text("text", text));
            }
        });
    })
}

/// IAM-17, in codes of table 0438 that FHIR's required ones can be told from; `active` when it is empty.
fn status<'m>(c: &mut Conversion<'m>, w: &mut Json, iam: Segment<'m>) {
    let sent = c.one(iam, 17, "AllergyIntolerance.clinicalStatus");
    let code = sent.map(|value| value.part(1).raw().to_ascii_lowercase());
    let mapped = match code.as_deref() {
        None | Some("a" | "c" | "u" | "p" | "s" | "active") => "active",
        Some("i" | "d" | "inactive") => "inactive",
        Some("r" | "resolved") => "resolved",
        Some(_) => {
            if let Some(value) = sent {
                c.note(value, Reason::NoCode);
            }
            "active"
        }
    };
    w.object("clinicalStatus", |w| {
        w.array("coding", |w| {
            w.item(|w| {
                w.code("system", "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical");
                w.code("code", mapped);
            });
            if let Some(sent) = sent {
                cwe::coding_items(c, w, sent, None);
            }
        });
        if let Some(text) = sent.filter(|sent| cwe::has_text(*sent)).and_then(cwe::string) {
            w.text("text", &text);
        }
    });
}

fn onset<'m>(c: &mut Conversion<'m>, w: &mut Json, iam: Segment<'m>) {
    let at = w.mark();
    if let Some(onset) = c.one(iam, 11, "AllergyIntolerance.onset") {
        dtm::date_time(c, w, "onsetDateTime", onset);
    }
    if w.since(at) {
        c.superseded(iam, 12, "IAM-11");
    } else if let Some(text) = c.text(iam, 12, "AllergyIntolerance.onset") {
        w.text("onsetString", &text);
    }
}

/// Who told of it: the patient (IAM-15 says `SEL`), someone related, or, without a relationship, a practitioner.
fn recorder<'m>(c: &mut Conversion<'m>, w: &mut Json, iam: Segment<'m>, patient: Ref) {
    let name = c.one(iam, 14, "AllergyIntolerance.recorder");
    let relationship = c.one(iam, 15, "AllergyIntolerance.recorder");
    match (name, relationship) {
        (_, Some(relationship)) if relationship.part(1).raw() == "SEL" => patient.write(w, "recorder"),
        (None, None) => {}
        (name, Some(relationship)) => {
            let raw = [name.map_or("", Value::raw), "|", relationship.raw()];
            let id = c.id_within("RelatedPerson", patient.id, &raw);
            let person = c.resource("RelatedPerson", id, |c, w| {
                patient.write(w, "patient");
                w.one("relationship", |w| cwe::codeable_concept(c, w, relationship, Some(&RELATIONSHIP)));
                w.array("name", |w| xpn::items(c, w, name.into_iter()));
            });
            person.write(w, "recorder");
        }
        (Some(name), None) => {
            let id = c.id_in_message("Practitioner", &["name:", name.raw()]);
            let person = c.resource("Practitioner", id, |c, w| {
                w.array("name", |w| xpn::items(c, w, std::iter::once(name)));
            });
            person.write(w, "recorder");
        }
    }
}
