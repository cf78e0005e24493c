//! CNN, a person with an identifier in the short form NDL uses.

use bridge_hl7v2::Value;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{
        hd,
        xpn::{self, Layout},
    },
    parts::Parts,
    report::Reason,
};

const NAME: Layout = Layout {
    family: 2,
    given: 3,
    second: 4,
    suffix: 5,
    prefix: 6,
    degree: 7,
    kind: 0,
    validity: 0,
    assembly: 0,
    start: 0,
    end: 0,
    professional: 0,
};

/// The Practitioner a CNN names; `None` when it names nobody.
pub(crate) fn practitioner<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> Option<Ref> {
    let cnn = Parts::<11>::of(c, value, &[1, 2, 3, 4, 5, 6, 7, 9, 10, 11]);
    let system = hd::system(c, cnn.raw(9), cnn.raw(10), cnn.raw(11));
    let facility = c.message.header().field(4).first().part(1).raw();
    let name = if cnn.has(9) { cnn.raw(9) } else { facility };
    let id = match cnn.text(1) {
        Some(number) => c.id("Practitioner", &system.unwrap_or(["", name]), &[&number]),
        None if cnn.has(2) => c.id_in_message("Practitioner", &["name:", value.raw()]),
        None => {
            c.note(value, Reason::Lacks("an identifier or a name"));
            return None;
        }
    };
    Some(c.resource("Practitioner", id, |c, w| {
        if let Some(number) = cnn.text(1) {
            w.one("identifier", |w| {
                if let Some([scheme, rest]) = system {
                    w.joined("system", &[scheme, rest]);
                }
                if let Some(assigner) = cnn.text(9) {
                    w.object("assigner", |w| w.text("display", &assigner));
                }
                w.text("value", &number);
            });
        }
        w.array("name", |w| {
            w.item(|w| xpn::members(c, w, &cnn, &NAME));
        });
    }))
}
