//! XON, an organisation with its name and identifier: as an organisation, a place, or a name.

use std::borrow::Cow;

use bridge_hl7v2::Value;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cx, hd},
    json::Json,
    parts::Parts,
    report::Reason,
};

type Xon<'m> = Parts<'m, 10>;

const MAPPED: [u32; 7] = [1, 3, 4, 5, 6, 7, 10];

/// The Organization an XON names; `None` when it names none.
pub(crate) fn organization<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Ref> {
    if let Some(made) = c.recent.get("Organization by name", value.raw()) {
        return Some(made);
    }
    let made = resource(c, "Organization", value, |_, _| {})?;
    c.recent.put("Organization by name", value.raw(), made);
    Some(made)
}

/// The same, and what other fields say about the organisation (address, contact).
pub(crate) fn organization_with<'m>(
    c: &mut Conversion<'m>,
    value: Value<'m>,
    rest: impl FnOnce(&mut Conversion<'m>, &mut Json),
) -> Option<Ref> {
    resource(c, "Organization", value, rest)
}

fn resource<'m>(
    c: &mut Conversion<'m>,
    kind: &'static str,
    value: Value<'m>,
    rest: impl FnOnce(&mut Conversion<'m>, &mut Json),
) -> Option<Ref> {
    let xon = Xon::of(c, value, &MAPPED);
    let number = if xon.has(10) { xon.text(10) } else { xon.text(3) };
    let name = xon.text(1);
    let id = match (&number, &name) {
        (Some(number), _) => {
            let [scheme, rest] = hd::authority(c, xon.value(6)).key;
            c.id(kind, &[scheme, rest], &[number])
        }
        // An organisation's name is its own, unlike a person's.
        (None, Some(name)) => c.id(kind, &["name"], &[name]),
        (None, None) => {
            c.note(value, Reason::Lacks("an identifier or a name"));
            return None;
        }
    };
    Some(c.resource(kind, id, |c, w| {
        w.array("identifier", |w| identifier_item(c, w, &xon));
        if let Some(name) = &name {
            w.text("name", name);
        }
        rest(c, w);
    }))
}

fn identifier_item<'m>(c: &mut Conversion<'m>, w: &mut Json, xon: &Xon<'m>) {
    let Some(number) = (if xon.has(10) { xon.text(10) } else { xon.text(3) }) else { return };
    w.item(|w| {
        cx::check_digit(w, xon, 4, 5);
        if let Some(kind) = xon.text(7) {
            cx::type_member(w, &kind);
        }
        hd::authority(c, xon.value(6)).members(c, w);
        w.text("value", &number);
    });
}

/// `identifier` of an organisation that other fields number too, and its `name`.
pub(crate) fn named<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    value: Option<Value<'m>>,
    numbers: impl Iterator<Item = Value<'m>>,
) {
    let xon = value.map(|value| Xon::of(c, value, &MAPPED));
    w.array("identifier", |w| {
        cx::items(c, w, numbers);
        if let Some(xon) = &xon {
            identifier_item(c, w, xon);
        }
    });
    if let Some(name) = xon.and_then(|xon| xon.text(1)) {
        w.text("name", &name);
    }
}

/// What an organisation is called: its name, else its number.
pub(crate) fn string<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Cow<'m, str>> {
    let name =
        [1, 10, 3].into_iter().find_map(|n| value.part(n).content()).and_then(crate::conversion::trimmed);
    if name.is_none() {
        c.note(value, Reason::Lacks("an identifier or a name"));
    }
    name
}
