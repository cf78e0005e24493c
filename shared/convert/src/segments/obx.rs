//! OBX, an observation.

mod value;

use bridge_hl7v2::{Segment, Value};
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, dtm, ei, eip, og, xad, xcn, xon},
    json::Json,
    report::Reason,
    segments::{nte, obr::unknown_code, prt},
    tables::{INTERPRETATION, NATURE_OF_ABNORMAL_TEST, OBSERVATION_STATUS},
};

/// What an Observation refers to.
#[derive(Clone, Copy)]
pub(crate) struct Around {
    pub(crate) patient: Option<Ref>,
    pub(crate) encounter: Option<Ref>,
    /// The order it is a result of.
    pub(crate) request: Option<Ref>,
    /// The specimen it was made on.
    pub(crate) specimen: Option<Ref>,
    /// What it is about, when that is not the patient: a specimen, for an OBX after SPM.
    pub(crate) focus: Option<Ref>,
    /// What its id is made under: the report, or the patient.
    pub(crate) owner: Uuid,
}

/// The Observation of one OBX.
pub(crate) fn observation<'m>(c: &mut Conversion<'m>, obx: Segment<'m>, around: &Around) -> Ref {
    let id = id(c, obx, around.owner);
    let id = c.fresh("Observation", id);
    let performers = performers(c, obx);
    let device = device(c, obx);
    let specimen = specimen(c, obx, around);
    c.resource("Observation", id, |c, w| {
        c.skip(obx, &[1, 2]);
        let values = value::Values::of(c, obx);
        w.array("extension", |w| {
            extensions(c, w, obx);
            values.extension(c, w);
        });
        if let Some(identifier) = c.one(obx, 21, "Observation.identifier") {
            w.one("identifier", |w| {
                w.object("type", |w| {
                    w.one("coding", |w| w.code("code", "FILL"));
                });
                ei::identifier(c, w, identifier, None);
            });
        }
        if let Some(request) = around.request {
            w.array("basedOn", |w| request.item(w));
        }
        status(c, w, obx);
        if let Some(category) = c.text(obx, 29, "Observation.category") {
            w.one("category", |w| {
                w.one("coding", |w| {
                    w.code("system", "http://terminology.hl7.org/CodeSystem/v2-0936");
                    w.text("code", &category);
                });
            });
        }
        let code = c.one(obx, 3, "Observation.code");
        let coded = code.is_some_and(|code| w.object("code", |w| cwe::codeable_concept(c, w, code, None)));
        if !coded {
            c.note_field(obx, 3, Reason::Default("Observation.code"));
            unknown_code(w);
        }
        if let Some(patient) = around.patient {
            patient.write(w, "subject");
        }
        if let Some(focus) = around.focus {
            w.array("focus", |w| focus.item(w));
        }
        if let Some(encounter) = around.encounter {
            encounter.write(w, "encounter");
        }
        if let Some(at) = c.one(obx, 14, "Observation.effective") {
            dtm::date_time(c, w, "effectiveDateTime", at);
        }
        w.array("performer", |w| performers.iter().for_each(|performer| performer.item(w)));
        let before = w.mark();
        values.value(c, w);
        let valued = w.since(before) || values.is_several();
        absent(w, obx, valued);
        w.array("interpretation", |w| {
            let flags = c.each(obx, 8, "Observation.interpretation");
            cwe::items(c, w, flags, Some(&INTERPRETATION));
        });
        w.array("note", |w| {
            for comment in c.children(obx, &["NTE"]) {
                nte::annotation(c, w, comment);
            }
        });
        site_and_method(c, w, obx);
        if let Some(specimen) = specimen {
            specimen.write(w, "specimen");
        }
        if let Some(device) = device {
            device.write(w, "device");
        }
        let range = c.text(obx, 7, "Observation.referenceRange");
        if !values.is_several()
            && let Some(range) = &range
        {
            w.one("referenceRange", |w| w.text("text", range));
        }
        values.components(c, w, code, range.as_deref());
    })
}

