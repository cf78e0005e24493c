//! MRG, the identifiers that are replaced: of the prior patient, account and visit.

use bridge_hl7v2::Segment;
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cx, xpn},
    segments::pid,
};

/// The id of the patient that is replaced; `None` when MRG names none.
pub(crate) fn prior_id<'m>(c: &mut Conversion<'m>, mrg: Segment<'m>) -> Option<Uuid> {
    if let Some(id) = pid::best(c, mrg.field(1).filled()).and_then(|cx| cx::id(c, "Patient", cx)) {
        return Some(id);
    }
    [4, 2].into_iter().find_map(|n| cx::id(c, "Patient", mrg.field(n).first()))
}

/// The Patient that is replaced: what is left to say about it, and by whom.
pub(crate) fn prior_patient<'m>(c: &mut Conversion<'m>, mrg: Segment<'m>, id: Uuid, survivor: Ref) -> Ref {
    c.resource("Patient", id, |c, w| {
        w.array("identifier", |w| {
            for n in [1, 2, 4] {
                let values = c.each(mrg, n, "Patient.identifier");
                cx::items(c, w, values);
            }
        });
        w.boolean("active", false);
        w.array("name", |w| {
            let names = c.each(mrg, 7, "Patient.name");
            xpn::items(c, w, names);
        });
        w.one("link", |w| {
            survivor.write(w, "other");
            w.code("type", "replaced-by");
        });
    })
}

/// The account that is replaced (MRG-3). Whether it is still open, MRG does not say.
pub(crate) fn prior_account<'m>(c: &mut Conversion<'m>, mrg: Segment<'m>, subject: Ref) -> Option<Ref> {
    let value = c.one(mrg, 3, "Account.identifier")?;
    let id = cx::needed_id(c, "Account", value)?;
    Some(c.resource("Account", id, |c, w| {
        w.one("identifier", |w| cx::identifier(c, w, value, None));
        w.code("status", "unknown");
        w.array("subject", |w| subject.item(w));
    }))
}
