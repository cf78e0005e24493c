//! GT1, the guarantor: who answers for the bill. Not in the guide; see docs/adr/0020-dft-mapping.md.

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, cx, dtm, period, xad, xon, xpn, xtn},
    json::Json,
    segments::pid,
    tables::{ADMINISTRATIVE_SEX, RELATIONSHIP},
};

/// A guarantor of an account.
#[derive(Clone, Copy)]
pub(crate) struct Guarantor<'m> {
    party: Ref,
    gt1: Segment<'m>,
}

impl<'m> Guarantor<'m> {
    /// The members of Account.guarantor.
    pub(crate) fn members(self, c: &mut Conversion<'m>, w: &mut Json) {
        self.party.write(w, "party");
        period::member(c, w, self.gt1, [13, 14], "Account.guarantor.period");
    }
}

/// The guarantor of one GT1: the patient (GT1-11 says so), an organisation (GT1-21 without a name), or a RelatedPerson.
pub(crate) fn guarantor<'m>(c: &mut Conversion<'m>, gt1: Segment<'m>, patient: Ref) -> Option<Guarantor<'m>> {
    c.skip(gt1, &[1]);
    let relationship = gt1.field(11).component(1).raw();
    let party = if matches!(relationship, "SEL" | "S" | "SELF" | "18") {
        c.field(gt1, 11);
        for (n, by) in [(3, "PID-5"), (5, "PID-11"), (6, "PID-13"), (7, "PID-14"), (8, "PID-7"), (9, "PID-8")]
        {
            c.superseded(gt1, n, by);
        }
        patient
    } else if !c.valued(gt1, 3) {
        let name = c.one(gt1, 21, "Account.guarantor")?;
        xon::organization_with(c, name, |c, w| {
            w.array("telecom", |w| telecoms(c, w, gt1));
            w.array("address", |w| addresses(c, w, gt1));
        })?
    } else {
        related_person(c, gt1, patient)
    };
    Some(Guarantor { party, gt1 })
}

/// By the guarantor's number; else by name and role, as a next of kin would be: often it is the same person.
fn related_person<'m>(c: &mut Conversion<'m>, gt1: Segment<'m>, patient: Ref) -> Ref {
    let own = cx::id(c, "RelatedPerson", gt1.field(2).first());
    let [name, role] = [gt1.field(3).raw(), gt1.field(11).component(1).raw()];
    let id = match own {
        Some(own) => c.id_within("RelatedPerson", patient.id, &["GT1-2:", &own.to_string()]),
        None => c.id_within("RelatedPerson", patient.id, &["NK1:", name, "|", role]),
    };
    c.resource("RelatedPerson", id, |c, w| {
        w.array("identifier", |w| {
            let numbers = c.each(gt1, 2, "RelatedPerson.identifier");
            cx::items(c, w, numbers);
            if let Some(ssn) = c.text(gt1, 12, "RelatedPerson.identifier.where(type.coding.code = 'SS')") {
                pid::national_id(c, w, &ssn);
            }
        });
        patient.write(w, "patient");
        if let Some(relationship) = c.one(gt1, 11, "RelatedPerson.relationship") {
            w.one("relationship", |w| cwe::codeable_concept(c, w, relationship, Some(&RELATIONSHIP)));
        }
        w.array("name", |w| {
            let names = c.each(gt1, 3, "RelatedPerson.name");
            xpn::items(c, w, names);
        });
        w.array("telecom", |w| telecoms(c, w, gt1));
        if let Some(sex) = c.one(gt1, 9, "RelatedPerson.gender")
            && let Some(code) = cwe::code(c, sex, &ADMINISTRATIVE_SEX)
        {
            w.code("gender", code);
        }
        if let Some(birth) = c.one(gt1, 8, "RelatedPerson.birthDate") {
            dtm::date(c, w, "birthDate", birth);
        }
        w.array("address", |w| addresses(c, w, gt1));
    })
}

fn telecoms<'m>(c: &mut Conversion<'m>, w: &mut Json, gt1: Segment<'m>) {
    for (n, default_use) in [(6, "home"), (7, "work")] {
        let values = c.each(gt1, n, "RelatedPerson.telecom");
        xtn::items(c, w, values, default_use);
    }
}

fn addresses<'m>(c: &mut Conversion<'m>, w: &mut Json, gt1: Segment<'m>) {
    let values = c.each(gt1, 5, "RelatedPerson.address");
    xad::items(c, w, values);
}
