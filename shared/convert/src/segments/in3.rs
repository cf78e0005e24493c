//! IN3, certification by an insurer: its case manager.

use bridge_hl7v2::Segment;

use crate::conversion::{Conversion, Ref};

/// The CareTeam with the case manager (IN3-21) of an insurance.
pub(crate) fn care_team<'m>(c: &mut Conversion<'m>, in1: Segment<'m>, patient: Ref, coverage: Ref) {
    for in3 in c.children(in1, &["IN3"]) {
        let Some(manager) = c.text(in3, 21, "CareTeam.participant") else { continue };
        c.skip(in3, &[1]);
        let id = c.id_within("CareTeam", coverage.id, &["IN3-21"]);
        let id = c.fresh("CareTeam", id);
        c.resource("CareTeam", id, |_, w| {
            patient.write(w, "subject");
            w.one("participant", |w| {
                w.one("role", |w| {
                    w.one("coding", |w| {
                        w.code("system", "http://snomed.info/sct");
                        w.code("code", "768832004");
                    });
                    w.code("text", "case manager");
                });
                w.object("member", |w| w.text("display", &manager));
            });
        });
    }
}
