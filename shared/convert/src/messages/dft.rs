//! DFT: charges. The guide has no mapping for it; see docs/adr/0020-dft-mapping.md.

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    messages::{
        order,
        patient::{Made, Patient},
    },
    report::ConvertError,
    segments::{dg1, ft1, pr1},
};

/// Writes the resources of a DFT message and gives back what it is about.
pub(crate) fn convert(c: &mut Conversion<'_>) -> Result<Vec<Ref>, ConvertError> {
    let root = c.message.header();
    let patients: Vec<_> = c.children(root, &["PID"]).collect();
    if patients.is_empty() {
        return Err(super::missing(c, "PID"));
    }
    let mut focus = Vec::new();
    let mut others = Vec::new();
    for pid in patients {
        let patient = Patient::of(c, pid);
        let made = patient.write(c);
        for segment in c.children(pid, &["FT1"]) {
            focus.push(charge(c, segment, &patient, &made));
        }
        order::write_all(c, pid, Some(made.patient), made.encounter);
        others.extend(made.focus);
    }
    if focus.is_empty() {
        return Err(super::missing(c, "FT1"));
    }
    focus.extend(others);
    Ok(focus)
}

fn charge<'m>(c: &mut Conversion<'m>, segment: Segment<'m>, patient: &Patient<'m>, made: &Made) -> Ref {
    let procedures: Vec<_> = c
        .children(segment, &["PR1"])
        .map(|pr1| pr1::procedure(c, pr1, made.patient, made.encounter))
        .collect();
    // DFT^P11: diagnoses of this charge.
    for diagnosis in c.children(segment, &["DG1"]) {
        dg1::condition(c, diagnosis, made.patient, made.encounter);
    }
    let around = ft1::Around { encounter: made.encounter, procedures: &procedures };
    ft1::charge_item(c, segment, patient, &around)
}
