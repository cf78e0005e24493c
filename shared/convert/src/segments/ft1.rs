//! FT1, a charge. Not in the guide; see docs/adr/0020-dft-mapping.md.

use bridge_hl7v2::{Segment, Value};
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, cx, dtm, ei, nm, pl, xcn, xon},
    json::Json,
    messages::patient::Patient,
    report::Reason,
    segments::{nte, pr1},
};

/// What else belongs to a charge.
pub(crate) struct Around<'a> {
    /// The visit it was made in.
    pub(crate) encounter: Option<Ref>,
    /// PR1 after the FT1.
    pub(crate) procedures: &'a [Ref],
}

/// The ChargeItem of one FT1.
pub(crate) fn charge_item<'m>(
    c: &mut Conversion<'m>,
    ft1: Segment<'m>,
    patient: &Patient<'m>,
    around: &Around<'_>,
) -> Ref {
    let id = id(c, ft1, around.encounter.unwrap_or(patient.resource));
    let id = c.fresh("ChargeItem", id);
    c.resource("ChargeItem", id, |c, w| {
        c.skip(ft1, &[1]);
        identifiers(c, w, ft1);
        status(c, w, ft1);
        code(c, w, ft1);
        patient.resource.write(w, "subject");
        if let Some(encounter) = around.encounter {
            encounter.write(w, "context");
        }
        occurrence(c, w, ft1);
        w.array("performer", |w| performers(c, w, ft1));
        organizations(c, w, ft1);
        if let Some(quantity) = c.one(ft1, 10, "ChargeItem.quantity") {
            w.object("quantity", |w| nm::decimal_member(c, w, "value", quantity));
        }
        price(c, w, ft1);
        if let Some(enterer) = c.one(ft1, 24, "ChargeItem.enterer")
            && let Some(practitioner) = xcn::practitioner(c, enterer)
        {
            practitioner.write(w, "enterer");
        }
        if let Some(posted) = c.one(ft1, 5, "ChargeItem.enteredDate") {
            dtm::date_time(c, w, "enteredDate", posted);
        }
        w.array("reason", |w| {
            let diagnoses = c.each(ft1, 19, "ChargeItem.reason");
            cwe::items(c, w, diagnoses, None);
        });
        w.array("service", |w| around.procedures.iter().for_each(|procedure| procedure.item(w)));
        if let Some(account) = patient.account {
            w.array("account", |w| account.item(w));
        }
        notes(c, w, ft1);
    })
}

/// By FT1-2, the transaction id; else by batch, code and date under the visit.
fn id<'m>(c: &mut Conversion<'m>, ft1: Segment<'m>, owner: Ref) -> Uuid {
    if let Some(id) = cx::id(c, "ChargeItem", ft1.field(2).first()) {
        return id;
    }
    let [batch, at, code] = [3, 4, 7].map(|n| ft1.field(n).first().part(1).raw());
    c.id_within("ChargeItem", owner.id, &["FT1:", batch, "|", at, "|", code])
}

fn identifiers<'m>(c: &mut Conversion<'m>, w: &mut Json, ft1: Segment<'m>) {
    w.array("identifier", |w| {
        if let Some(transaction) = c.one(ft1, 2, "ChargeItem.identifier") {
            w.item(|w| cx::identifier(c, w, transaction, None));
        }
        if let Some(batch) = c.text(ft1, 3, "ChargeItem.identifier") {
            w.item(|w| {
                w.object("type", |w| w.code("text", "batch"));
                w.text("value", &batch);
            });
        }
        if let Some(filler) = c.one(ft1, 23, "ChargeItem.identifier") {
            w.item(|w| ei::identifier(c, w, filler, Some(cx::Kind::FILLER)));
        }
    });
}

/// FT1-6: a charge is billable, a credit or an adjustment takes it back. Payments are no charges, and say so.
fn status<'m>(c: &mut Conversion<'m>, w: &mut Json, ft1: Segment<'m>) {
    let kind = c.one(ft1, 6, "ChargeItem.status");
    match kind.map(|kind| kind.part(1).raw().trim()) {
        Some("CG" | "CD" | "C") => w.code("status", "billable"),
        Some("CR" | "D") => w.code("status", "aborted"),
        Some("PY" | "P" | "AJ" | "A" | "R") => w.code("status", "not-billable"),
        _ => {
            let reason = Reason::Default("ChargeItem.status");
            match kind {
                Some(kind) => c.note(kind, reason),
                None => c.note_field(ft1, 6, reason),
            }
            w.text("status", &c.profile.defaults.charge_status);
        }
    }
}

