//! XCN, a person with an identifier: as a practitioner.

use bridge_hl7v2::Value;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{
        cx, hd,
        xpn::{self, Layout},
    },
    json::Json,
    parts::Parts,
    report::Reason,
    tables::{DEGREE, Found},
};

type Xcn<'m> = Parts<'m, 23>;

const NAME: Layout = Layout {
    family: 2,
    given: 3,
    second: 4,
    suffix: 5,
    prefix: 6,
    degree: 0,
    kind: 10,
    validity: 17,
    assembly: 18,
    start: 19,
    end: 20,
    professional: 21,
};

const MAPPED: [u32; 17] = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 17, 18, 19, 20, 21];

/// The Practitioner an XCN names; `None` when it names nobody.
pub(crate) fn practitioner<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Ref> {
    let made = c.recent.get("Practitioner", value.raw());
    made.or_else(|| practitioner_with(c, value, |_, _| {}))
}

/// The same, and what other fields say about the person (an address).
pub(crate) fn practitioner_with<'m>(
    c: &mut Conversion<'m>,
    value: Value<'m>,
    rest: impl FnOnce(&mut Conversion<'m>, &mut Json),
) -> Option<Ref> {
    let xcn = Xcn::of(c, value, &MAPPED);
    let Some(id) = id(c, "Practitioner", &xcn) else {
        c.note(value, Reason::Lacks("an identifier or a name"));
        return None;
    };
    let made = c.resource("Practitioner", id, |c, w| {
        identifier(c, w, &xcn);
        w.array("name", |w| {
            w.item(|w| xpn::members(c, w, &xcn, &NAME));
        });
        rest(c, w);
        if let Some(degree) = xcn.text(7) {
            w.one("qualification", |w| {
                w.object("code", |w| {
                    w.one("coding", |w| {
                        if !matches!(DEGREE.find(&degree), Found::Unknown) {
                            w.text("system", DEGREE.own_system());
                        }
                        w.text("code", &degree);
                    });
                });
            });
        }
    });
    c.recent.put("Practitioner", value.raw(), made);
    Some(made)
}

/// Elements of an array of references to practitioners.
pub(crate) fn practitioner_items<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    values: impl Iterator<Item = Value<'m>>,
) {
    for value in values {
        if let Some(practitioner) = practitioner(c, value) {
            practitioner.item(w);
        }
    }
}

/// By the identifier; a person with a name alone is known in this message only, since names are shared.
fn id<'m>(c: &mut Conversion<'m>, kind: &'static str, xcn: &Xcn<'m>) -> Option<uuid::Uuid> {
    if let Some(number) = xcn.text(1) {
        let [scheme, rest] = hd::authority(c, xcn.value(9)).key;
        return Some(c.id(kind, &[scheme, rest], &[&number]));
    }
    let named = xcn.has(2) || xcn.has(3);
    named.then(|| c.id_in_message(kind, &["name:", xcn.whole().raw()]))
}

fn identifier<'m>(c: &mut Conversion<'m>, w: &mut Json, xcn: &Xcn<'m>) {
    let Some(number) = xcn.text(1) else { return };
    w.one("identifier", |w| {
        cx::check_digit(w, xcn, 11, 12);
        if let Some(kind) = xcn.text(13) {
            cx::type_member(w, &kind);
        }
        hd::authority(c, xcn.value(9)).members(c, w);
        w.text("value", &number);
    });
}
