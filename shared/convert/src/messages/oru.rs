//! ORU: results.

use crate::{
    conversion::{Conversion, Ref},
    messages::{order, patient::Patient},
    report::ConvertError,
};

/// Writes the resources of an ORU message and gives back what it is about.
pub(crate) fn convert(c: &mut Conversion<'_>) -> Result<Vec<Ref>, ConvertError> {
    let root = c.message.header();
    let mut reports = Vec::new();
    let mut others = Vec::new();
    // The standard lets a result come without a patient (of a sample from no one): such orders stand under MSH.
    reports.extend(order::write_all(c, root, None, None));
    for pid in c.children(root, &["PID"]) {
        let made = Patient::of(c, pid).write(c);
        reports.extend(order::write_all(c, pid, Some(made.patient), made.encounter));
        others.extend(made.focus);
    }
    if reports.is_empty() && others.is_empty() {
        return Err(super::missing(c, "OBR"));
    }
    reports.extend(others);
    Ok(reports)
}
