//! PR1, a procedure.

use bridge_hl7v2::{Segment, Value, time::Precision};
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, dtm, ei, pl, xcn},
    json::Json,
    report::Reason,
};

/// The Procedure of one PR1.
pub(crate) fn procedure<'m>(
    c: &mut Conversion<'m>,
    pr1: Segment<'m>,
    patient: Ref,
    encounter: Option<Ref>,
) -> Ref {
    let id = id(c, pr1, encounter.unwrap_or(patient));
    let id = c.fresh("Procedure", id);
    c.resource("Procedure", id, |c, w| {
        c.skip(pr1, &[1]);
        if let Some(identifier) = c.one(pr1, 19, "Procedure.identifier") {
            w.one("identifier", |w| ei::identifier(c, w, identifier, None));
        }
        if let Some(parent) = c.one(pr1, 25, "Procedure.partOf") {
            w.one("partOf", |w| {
                w.code("type", "Procedure");
                w.object("identifier", |w| ei::identifier(c, w, parent, None));
            });
        }
        w.text("status", &c.profile.defaults.procedure_status);
        if let Some(category) = c.one(pr1, 6, "Procedure.category") {
            w.object("category", |w| cwe::codeable_concept(c, w, category, None));
        }
        code(c, w, pr1);
        patient.write(w, "subject");
        if let Some(encounter) = encounter {
            encounter.write(w, "encounter");
        }
        performed(c, w, pr1);
        w.array("performer", |w| performers(c, w, pr1));
        if let Some(place) = c.one(pr1, 23, "Procedure.location")
            && let Some(location) = pl::location(c, place, |_, _| {})
        {
            location.write(w, "location");
        }
        if let Some(reason) = c.one(pr1, 15, "Procedure.reasonCode") {
            w.one("reasonCode", |w| cwe::codeable_concept(c, w, reason, None));
        }
    })
}

fn id<'m>(c: &mut Conversion<'m>, pr1: Segment<'m>, owner: Ref) -> Uuid {
    if let Some(id) = ei::id(c, "Procedure", pr1.field(19).first()) {
        return id;
    }
    let [code, at] = [pr1.field(3).component(1).raw(), pr1.field(5).first().raw()];
    c.id_within("Procedure", owner.id, &["PR1:", code, "|", at])
}

/// The code, followed by its modifiers (PR1-16) behind colons, as the guide writes them.
fn code<'m>(c: &mut Conversion<'m>, w: &mut Json, pr1: Segment<'m>) {
    let code = c.one(pr1, 3, "Procedure.code");
    let modifiers: Vec<Value<'m>> = c.each(pr1, 16, "Procedure.code").collect();
    let description = c.text(pr1, 4, "Procedure.code.text");
    w.object("code", |w| {
        w.array("coding", |w| {
            let Some(code) = code else {
                return modifiers.iter().for_each(|modifier| c.note(*modifier, Reason::Lacks("PR1-3")));
            };
            modified_coding(c, w, code, &modifiers);
            cwe::coding_items(c, w, code, None);
        });
        let own = code.filter(|code| cwe::has_text(*code)).and_then(cwe::string);
        if let Some(text) = own.or(description) {
            w.text("text", &text);
        }
    });
}

/// The code with its modifiers behind it, as a coding of its own; nothing, when there are none.
pub(crate) fn modified_coding<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    code: Value<'m>,
    modifiers: &[Value<'m>],
) {
    for modifier in modifiers {
        if code.part(1).content().is_none() || modifier.part(1).content().is_none() {
            c.note(*modifier, Reason::Lacks("a code"));
        }
    }
    let (Some(text), false) = (code.part(1).content(), modifiers.is_empty()) else { return };
    let mut whole = text.trim().to_owned();
    for modifier in modifiers.iter().filter_map(|m| m.part(1).content()) {
        whole.push(':');
        whole.push_str(modifier.trim());
    }
    w.item(|w| {
        if let Some([scheme, rest]) = cwe::code_system(c, code.part(3).raw(), "") {
            w.joined("system", &[scheme, rest]);
        }
        w.text("code", &whole);
    });
}

/// With a duration in minutes (PR1-7) and a start told to the minute, a period; else a date or time.
fn performed<'m>(c: &mut Conversion<'m>, w: &mut Json, pr1: Segment<'m>) {
    let Some(start) = c.one(pr1, 5, "Procedure.performed") else {
        if c.valued(pr1, 7) {
            c.note_field(pr1, 7, Reason::Lacks("PR1-5"));
        }
        return;
    };
    let minutes = c.text(pr1, 7, "Procedure.performed").and_then(|text| text.parse::<i64>().ok());
    let begun = dtm::read(c, start).filter(|at| at.precision() >= Precision::Minute);
    let end = begun.and_then(|at| dtm::moment(c, at)).and_then(|at| {
        at.checked_add(jiff::SignedDuration::from_mins(minutes.filter(|m| (0..=527_040).contains(m))?)).ok()
    });
    match end {
        Some(end) => {
            w.object("performedPeriod", |w| {
                dtm::date_time(c, w, "start", start);
                dtm::computed(c, w, "end", end);
            });
        }
        None => {
            dtm::date_time(c, w, "performedDateTime", start);
            if c.valued(pr1, 7) {
                c.note_field(pr1, 7, Reason::Lacks("a time in PR1-5"));
            }
        }
    }
}

/// Who did it: field, and what for in SNOMED CT.
fn performers<'m>(c: &mut Conversion<'m>, w: &mut Json, pr1: Segment<'m>) {
    for (n, function) in [(8, "88189002"), (11, "304292004"), (12, "")] {
        for value in c.each(pr1, n, "Procedure.performer") {
            let Some(practitioner) = xcn::practitioner(c, value) else { continue };
            w.item(|w| {
                if !function.is_empty() {
                    w.object("function", |w| {
                        w.one("coding", |w| {
                            w.code("system", "http://snomed.info/sct");
                            w.code("code", function);
                        });
                    });
                }
                practitioner.write(w, "actor");
            });
        }
    }
}
