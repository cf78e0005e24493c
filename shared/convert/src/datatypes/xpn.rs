//! XPN, the name of a person; its parts also stand in XCN and CNN. And FN, a family name with its prefixes.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::{dr, period},
    json::Json,
    parts::Parts,
    report::Reason,
    tables::{NAME_ASSEMBLY_ORDER, NAME_USE},
};

/// Which component holds which part of a name; 0 where the data type has none.
pub(crate) struct Layout {
    pub(crate) family: u32,
    pub(crate) given: u32,
    pub(crate) second: u32,
    pub(crate) suffix: u32,
    pub(crate) prefix: u32,
    /// A degree, where it is written after the name.
    pub(crate) degree: u32,
    pub(crate) kind: u32,
    pub(crate) validity: u32,
    pub(crate) assembly: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) professional: u32,
}

const XPN: Layout = Layout {
    family: 1,
    given: 2,
    second: 3,
    suffix: 4,
    prefix: 5,
    degree: 6,
    kind: 7,
    validity: 10,
    assembly: 11,
    start: 12,
    end: 13,
    professional: 14,
};

const MAPPED: [u32; 13] = [1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 14, 15];

/// Elements of an array of HumanNames. What a person is called (XPN-15) is a name of its own.
pub(crate) fn items<'m>(c: &mut Conversion<'m>, w: &mut Json, values: impl Iterator<Item = Value<'m>>) {
    for value in values {
        let xpn = Parts::<15>::of(c, value, &MAPPED);
        w.item(|w| members(c, w, &xpn, &XPN));
        if let Some(called) = xpn.text(15) {
            w.item(|w| {
                w.code("use", "nickname");
                w.array("given", |w| w.element(&called));
            });
        }
    }
}

/// The members of one HumanName, where there is room for no second.
pub(crate) fn human_name<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let xpn = Parts::<15>::of(c, value, &MAPPED[..12]);
    members(c, w, &xpn, &XPN);
}

pub(crate) fn members<'m, const N: usize>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    parts: &Parts<'m, N>,
    at: &Layout,
) {
    if let Some(order) = parts.text(at.assembly) {
        match NAME_ASSEMBLY_ORDER.code(&order) {
            Some(code) => {
                w.one_extension("http://hl7.org/fhir/StructureDefinition/humanname-assembly-order", |w| {
                    w.code("valueCode", code);
                });
            }
            None => c.note(parts.value(at.assembly), Reason::NoCode),
        }
    }
    if let Some(kind) = parts.text(at.kind) {
        match NAME_USE.code(&kind) {
            Some(code) => w.code("use", code),
            None => c.note(parts.value(at.kind), Reason::NoCode),
        }
    }
    if parts.has(at.family) {
        family(c, w, parts.value(at.family));
    }
    strings(w, "given", parts, [at.given, at.second, 0]);
    strings(w, "prefix", parts, [at.prefix, 0, 0]);
    strings(w, "suffix", parts, [at.suffix, at.degree, at.professional]);
    w.object("period", |w| {
        if parts.has(at.start) || parts.has(at.end) {
            period::bounds(c, w, Some(parts.value(at.start)), Some(parts.value(at.end)));
        } else if parts.has(at.validity) {
            dr::members(c, w, parts.value(at.validity));
        }
    });
}

fn strings<const N: usize>(w: &mut Json, key: &str, parts: &Parts<'_, N>, numbers: [u32; 3]) {
    w.array(key, |w| {
        for text in numbers.into_iter().filter_map(|n| parts.text(n)) {
            w.element(&text);
        }
    });
}

/// Prefixes and names of a compound family name, by extension.
const FAMILY: [(u32, &str); 4] = [
    (2, "http://hl7.org/fhir/StructureDefinition/humanname-own-prefix"),
    (3, "http://hl7.org/fhir/StructureDefinition/humanname-own-name"),
    (4, "http://hl7.org/fhir/StructureDefinition/humanname-partner-prefix"),
    (5, "http://hl7.org/fhir/StructureDefinition/humanname-partner-name"),
];

fn family<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let name = Parts::<5>::of(c, value, &[1, 2, 3, 4, 5]);
    if let Some(surname) = name.text(1) {
        w.text("family", &surname);
    }
    w.object("_family", |w| {
        w.array("extension", |w| {
            for (n, url) in FAMILY {
                if let Some(text) = name.text(n) {
                    w.extension(url, |w| {
                        w.text("valueString", &text);
                    });
                }
            }
        });
    });
}

/// A name as one text, for elements that take no more: given names and family name in the order XPN-11 asks for.
pub(crate) fn text(value: Value<'_>) -> String {
    let part = |n: u32| value.part(n).part(1).content().and_then(crate::conversion::trimmed);
    let family = part(1);
    let given = [5, 2, 3, 4].into_iter().filter_map(part);
    let pieces: Vec<_> = match value.part(11).raw() {
        "F" => family.into_iter().chain(given).collect(),
        _ => given.chain(family).collect(),
    };
    pieces.join(" ")
}
