//! CX, an identifier with its check digit, its assigning authority and its type.

use bridge_hl7v2::Value;
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{hd, period},
    json::Json,
    parts::Parts,
    report::Reason,
    tables::{Found, IDENTIFIER_TYPE},
};

/// The members of an Identifier. A `kind` given here is what the field means, and comes before what CX-5 says.
pub(crate) fn identifier<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>, kind: Option<Kind>) {
    let cx = Parts::<10>::of(c, value, &[1, 2, 3, 4, 5, 7, 8]);
    check_digit(w, &cx, 2, 3);
    match (kind, cx.text(5)) {
        (Some(kind), sent) => {
            w.object("type", |w| {
                w.array("coding", |w| {
                    w.item(|w| kind.coding(w));
                    if let Some(sent) = sent.filter(|sent| *sent != kind.code) {
                        w.item(|w| type_coding(w, &sent));
                    }
                });
                w.text("text", kind.text);
            });
        }
        (None, Some(sent)) => type_member(w, &sent),
        (None, None) => {}
    }
    hd::authority(c, cx.value(4)).members(c, w);
    if let Some(id) = cx.text(1) {
        w.text("value", &id);
    }
    w.object("period", |w| {
        period::bounds(c, w, Some(cx.value(7)), Some(cx.value(8)));
    });
}

/// What a field says an identifier is.
#[derive(Clone, Copy)]
pub(crate) struct Kind {
    /// A code of v2 table 0203.
    pub(crate) code: &'static str,
    /// Its name, when the code alone is not clear.
    pub(crate) text: &'static str,
}

impl Kind {
    pub(crate) const VISIT: Self = Self { code: "VN", text: "visit number" };
    pub(crate) const PLACER: Self = Self { code: "PLAC", text: "" };
    pub(crate) const FILLER: Self = Self { code: "FILL", text: "" };
    pub(crate) const PLACER_GROUP: Self = Self { code: "PGN", text: "" };
    pub(crate) const FILLER_GROUP: Self = Self { code: "FGN", text: "" };

    pub(crate) fn coding(self, w: &mut Json) {
        w.code("system", "http://terminology.hl7.org/CodeSystem/v2-0203");
        w.code("code", self.code);
    }

    pub(crate) fn member(self, w: &mut Json) {
        w.object("type", |w| {
            w.one("coding", |w| self.coding(w));
        });
    }
}

/// The `type` of an Identifier: a code of table 0203, or one of the sender's own.
pub(crate) fn type_member(w: &mut Json, code: &str) {
    w.object("type", |w| {
        w.one("coding", |w| type_coding(w, code));
    });
}

fn type_coding(w: &mut Json, code: &str) {
    if !matches!(IDENTIFIER_TYPE.find(code), Found::Unknown) {
        w.text("system", IDENTIFIER_TYPE.own_system());
    }
    w.text("code", code);
}

/// The extensions for a check digit and its scheme.
pub(crate) fn check_digit<const N: usize>(w: &mut Json, parts: &Parts<'_, N>, digit: u32, scheme: u32) {
    w.array("extension", |w| {
        if let Some(digit) = parts.text(digit) {
            w.extension("http://hl7.org/fhir/StructureDefinition/identifier-checkDigit", |w| {
                w.text("valueString", &digit);
            });
        }
        if let Some(scheme) = parts.text(scheme) {
            w.extension("http://hl7.org/fhir/StructureDefinition/namingsystem-checkDigit", |w| {
                w.text("valueString", &scheme);
            });
        }
    });
}

/// Elements of an array of Identifiers.
pub(crate) fn items<'m>(c: &mut Conversion<'m>, w: &mut Json, values: impl Iterator<Item = Value<'m>>) {
    for value in values {
        w.item(|w| identifier(c, w, value, None));
    }
}

/// The id of the resource this identifier names; `None` when there is no identifier in it.
pub(crate) fn id<'m>(c: &mut Conversion<'m>, kind: &'static str, value: Value<'m>) -> Option<Uuid> {
    let number = value.part(1).content()?;
    let [scheme, rest] = key(c, value);
    Some(c.id(kind, &[scheme, rest], &[number.trim()]))
}

/// The same, where it is needed: a note, when there is no identifier.
pub(crate) fn needed_id<'m>(c: &mut Conversion<'m>, kind: &'static str, value: Value<'m>) -> Option<Uuid> {
    let id = id(c, kind, value);
    if id.is_none() {
        c.note(value, Reason::Lacks("an identifier"));
    }
    id
}

/// What stands for the system of this identifier in ids.
pub(crate) fn key<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> [&'m str; 2] {
    let authority = value.part(4);
    if authority.is_empty() || authority.is_null() {
        return ["", c.message.header().field(4).first().part(1).raw()];
    }
    let [namespace, universal, kind] = [1, 2, 3].map(|n| authority.part(n).raw());
    let name = if namespace.is_empty() { universal } else { namespace };
    hd::system(c, namespace, universal, kind).unwrap_or(["", name])
}

/// The RelatedPerson a mother's identifier (PID-21) stands for.
pub(crate) fn mother<'m>(c: &mut Conversion<'m>, value: Value<'m>, patient: Ref) -> Option<Ref> {
    let [scheme, rest] = key(c, value);
    let Some(number) = value.part(1).content() else {
        c.note(value, Reason::Lacks("an identifier"));
        return None;
    };
    let id = c.id("RelatedPerson", &[scheme, rest], &[number.trim()]);
    Some(c.resource("RelatedPerson", id, |c, w| {
        w.one("identifier", |w| identifier(c, w, value, None));
        patient.write(w, "patient");
        w.array("relationship", |w| {
            w.item(|w| {
                w.one("coding", |w| {
                    w.code("system", "http://terminology.hl7.org/CodeSystem/v3-RoleCode");
                    w.code("code", "MTH");
                });
            });
        });
    }))
}