/// By OBX-21; else by code and sub-id under the report, so that a corrected result replaces the first.
fn id<'m>(c: &mut Conversion<'m>, obx: Segment<'m>, owner: Uuid) -> Uuid {
    if let Some(id) = ei::id(c, "Observation", obx.field(21).first()) {
        return id;
    }
    let code = obx.field(3).first();
    let code = [1, 2, 4].map(|n| code.part(n).raw());
    let code = code.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
    c.id_within("Observation", owner, &["OBX:", code, "|", obx.field(4).raw()])
}

/// OBX-11. Codes of table 0085 the guide leaves open are read by their meaning.
fn status<'m>(c: &mut Conversion<'m>, w: &mut Json, obx: Segment<'m>) {
    let sent = c.one(obx, 11, "Observation.status");
    let code = sent.map(|value| value.part(1).raw().trim());
    let known = code.and_then(|code| OBSERVATION_STATUS.code(code)).or(match code {
        Some("R" | "S") => Some("preliminary"),
        Some("I" | "O") => Some("registered"),
        Some("U" | "V") => Some("final"),
        Some("B") => Some("amended"),
        Some("N") => Some("cancelled"),
        _ => None,
    });
    match known {
        Some(status) => w.code("status", status),
        None => {
            match sent {
                Some(sent) => c.note(sent, Reason::NoCode),
                None => c.note_field(obx, 11, Reason::Default("Observation.status")),
            }
            w.text("status", &c.profile.defaults.observation_status);
        }
    }
    if code == Some("X") {
        w.object("_status", |w| {
            w.one_extension("http://hl7.org/fhir/StructureDefinition/alternate-codes", |w| {
                w.object("valueCodeableConcept", |w| {
                    w.one("coding", |w| {
                        w.text("system", OBSERVATION_STATUS.own_system());
                        w.code("code", "X");
                    });
                });
            });
        });
    }
}

/// OBX-11 `N`: not asked for. obs-6: a value and a reason for its absence exclude each other.
fn absent(w: &mut Json, obx: Segment<'_>, valued: bool) {
    if !valued && obx.field(11).raw().trim() == "N" {
        w.object("dataAbsentReason", |w| {
            w.one("coding", |w| {
                w.code("system", "http://terminology.hl7.org/CodeSystem/data-absent-reason");
                w.code("code", "not-asked");
            });
        });
    }
}

fn extensions<'m>(c: &mut Conversion<'m>, w: &mut Json, obx: Segment<'m>) {
    if let Some(group) = c.one(obx, 4, "Observation.extension") {
        og::extension(c, w, group);
    }
    for nature in c.each(obx, 10, "Observation.extension") {
        w.extension("http://hl7.org/fhir/StructureDefinition/observation-nature-of-abnormal-test", |w| {
            cwe::member(c, w, "valueCodeableConcept", Some(nature), Some(&NATURE_OF_ABNORMAL_TEST));
        });
    }
    if let Some(analysed) = c.one(obx, 19, "Observation.extension") {
        w.extension("http://hl7.org/fhir/StructureDefinition/observation-analysis-date-time", |w| {
            dtm::date_time(c, w, "valueDateTime", analysed);
        });
    }
    for prt in c.children(obx, &["PRT"]) {
        prt::observation_location(c, w, prt);
    }
    if let Some(kind) = c.text(obx, 30, "Observation.extension") {
        w.extension("http://hl7.org/fhir/StructureDefinition/observation-structure-type", |w| {
            w.object("valueCodeableConcept", |w| {
                w.one("coding", |w| {
                    w.code("system", "http://terminology.hl7.org/CodeSystem/v2-0937");
                    w.text("code", &kind);
                });
            });
        });
    }
}

/// One method and one body site have a place; further ones are noted.
fn site_and_method<'m>(c: &mut Conversion<'m>, w: &mut Json, obx: Segment<'m>) {
    let site = c.one(obx, 20, "Observation.bodySite");
    cwe::member(c, w, "bodySite", site, None);
    let method = c.one(obx, 17, "Observation.method");
    cwe::member(c, w, "method", method, None);
}

