//! SPM, a specimen.

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cq, cwe, cx, dr, dtm, ei, eip},
    json::Json,
    report::Reason,
    tables::{ADDITIVE, COLLECTION_METHOD, SPECIMEN_CONDITION, SPECIMEN_STATUS, SPECIMEN_TYPE},
};

/// The Specimen of one SPM; `owner` is the report it belongs to, for a specimen without a number.
pub(crate) fn specimen<'m>(
    c: &mut Conversion<'m>,
    spm: Segment<'m>,
    patient: Option<Ref>,
    owner: uuid::Uuid,
) -> Ref {
    let numbers = spm.field(2).first();
    let id = [numbers.part(2), numbers.part(1), spm.field(30).first()];
    let id = id.into_iter().find_map(|number| ei::id(c, "Specimen", number));
    let id = id.unwrap_or_else(|| c.id_within("Specimen", owner, &["SPM:", spm.field(4).component(1).raw()]));
    let id = c.fresh("Specimen", id);
    c.resource("Specimen", id, |c, w| {
        c.skip(spm, &[1]);
        identifiers(c, w, spm);
        if let Some(accession) = c.one(spm, 30, "Specimen.accessionIdentifier") {
            w.object("accessionIdentifier", |w| cx::identifier(c, w, accession, None));
        }
        status(c, w, spm);
        let kind = c.one(spm, 4, "Specimen.type");
        cwe::member(c, w, "type", kind, Some(&SPECIMEN_TYPE));
        if let Some(patient) = patient {
            patient.write(w, "subject");
        }
        if let Some(received) = c.one(spm, 18, "Specimen.receivedTime") {
            dtm::date_time(c, w, "receivedTime", received);
        }
        parents(c, w, spm);
        w.object("collection", |w| collection(c, w, spm));
        w.one("container", |w| {
            let kind = c.one(spm, 27, "Specimen.container.type");
            cwe::member(c, w, "type", kind, None);
            let additive = c.one(spm, 6, "Specimen.container.additive");
            cwe::member(c, w, "additiveCodeableConcept", additive, Some(&ADDITIVE));
        });
        w.array("condition", |w| {
            let conditions = c.each(spm, 24, "Specimen.condition");
            cwe::items(c, w, conditions, Some(&SPECIMEN_CONDITION));
        });
        w.array("note", |w| {
            for text in c.each(spm, 14, "Specimen.note") {
                w.item(|w| w.text("text", text.text().trim()));
            }
        });
    })
}

fn identifiers<'m>(c: &mut Conversion<'m>, w: &mut Json, spm: Segment<'m>) {
    w.array("identifier", |w| {
        if let Some(numbers) = c.one(spm, 2, "Specimen.identifier") {
            eip::items(c, w, numbers);
        }
        let others = c.each(spm, 31, "Specimen.identifier");
        cx::items(c, w, others);
        if let Some(shipment) = c.one(spm, 32, "Specimen.identifier") {
            w.item(|w| ei::identifier(c, w, shipment, None));
        }
    });
}

fn status<'m>(c: &mut Conversion<'m>, w: &mut Json, spm: Segment<'m>) {
    if let Some(available) = c.one(spm, 20, "Specimen.status") {
        match SPECIMEN_STATUS.code(available.raw().trim()) {
            Some(status) => w.code("status", status),
            None => c.note(available, Reason::NoCode),
        }
    }
}

fn parents<'m>(c: &mut Conversion<'m>, w: &mut Json, spm: Segment<'m>) {
    w.array("parent", |w| {
        for pair in c.each(spm, 3, "Specimen.parent") {
            eip::two_parts(c, pair);
            for (n, kind) in [(1, cx::Kind::PLACER_GROUP), (2, cx::Kind::FILLER_GROUP)] {
                let number = pair.part(n);
                if number.content().is_some() {
                    w.item(|w| {
                        w.code("type", "Specimen");
                        w.object("identifier", |w| ei::identifier(c, w, number, Some(kind)));
                    });
                }
            }
        }
    });
}

fn collection<'m>(c: &mut Conversion<'m>, w: &mut Json, spm: Segment<'m>) {
    if let Some(collected) = c.one(spm, 17, "Specimen.collection.collected") {
        if collected.part(2).content().is_some() {
            w.object("collectedPeriod", |w| dr::members(c, w, collected));
        } else {
            dtm::date_time(c, w, "collectedDateTime", collected);
        }
    }
    if let Some(amount) = c.one(spm, 12, "Specimen.collection.quantity") {
        w.object("quantity", |w| cq::quantity(c, w, amount));
    }
    let method = c.one(spm, 7, "Specimen.collection.method");
    cwe::member(c, w, "method", method, Some(&COLLECTION_METHOD));
    let site = c.one(spm, 8, "Specimen.collection.bodySite");
    cwe::member(c, w, "bodySite", site, None);
}
