//! ADT: admissions, transfers, discharges, updates, merges.

use crate::{
    conversion::{Conversion, Ref},
    messages::{merge, patient::Patient},
    report::ConvertError,
    segments::mrg,
};

/// Writes the resources of an ADT message and gives back what it is about.
pub(crate) fn convert(c: &mut Conversion<'_>, trigger: &str) -> Result<Vec<Ref>, ConvertError> {
    let root = c.message.header();
    let segments = c.children(root, &["PID"]);
    let mut patients: Vec<_> = segments.map(|pid| Patient::of(c, pid)).collect();
    if patients.is_empty() {
        return Err(super::missing(c, "PID"));
    }
    if trigger == "A29" {
        patients.iter_mut().for_each(|patient| patient.inactive = true);
    }
    if trigger == "A24" {
        see_also(&mut patients);
    }
    let replaced = merge::link(c, trigger, &mut patients);
    let mut focus = Vec::new();
    for patient in &patients {
        focus.extend(patient.write(c).focus);
    }
    for (segment, id, survivor) in replaced {
        focus.push(mrg::prior_patient(c, segment, id, survivor));
    }
    for patient in &patients {
        for segment in c.children(patient.pid, &["MRG"]) {
            focus.extend(mrg::prior_account(c, segment, patient.resource));
        }
    }
    Ok(focus)
}

/// A24: two records of one person, neither of which replaces the other.
fn see_also(patients: &mut [Patient<'_>]) {
    if let [first, second] = patients
        && first.resource != second.resource
    {
        first.links.push((second.resource, "seealso"));
        second.links.push((first.resource, "seealso"));
    }
}
