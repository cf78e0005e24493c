//! EI, an entity identifier: the number an order, appointment or specimen goes by.

use bridge_hl7v2::Value;
use uuid::Uuid;

use crate::{
    conversion::Conversion,
    datatypes::{cx::Kind, hd},
    json::Json,
    parts::Parts,
    report::Reason,
};

/// The members of an Identifier. EI-2 to -4 name who assigned it, as an HD does.
pub(crate) fn identifier<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>, kind: Option<Kind>) {
    let ei = Parts::<4>::of(c, value, &[1, 2, 3, 4]);
    if let Some(kind) = kind {
        kind.member(w);
    }
    let system = hd::system(c, ei.raw(2), ei.raw(3), ei.raw(4));
    if let Some([scheme, rest]) = system {
        w.joined("system", &[scheme, rest]);
    }
    // The assigner as text: orders are matched by their number, and an Organization for each would tell nothing more.
    if let Some(assigner) = ei.text(2).or_else(|| ei.text(3).filter(|_| system.is_none())) {
        w.object("assigner", |w| w.text("display", &assigner));
    }
    if let Some(number) = ei.text(1) {
        w.text("value", &number);
    }
}

/// [`id`], where it is needed: a note, when there is no identifier.
pub(crate) fn needed_id<'m>(c: &mut Conversion<'m>, kind: &'static str, value: Value<'m>) -> Option<Uuid> {
    let id = id(c, kind, value);
    if id.is_none() {
        c.note(value, Reason::Lacks("an identifier"));
    }
    id
}

/// The id of the resource this identifier names; `None` when there is no identifier in it.
pub(crate) fn id<'m>(c: &mut Conversion<'m>, kind: &'static str, value: Value<'m>) -> Option<Uuid> {
    let number = value.part(1).content()?;
    let [namespace, universal, scheme] = [2, 3, 4].map(|n| value.part(n).raw());
    let facility = c.message.header().field(4).first().part(1).raw();
    let name = [namespace, universal, facility].into_iter().find(|n| !n.is_empty()).unwrap_or_default();
    let key = hd::system(c, namespace, universal, scheme).unwrap_or(["", name]);
    Some(c.id(kind, &key, &[number.trim()]))
}
