//! The Specimen that an OBR tells of, from before there was SPM.

use bridge_hl7v2::Segment;

use super::effective;
use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cq, cwe, dtm, ei, sps::SpecimenSource, xcn},
};

/// Fields that tell of a specimen; OBR-7 and -8 are times of the observation as well.
pub(crate) const SPECIMEN: [u32; 5] = [9, 10, 14, 15, 39];

/// The Specimen an OBR tells of; `None` when it tells of none.
pub(crate) fn specimen<'m>(c: &mut Conversion<'m>, obr: Segment<'m>, patient: Option<Ref>) -> Option<Ref> {
    let fasting = c.profile.clinical_information_is_fasting && c.valued(obr, 13);
    if !fasting && !SPECIMEN.iter().any(|n| c.valued(obr, *n)) {
        return None;
    }
    let order = [obr.field(2), obr.field(3)].map(|field| field.component(1).raw());
    let id = match ei::id(c, "Specimen", obr.field(3).first())
        .or_else(|| ei::id(c, "Specimen", obr.field(2).first()))
    {
        Some(id) => id,
        None => c.id_in_message("Specimen", &[order[0], "|", &obr.position().to_string()]),
    };
    Some(c.resource("Specimen", id, |c, w| {
        let source = c.one(obr, 15, "Specimen.type").map(|value| SpecimenSource::of(c, value));
        if let Some(source) = &source {
            source.kind(c, w);
        }
        if let Some(patient) = patient {
            patient.write(w, "subject");
        }
        if let Some(received) = c.one(obr, 14, "Specimen.receivedTime") {
            dtm::date_time(c, w, "receivedTime", received);
        }
        w.object("collection", |w| {
            if let Some(collector) = c.one(obr, 10, "Specimen.collection.collector")
                && let Some(practitioner) = xcn::practitioner(c, collector)
            {
                practitioner.write(w, "collector");
            }
            effective(c, w, obr, ["collectedDateTime", "collectedPeriod"], "Specimen.collection.collected");
            if let Some(volume) = c.one(obr, 9, "Specimen.collection.quantity") {
                w.object("quantity", |w| cq::quantity(c, w, volume));
            }
            if let Some(source) = &source {
                source.body_site(c, w);
            }
            if fasting && let Some(value) = c.one(obr, 13, "Specimen.collection.fastingStatus") {
                cwe::member(c, w, "fastingStatusCodeableConcept", Some(value), None);
            }
        });
        if let Some(source) = &source {
            source.rest(c, w);
        }
        w.array("note", |w| {
            if let Some(source) = &source {
                source.note(w);
            }
            let comments = c.each(obr, 39, "Specimen.note");
            for text in cwe::strings(c, comments) {
                w.item(|w| w.text("text", &text));
            }
        });
    }))
}