/// The code that is charged for: FT1-25 (procedure) where it is given, and FT1-7 (charge master) beside it. R4's
/// ChargeItem has no place for modifiers, and a bill without them is another bill: they follow the code as in PR1.
fn code<'m>(c: &mut Conversion<'m>, w: &mut Json, ft1: Segment<'m>) {
    let procedure = c.one(ft1, 25, "ChargeItem.code");
    let transaction = c.one(ft1, 7, "ChargeItem.code");
    let modifiers: Vec<Value<'m>> = c.each(ft1, 26, "ChargeItem.code").collect();
    let described = [8, 9].map(|n| c.text(ft1, n, "ChargeItem.code.text"));
    let said = w.object("code", |w| {
        w.array("coding", |w| {
            match procedure.or(transaction) {
                Some(coded) => pr1::modified_coding(c, w, coded, &modifiers),
                None => modifiers.iter().for_each(|modifier| c.note(*modifier, Reason::Lacks("a code"))),
            }
            // Senders repeat the procedure code in FT1-7.
            let other =
                transaction.filter(|code| procedure.is_none_or(|procedure| procedure.raw() != code.raw()));
            for value in [procedure, other].into_iter().flatten() {
                cwe::coding_items(c, w, value, None);
            }
        });
        let own = [procedure, transaction]
            .into_iter()
            .flatten()
            .find_map(|value| cwe::has_text(value).then(|| cwe::string(value)).flatten());
        if let Some(text) = own.or_else(|| described.into_iter().flatten().next()) {
            w.text("text", &text);
        }
    });
    if !said {
        c.note_field(ft1, 7, Reason::Default("ChargeItem.code"));
        w.object("code", |w| {
            w.one("coding", |w| {
                w.code("system", "http://terminology.hl7.org/CodeSystem/data-absent-reason");
                w.code("code", "unknown");
            });
        });
    }
}

/// FT1-4, a date or time, or a range of them.
fn occurrence<'m>(c: &mut Conversion<'m>, w: &mut Json, ft1: Segment<'m>) {
    let Some(value) = c.one(ft1, 4, "ChargeItem.occurrence") else { return };
    let end = value.part(2);
    // Before v2.3 the second component was a precision (`D`, `M`), not an end.
    if end.content().is_some_and(|text| text.len() >= 4) {
        w.object("occurrencePeriod", |w| {
            dtm::date_time(c, w, "start", value.part(1));
            dtm::date_time(c, w, "end", end);
        });
    } else {
        dtm::date_time(c, w, "occurrenceDateTime", value);
    }
}

/// Who did it (FT1-20) and who ordered it (FT1-21).
fn performers<'m>(c: &mut Conversion<'m>, w: &mut Json, ft1: Segment<'m>) {
    for (n, code) in [(20, "PPRF"), (21, "REF")] {
        for value in c.each(ft1, n, "ChargeItem.performer") {
            let Some(practitioner) = xcn::practitioner(c, value) else { continue };
            w.item(|w| {
                w.object("function", |w| {
                    w.one("coding", |w| {
                        w.code("system", "http://terminology.hl7.org/CodeSystem/v3-ParticipationType");
                        w.code("code", code);
                    });
                });
                practitioner.write(w, "actor");
            });
        }
    }
}

/// Who performed and who requested it (FT1-32, FT1-33), the department (FT1-13) and its place (FT1-16).
fn organizations<'m>(c: &mut Conversion<'m>, w: &mut Json, ft1: Segment<'m>) {
    for (n, key) in [(32, "performingOrganization"), (33, "requestingOrganization")] {
        if let Some(value) = c.one(ft1, n, "ChargeItem.performingOrganization")
            && let Some(organization) = xon::organization(c, value)
        {
            organization.write(w, key);
        }
    }
    if let Some(department) = c.one(ft1, 13, "ChargeItem.costCenter")
        && let Some(organization) = cwe::organization(c, department)
    {
        organization.write(w, "costCenter");
    }
    if let Some(place) = c.one(ft1, 16, "ChargeItem.supportingInformation")
        && let Some(location) = pl::location(c, place, |_, _| {})
    {
        w.array("supportingInformation", |w| location.item(w));
    }
}

/// The whole amount (FT1-11), else the amount of one (FT1-12), in the currency the sender gives.
fn price<'m>(c: &mut Conversion<'m>, w: &mut Json, ft1: Segment<'m>) {
    let (extended, unit) =
        (c.one(ft1, 11, "ChargeItem.priceOverride"), c.one(ft1, 12, "ChargeItem.priceOverride"));
    let Some(amount) = extended.or(unit) else { return };
    if let (Some(_), Some(unit)) = (extended, unit) {
        c.note(unit, Reason::Superseded("FT1-11"));
    }
    // CP: components price, type; the price is MO: quantity, denomination. Old senders write the quantity alone.
    let money = amount.part(1);
    for further in amount.parts().skip(1).filter(|part| part.content().is_some()) {
        c.note(further, Reason::NotMapped);
    }
    w.object("priceOverride", |w| {
        nm::decimal_member(c, w, "value", money.part(1));
        if let Some(currency) = money.part(2).content().filter(|text| text.trim().len() == 3) {
            w.text("currency", &currency.trim().to_ascii_uppercase());
        }
    });
}

/// NTE after the FT1, and what the charge was called twice over.
fn notes<'m>(c: &mut Conversion<'m>, w: &mut Json, ft1: Segment<'m>) {
    w.array("note", |w| {
        for segment in c.children(ft1, &["NTE"]) {
            nte::annotation(c, w, segment);
        }
    });
}
