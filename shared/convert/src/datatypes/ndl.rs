//! NDL, a person with a place and a time: who interpreted, assisted with or transcribed a result.

use bridge_hl7v2::Value;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cnn, hd, period, pl},
    parts::Parts,
    report::Reason,
};

/// The levels from the widest to the narrowest: the component, and the code of its physical type.
const LEVELS: [(u32, &str); 6] = [(7, "si"), (10, "bu"), (4, ""), (11, "lvl"), (5, "ro"), (6, "bd")];

const MAPPED: [u32; 9] = [1, 2, 3, 4, 5, 6, 7, 10, 11];

/// The PractitionerRole an NDL stands for; `None` when it names nobody.
pub(crate) fn practitioner_role<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Ref> {
    let ndl = Parts::<11>::of(c, value, &MAPPED);
    // In NDL's own form the person is a component; senders also write the person's parts as components of the field.
    let Some(practitioner) = cnn::practitioner(c, ndl.value(1)) else {
        c.note(value, Reason::Lacks("a person"));
        return None;
    };
    let id = c.id_within("PractitionerRole", practitioner.id, &["ndl:", value.raw()]);
    let place = place(c, &ndl);
    Some(c.resource("PractitionerRole", id, |c, w| {
        w.object("period", |w| {
            period::bounds(c, w, Some(ndl.value(2)), Some(ndl.value(3)));
        });
        practitioner.write(w, "practitioner");
        if let Some(place) = place {
            w.array("location", |w| {
                place.item(w);
            });
        }
    }))
}

fn place<'m>(c: &mut Conversion<'m>, ndl: &Parts<'m, 11>) -> Option<Ref> {
    let mut path = String::new();
    let mut wider: Option<Ref> = None;
    for (n, kind) in LEVELS.into_iter().filter(|(n, _)| ndl.has(*n)) {
        path.push('^');
        path.push_str(ndl.raw(n));
        let id = c.id("Location", &["ndl"], &[&path]);
        wider = Some(c.resource("Location", id, |c, w| {
            w.array("identifier", |w| {
                if let Some(name) = ndl.value(n).part(1).content() {
                    w.item(|w| w.text("value", name.trim()));
                }
                if ndl.raw(n).contains(c.subcomponent) {
                    let level = hd::Hd::of(c, ndl.value(n), &[1, 2, 3]);
                    hd::universal_identifier(w, &level);
                }
            });
            w.code("mode", "instance");
            pl::physical_type(w, kind);
            if let Some(wider) = wider {
                wider.write(w, "partOf");
            }
        }));
    }
    wider
}
