//! AL1, an allergy. And what it shares with IAM: category, type, severity.

use bridge_hl7v2::{Segment, Value};

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, dtm},
    json::Json,
    profile::AllergySeverity,
    report::Reason,
    tables::{
        ALLERGEN_CATEGORY, ALLERGEN_TYPE, ALLERGY_CRITICALITY, ALLERGY_KIND, ALLERGY_SEVERITY, Found,
        REACTION_SEVERITY, Table,
    },
};

/// The AllergyIntolerance of one AL1.
pub(crate) fn allergy<'m>(c: &mut Conversion<'m>, al1: Segment<'m>, patient: Ref) -> Ref {
    let id = c.id_within("AllergyIntolerance", patient.id, &["AL1:", al1.field(3).raw()]);
    let id = c.fresh("AllergyIntolerance", id);
    c.resource("AllergyIntolerance", id, |c, w| {
        c.skip(al1, &[1]);
        w.object("clinicalStatus", |w| clinical_status(w, "active"));
        let category = c.one(al1, 2, "AllergyIntolerance.category");
        kind_and_category(c, w, category);
        let severity = c.one(al1, 4, "AllergyIntolerance.criticality");
        criticality(c, w, severity);
        let code = c.one(al1, 3, "AllergyIntolerance.code");
        cwe::member(c, w, "code", code, None);
        patient.write(w, "patient");
        if let Some(onset) = c.one(al1, 6, "AllergyIntolerance.onset") {
            dtm::date_time(c, w, "onsetDateTime", onset);
        }
        let shown = c.each(al1, 5, "AllergyIntolerance.reaction");
        let texts = cwe::strings(c, shown);
        reaction(c, w, severity, |w| {
            for text in &texts {
                w.item(|w| w.text("text", text));
            }
        });
    })
}

/// The codings of an AllergyIntolerance.clinicalStatus.
pub(crate) fn clinical_status(w: &mut Json, code: &str) {
    w.one("coding", |w| {
        w.code("system", "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical");
        w.code("code", code);
    });
}

/// `type` and `category`: required value sets, so the code that was sent stands beside as an extension.
pub(crate) fn kind_and_category<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Option<Value<'m>>) {
    let Some(value) = value else { return };
    let code = cwe::raw_code(value).unwrap_or_default();
    if let Some(kind) = ALLERGY_KIND.code(&code) {
        w.code("type", kind);
    }
    match ALLERGEN_CATEGORY.code(&code) {
        Some(category) => {
            w.array("category", |w| w.element(category));
            w.array("_category", |w| {
                w.item(|w| original(c, w, value, &ALLERGEN_TYPE));
            });
        }
        // A category with an extension and no value is valid: the code is known, FHIR's word for it is not.
        None => {
            w.array("_category", |w| {
                w.item(|w| original(c, w, value, &ALLERGEN_TYPE));
            });
        }
    }
}

fn original<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>, table: &Table) {
    w.one_extension("http://hl7.org/fhir/StructureDefinition/alternate-codes", |w| {
        cwe::member(c, w, "valueCodeableConcept", Some(value), Some(table));
    });
}

/// `criticality`, where the sender's severity means that.
pub(crate) fn criticality<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Option<Value<'m>>) {
    let Some(value) = value.filter(|_| c.profile.allergy_severity == AllergySeverity::Criticality) else {
        return;
    };
    let code = cwe::raw_code(value).unwrap_or_default();
    if let Some(code) = ALLERGY_CRITICALITY.code(&code) {
        w.code("criticality", code);
    }
    w.object("_criticality", |w| original(c, w, value, &ALLERGY_SEVERITY));
}

/// `reaction`: how it showed, and how bad it was. FHIR asks for the former whenever there is a reaction.
pub(crate) fn reaction<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    severity: Option<Value<'m>>,
    manifestations: impl FnOnce(&mut Json),
) {
    let severity = severity.filter(|_| c.profile.allergy_severity == AllergySeverity::Reaction);
    w.one("reaction", |w| {
        let shown = w.array("manifestation", manifestations);
        let Some(severity) = severity else { return };
        let sent = cwe::raw_code(severity).unwrap_or_default();
        let Some(code) = REACTION_SEVERITY.code(&sent) else {
            if !matches!(REACTION_SEVERITY.find(&sent), Found::NoEquivalent) || sent != "U" {
                c.note(severity, Reason::NoCode);
            }
            return;
        };
        if !shown {
            w.one("manifestation", |w| {
                w.one("coding", |w| {
                    w.code("system", "http://terminology.hl7.org/CodeSystem/data-absent-reason");
                    w.code("code", "unknown");
                });
            });
        }
        w.code("severity", code);
    });
}
