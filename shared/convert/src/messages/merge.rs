//! Merges: which patient replaces which. Nothing is rewritten here: both patients stay, linked to each other.

use bridge_hl7v2::Segment;
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    messages::patient::Patient,
    report::Reason,
    segments::mrg,
};

/// Events that say that the patient in MRG is the one in PID (merges and changes of the identifier).
const MERGES: [&str; 10] = ["A18", "A30", "A34", "A36", "A39", "A40", "A46", "A47", "A48", "A49"];

/// Links the patients of a message to those they replace, and gives back the replaced ones.
///
/// A link that would make a patient replace itself, directly or around a circle of the message's merges, is not made.
pub(crate) fn link<'m>(
    c: &mut Conversion<'m>,
    trigger: &str,
    patients: &mut [Patient<'m>],
) -> Vec<(Segment<'m>, Uuid, Ref)> {
    let mut replaced: Vec<(Segment<'m>, Uuid, Ref)> = Vec::new();
    if !MERGES.contains(&trigger) {
        return replaced;
    }
    for patient in patients.iter_mut() {
        for mrg in c.children(patient.pid, &["MRG"]) {
            let Some(prior) = mrg::prior_id(c, mrg) else { continue };
            if is_circular(&replaced, patient.resource.id, prior) {
                c.note_field(mrg, 1, Reason::CircularMerge);
                continue;
            }
            patient.links.push((Ref { kind: "Patient", id: prior }, "replaces"));
            replaced.push((mrg, prior, patient.resource));
        }
    }
    replaced
}

/// Whether `survivor` is, by the merges so far, replaced by `prior` in the end.
fn is_circular(merges: &[(Segment<'_>, Uuid, Ref)], survivor: Uuid, prior: Uuid) -> bool {
    let mut at = survivor;
    // Each merge is followed once at most: that many steps end any chain without a circle.
    for _ in 0..=merges.len() {
        if at == prior {
            return true;
        }
        match merges.iter().find(|(_, replaced, _)| *replaced == at) {
            Some((.., by)) => at = by.id,
            None => return false,
        }
    }
    true
}