/// The responsible observers (OBX-16), the performing organisation (OBX-23 and -24, or OBX-15), its medical director
/// (OBX-25), and people in PRT.
fn performers<'m>(c: &mut Conversion<'m>, obx: Segment<'m>) -> Vec<Ref> {
    let mut performers = Vec::new();
    for observer in c.each(obx, 16, "Observation.performer") {
        let role = role(c, observer, "responsibleObserver", "practitioner-role", None);
        performers.extend(role);
    }
    let organization = organization(c, obx);
    match c.one(obx, 25, "Observation.performer") {
        Some(director) => performers.extend(role(c, director, "MDIR", "v2-0912", organization)),
        None => performers.extend(organization),
    }
    if let Some(producer) = c.one(obx, 15, "Observation.performer") {
        performers.extend(cwe::organization(c, producer));
    }
    for prt in c.children(obx, &["PRT"]) {
        performers.extend(prt::practitioner_role(c, prt));
    }
    performers
}

fn role<'m>(
    c: &mut Conversion<'m>,
    person: Value<'m>,
    code: &'static str,
    system: &str,
    organization: Option<Ref>,
) -> Option<Ref> {
    let made = c.recent.get(code, person.raw()).filter(|_| organization.is_none());
    if made.is_some() {
        return made;
    }
    let practitioner = xcn::practitioner(c, person)?;
    let parent = organization.map_or_else(String::new, |organization| organization.id.to_string());
    let id = c.id_within("PractitionerRole", practitioner.id, &[code, "|", &parent]);
    let made = c.resource("PractitionerRole", id, |_, w| {
        practitioner.write(w, "practitioner");
        if let Some(organization) = organization {
            organization.write(w, "organization");
        }
        w.one("code", |w| {
            w.one("coding", |w| {
                w.joined("system", &["http://terminology.hl7.org/CodeSystem/", system]);
                w.code("code", code);
            });
        });
    });
    if organization.is_none() {
        c.recent.put(code, person.raw(), made);
    }
    Some(made)
}

fn organization<'m>(c: &mut Conversion<'m>, obx: Segment<'m>) -> Option<Ref> {
    let name = c.one(obx, 23, "Observation.performer");
    let Some(name) = name else {
        if c.valued(obx, 24) {
            c.note_field(obx, 24, Reason::Lacks("OBX-23"));
        }
        return None;
    };
    xon::organization_with(c, name, |c, w| {
        w.array("address", |w| {
            let addresses = c.each(obx, 24, "Organization.address");
            xad::items(c, w, addresses);
        });
    })
}

/// OBX-18, or a device in PRT.
fn device<'m>(c: &mut Conversion<'m>, obx: Segment<'m>) -> Option<Ref> {
    let of_prt = c.children(obx, &["PRT"]);
    if let Some(value) = c.one(obx, 18, "Observation.device")
        && let Some(id) = ei::needed_id(c, "Device", value)
    {
        return Some(c.resource("Device", id, |c, w| {
            w.one("identifier", |w| ei::identifier(c, w, value, None));
        }));
    }
    of_prt.into_iter().find_map(|prt| prt::device(c, prt))
}

/// OBX-33 names the specimen by its numbers; without it, it is the order's.
fn specimen<'m>(c: &mut Conversion<'m>, obx: Segment<'m>, around: &Around) -> Option<Ref> {
    let Some(pair) = c.one(obx, 33, "Observation.specimen") else { return around.specimen };
    let id = [pair.part(2), pair.part(1)].into_iter().find_map(|number| ei::id(c, "Specimen", number));
    let Some(id) = id else {
        c.note(pair, Reason::Lacks("an identifier"));
        return around.specimen;
    };
    if c.has(id) {
        return Some(Ref { kind: "Specimen", id });
    }
    Some(c.resource("Specimen", id, |c, w| {
        w.array("identifier", |w| eip::items(c, w, pair));
        if let Some(patient) = around.patient {
            patient.write(w, "subject");
        }
    }))
}
