//! PL, a place: a bed in a room on a floor at a point of care in a building of a facility, as far as it is told.

use bridge_hl7v2::Value;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{ei, hd},
    json::Json,
    parts::Parts,
    report::Reason,
};

/// The levels from the widest to the narrowest: the component, and the code of its physical type.
const LEVELS: [(u32, &str); 6] = [(4, "si"), (7, "bu"), (1, ""), (8, "lvl"), (2, "ro"), (3, "bd")];

const MAPPED: [u32; 9] = [1, 2, 3, 4, 7, 8, 9, 10, 11];

/// The narrowest Location a PL names, each part of the next wider one; `None` when it names none. `status` is an
/// operational status (PV1-40) for it.
pub(crate) fn location<'m>(
    c: &mut Conversion<'m>,
    value: Value<'m>,
    status: impl FnOnce(&mut Conversion<'m>, &mut Json),
) -> Option<Ref> {
    let pl = Parts::<11>::of(c, value, &MAPPED);
    let narrowest = LEVELS.iter().rev().find(|(n, _)| pl.has(*n)).map(|(n, _)| *n);
    let facility = c.message.header().field(4).first().part(1).raw();
    let mut status = Some(status);
    let mut path = String::from(if pl.has(4) { "" } else { facility });
    let mut wider: Option<Ref> = None;
    for (n, kind) in LEVELS.into_iter().filter(|(n, _)| pl.has(*n)) {
        path.push('^');
        path.push_str(pl.raw(n));
        let id = c.id("Location", &["pl"], &[&path]);
        let last = Some(n) == narrowest;
        wider = Some(c.resource("Location", id, |c, w| {
            identifiers(c, w, &pl, n, last);
            if last {
                if let Some(status) = status.take() {
                    status(c, w);
                }
                if let Some(description) = pl.text(9) {
                    w.text("description", &description);
                }
            }
            w.code("mode", "instance");
            physical_type(w, kind);
            if let Some(wider) = wider {
                wider.write(w, "partOf");
            }
        }));
    }
    wider.or_else(|| described(c, &pl))
}

/// A place with a description or an identifier only.
fn described<'m>(c: &mut Conversion<'m>, pl: &Parts<'m, 11>) -> Option<Ref> {
    if !pl.has(9) && !pl.has(10) {
        c.note(pl.whole(), Reason::Lacks("a place"));
        return None;
    }
    let id = c.id("Location", &["pl"], &[pl.raw(9), "^", pl.raw(10)]);
    Some(c.resource("Location", id, |c, w| {
        identifiers(c, w, pl, 0, true);
        if let Some(description) = pl.text(9) {
            w.text("description", &description);
        }
        w.code("mode", "instance");
    }))
}

fn identifiers<'m>(c: &mut Conversion<'m>, w: &mut Json, pl: &Parts<'m, 11>, level: u32, last: bool) {
    w.array("identifier", |w| {
        let assigner = pl.has(11).then(|| hd::organization(c, pl.value(11))).flatten();
        if let Some(name) = pl.value(level).part(1).content().filter(|_| level > 0) {
            w.item(|w| {
                w.text("value", name.trim());
                if let Some(assigner) = assigner {
                    assigner.write(w, "assigner");
                }
            });
        }
        if pl.raw(level).contains(c.subcomponent) {
            let level = hd::Hd::of(c, pl.value(level), &[1, 2, 3]);
            hd::universal_identifier(w, &level);
        }
        if last && pl.has(10) {
            w.item(|w| {
                ei::identifier(c, w, pl.value(10), None);
                if let Some(assigner) = assigner.filter(|_| pl.value(10).part(2).is_empty()) {
                    assigner.write(w, "assigner");
                }
            });
        }
    });
}

pub(crate) fn physical_type(w: &mut Json, kind: &str) {
    w.object("physicalType", |w| {
        if kind.is_empty() {
            // The guide names no code for a point of care, and the code system has none.
            w.code("text", "point of care");
        } else {
            w.one("coding", |w| {
                w.code("system", "http://terminology.hl7.org/CodeSystem/location-physical-type");
                w.code("code", kind);
            });
        }
    });
}
