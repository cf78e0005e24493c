//! NK1, the patient's next of kin and others to turn to: as a contact of the Patient, as a RelatedPerson, or both.

use bridge_hl7v2::Segment;
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, cx, dtm, period, xad, xon, xpn, xtn},
    json::Json,
    profile::NextOfKin,
    report::Reason,
    segments::pid,
    tables::{ADMINISTRATIVE_SEX, CONTACT_ROLE, RELATIONSHIP},
};

/// Roles of an organisation or office: no RelatedPerson comes of them. (Table 0131, which NK1-3 may use.)
const NO_PERSON: [&str; 5] = ["EMR", "E", "F", "I", "S"];

fn is_person(nk1: Segment<'_>) -> bool {
    !NO_PERSON.contains(&nk1.field(3).component(1).raw())
}

/// Elements of Patient.contact.
pub(crate) fn contacts<'m>(c: &mut Conversion<'m>, w: &mut Json, pid: Segment<'m>) {
    for nk1 in c.children(pid, &["NK1"]) {
        c.skip(nk1, &[1]);
        if c.profile.next_of_kin != NextOfKin::RelatedPerson || !is_person(nk1) {
            w.item(|w| contact(c, w, nk1));
        }
    }
}

fn contact<'m>(c: &mut Conversion<'m>, w: &mut Json, nk1: Segment<'m>) {
    let before = w.mark();
    // A contact has one name and one address; what is further is the RelatedPerson's.
    let person = c.profile.next_of_kin == NextOfKin::Both && is_person(nk1);
    if let Some(name) = single(c, nk1, 2, "Patient.contact.name", person) {
        w.object("name", |w| xpn::human_name(c, w, name));
    }
    w.array("telecom", |w| telecoms(c, w, nk1, &[5, 6, 40, 41]));
    if let Some(address) = single(c, nk1, 4, "Patient.contact.address", person) {
        w.object("address", |w| xad::address(c, w, address, None));
    }
    let organizations = c.each(nk1, 13, "Patient.contact.organization");
    for (nth, organization) in organizations.enumerate() {
        let contact = nth == 0 && (!is_person(nk1) || c.profile.next_of_kin == NextOfKin::Contact);
        let made = if contact {
            xon::organization_with(c, organization, |c, w| organization_contact(c, w, nk1))
        } else {
            xon::organization(c, organization)
        };
        match made {
            Some(made) if nth == 0 => made.write(w, "organization"),
            _ => c.note(organization, Reason::ExtraRepetition),
        }
    }
    // pat-1: a relationship to no one is no contact.
    if !w.since(before) {
        return c.note_field(nk1, 2, Reason::Lacks("a name, an address and a number"));
    }
    relationships(c, w, nk1);
    gender(c, w, nk1);
    period(c, w, nk1);
}

fn single<'m>(
    c: &mut Conversion<'m>,
    nk1: Segment<'m>,
    n: u32,
    path: &'static str,
    all_kept: bool,
) -> Option<bridge_hl7v2::Value<'m>> {
    if all_kept { c.each(nk1, n, path).next() } else { c.one(nk1, n, path) }
}

/// Organization.contact: whom to speak to there (NK1-30 to -32).
fn organization_contact<'m>(c: &mut Conversion<'m>, w: &mut Json, nk1: Segment<'m>) {
    w.one("contact", |w| {
        if let Some(name) = c.one(nk1, 30, "Organization.contact.name") {
            w.object("name", |w| xpn::human_name(c, w, name));
        }
        w.array("telecom", |w| telecoms(c, w, nk1, &[31]));
        if let Some(address) = c.one(nk1, 32, "Organization.contact.address") {
            w.object("address", |w| xad::address(c, w, address, None));
        }
    });
}

/// The RelatedPersons of a patient.
pub(crate) fn related_persons<'m>(c: &mut Conversion<'m>, pid: Segment<'m>, patient: Ref) {
    for nk1 in c.children(pid, &["NK1"]) {
        if c.profile.next_of_kin != NextOfKin::Contact && is_person(nk1) {
            related_person(c, nk1, patient);
        }
    }
}

fn related_person<'m>(c: &mut Conversion<'m>, nk1: Segment<'m>, patient: Ref) -> Ref {
    let id = id(c, nk1, patient);
    let id = c.fresh("RelatedPerson", id);
    c.resource("RelatedPerson", id, |c, w| {
        w.array("identifier", |w| {
            for n in [12, 33] {
                let values = c.each(nk1, n, "RelatedPerson.identifier");
                cx::items(c, w, values);
            }
            if let Some(ssn) = c.text(nk1, 37, "RelatedPerson.identifier.where(type.coding.code = 'SS')") {
                pid::national_id(c, w, &ssn);
            }
        });
        patient.write(w, "patient");
        relationships(c, w, nk1);
        w.array("name", |w| {
            for n in [2, 30] {
                let names = c.each(nk1, n, "RelatedPerson.name");
                xpn::items(c, w, names);
            }
        });
        w.array("telecom", |w| telecoms(c, w, nk1, &[5, 6, 31, 40, 41]));
        gender(c, w, nk1);
        if let Some(birth) = c.one(nk1, 16, "RelatedPerson.birthDate") {
            dtm::date(c, w, "birthDate", birth);
        }
        w.array("address", |w| {
            for n in [4, 32] {
                let addresses = c.each(nk1, n, "RelatedPerson.address");
                xad::items(c, w, addresses);
            }
        });
        period(c, w, nk1);
        if let Some(language) = c.one(nk1, 20, "RelatedPerson.communication") {
            w.one("communication", |w| cwe::member(c, w, "language", Some(language), None));
        }
    })
}

/// By the person's own identifier; else by name and role under the patient, which stays when the list is sent in
/// another order.
fn id<'m>(c: &mut Conversion<'m>, nk1: Segment<'m>, patient: Ref) -> Uuid {
    for n in [33, 12] {
        if let Some(id) = cx::id(c, "RelatedPerson", nk1.field(n).first()) {
            return c.id_within("RelatedPerson", patient.id, &[&id.to_string()]);
        }
    }
    let name = nk1.field(2).raw();
    c.id_within("RelatedPerson", patient.id, &["NK1:", name, "|", nk1.field(3).component(1).raw()])
}

fn relationships<'m>(c: &mut Conversion<'m>, w: &mut Json, nk1: Segment<'m>) {
    w.array("relationship", |w| {
        let relationships = c.each(nk1, 3, "RelatedPerson.relationship");
        cwe::items(c, w, relationships, Some(&RELATIONSHIP));
        let roles = c.each(nk1, 7, "RelatedPerson.relationship");
        cwe::items(c, w, roles, Some(&CONTACT_ROLE));
    });
}

fn telecoms<'m>(c: &mut Conversion<'m>, w: &mut Json, nk1: Segment<'m>, fields: &[u32]) {
    for n in fields {
        let values = c.each(nk1, *n, "RelatedPerson.telecom");
        xtn::items(c, w, values, if *n == 6 { "work" } else { "" });
    }
}

fn gender<'m>(c: &mut Conversion<'m>, w: &mut Json, nk1: Segment<'m>) {
    if let Some(sex) = c.one(nk1, 15, "RelatedPerson.gender")
        && let Some(code) = cwe::code(c, sex, &ADMINISTRATIVE_SEX)
    {
        w.code("gender", code);
    }
}

fn period<'m>(c: &mut Conversion<'m>, w: &mut Json, nk1: Segment<'m>) {
    period::member(c, w, nk1, [8, 9], "RelatedPerson.period");
}
