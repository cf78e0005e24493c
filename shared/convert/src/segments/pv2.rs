//! PV2, more about the visit. All of it goes into the Encounter PV1 makes.

use bridge_hl7v2::Segment;

use crate::{
    conversion::Conversion,
    datatypes::{cwe, dtm, nm, pl},
    json::Json,
    report::Reason,
    segments::pv1,
    tables::{ENCOUNTER_PRIORITY, MODE_OF_ARRIVAL},
};

/// Confidentiality, narrative, planned dates and mode of arrival; the first members of the Encounter.
pub(crate) fn extensions<'m>(c: &mut Conversion<'m>, w: &mut Json, pv2: Option<Segment<'m>>) {
    let Some(pv2) = pv2 else { return };
    if let Some(protected) = c.one(pv2, 22, "Encounter.meta.security") {
        let code = match protected.part(1).raw().trim() {
            "Y" => "true",
            "N" => "false",
            _ => "",
        };
        if code.is_empty() {
            c.note(protected, Reason::NoCode);
        } else {
            w.object("meta", |w| {
                w.one("security", |w| {
                    w.code("system", "http://terminology.hl7.org/CodeSystem/special-values");
                    w.code("code", code);
                });
            });
        }
    }
    if let Some(text) = c.text(pv2, 12, "Encounter.text") {
        narrative(w, &text);
    }
    w.array("extension", |w| {
        for (n, url) in [
            (8, "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedStartDate"),
            (9, "http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.plannedEndDate"),
        ] {
            let Some(at) = c.one(pv2, n, "Encounter.extension") else { continue };
            w.extension(url, |w| dtm::date_time(c, w, "valueDateTime", at));
        }
        if let Some(arrival) = c.one(pv2, 38, "Encounter.extension") {
            w.extension("http://hl7.org/fhir/StructureDefinition/encounter-modeOfArrival", |w| {
                w.object("valueCoding", |w| cwe::coding(c, w, arrival, Some(&MODE_OF_ARRIVAL)));
            });
        }
    });
}

fn narrative(w: &mut Json, text: &str) {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    w.object("text", |w| {
        w.code("status", "additional");
        w.joined("div", &["<div xmlns=\"http://www.w3.org/1999/xhtml\">", &escaped, "</div>"]);
    });
}

/// `priority`.
pub(crate) fn priority<'m>(c: &mut Conversion<'m>, w: &mut Json, pv2: Option<Segment<'m>>) {
    let value = pv2.and_then(|pv2| c.one(pv2, 25, "Encounter.priority"));
    cwe::member(c, w, "priority", value, Some(&ENCOUNTER_PRIORITY));
}

/// Elements of `participant`: the referral source.
pub(crate) fn participants<'m>(c: &mut Conversion<'m>, w: &mut Json, pv2: Option<Segment<'m>>) {
    let Some(pv2) = pv2 else { return };
    for value in c.each(pv2, 13, "Encounter.participant") {
        pv1::participant(c, w, value, "REF", "referrer");
    }
}

/// `length` in days, and `reasonCode`.
pub(crate) fn length_and_reason<'m>(c: &mut Conversion<'m>, w: &mut Json, pv2: Option<Segment<'m>>) {
    let Some(pv2) = pv2 else { return };
    if let Some(days) = c.one(pv2, 11, "Encounter.length") {
        match days.content().and_then(|text| nm::decimal(text.trim()).map(|n| n.into_owned())) {
            Some(number) if !number.starts_with('-') => {
                w.object("length", |w| {
                    w.literal("value", &number);
                    w.code("unit", "days");
                    w.code("system", "http://unitsofmeasure.org");
                    w.code("code", "d");
                });
            }
            _ => c.note(days, Reason::NotANumber),
        }
    }
    if let Some(reason) = c.one(pv2, 3, "Encounter.reasonCode") {
        w.one("reasonCode", |w| cwe::codeable_concept(c, w, reason, None));
    }
}

/// An element of `location`: the prior pending one.
pub(crate) fn location<'m>(c: &mut Conversion<'m>, w: &mut Json, pv2: Option<Segment<'m>>) {
    let Some(value) = pv2.and_then(|pv2| c.one(pv2, 1, "Encounter.location")) else { return };
    if let Some(location) = pl::location(c, value, |_, _| {}) {
        w.item(|w| {
            location.write(w, "location");
            w.code("status", "planned");
        });
    }
}
