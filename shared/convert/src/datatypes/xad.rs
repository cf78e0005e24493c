//! XAD, an address, and SAD, the street line in it.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::{cwe, dr, period},
    json::Json,
    parts::Parts,
    report::Reason,
    tables::{ADDRESS_TYPE, ADDRESS_USE},
};

const MAPPED: [u32; 13] = [1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13, 14, 19];

/// Elements of an array of Addresses.
pub(crate) fn items<'m>(c: &mut Conversion<'m>, w: &mut Json, values: impl Iterator<Item = Value<'m>>) {
    for value in values {
        w.item(|w| address(c, w, value, None));
    }
}

/// The members of an Address. `county` is one that stands elsewhere (PID-12), for an address that has none.
pub(crate) fn address<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>, county: Option<&str>) {
    let xad = Parts::<23>::of(c, value, &MAPPED);
    let kind = xad.text(7);
    w.array("extension", |w| {
        if kind.as_deref() == Some("HV") {
            w.extension("http://hl7.org/fhir/StructureDefinition/iso21090-AD-use", |w| {
                w.code("valueCode", "HV");
            });
        }
        if let Some(tract) = xad.has(10).then(|| cwe::string(xad.value(10))).flatten() {
            w.extension("http://hl7.org/fhir/StructureDefinition/iso21090-ADXP-censusTract", |w| {
                w.text("valueString", &tract);
            });
        }
    });
    if let Some(kind) = kind.as_deref().filter(|kind| *kind != "HV") {
        match (ADDRESS_USE.code(kind), ADDRESS_TYPE.code(kind)) {
            (Some(code), _) => w.code("use", code),
            (None, Some(code)) => w.code("type", code),
            (None, None) => c.note(xad.value(7), Reason::NoCode),
        }
    }
    w.array("line", |w| {
        let street = Parts::<3>::of(c, xad.value(1), &[1, 2, 3]);
        let lines = [street.text(1), street.text(2), street.text(3), xad.text(2), xad.text(19)];
        lines.iter().flatten().for_each(|line| w.element(line));
    });
    for (n, key) in [(3, "city"), (4, "state"), (5, "postalCode"), (6, "country")] {
        if let Some(text) = xad.text(n) {
            w.text(key, &text);
        }
    }
    match (xad.has(9).then(|| cwe::string(xad.value(9))).flatten(), county) {
        (Some(district), _) => w.text("district", &district),
        (None, Some(county)) => w.text("district", county),
        (None, None) => {}
    }
    w.object("period", |w| {
        if xad.has(13) || xad.has(14) {
            period::bounds(c, w, Some(xad.value(13)), Some(xad.value(14)));
        } else if xad.has(12) {
            dr::members(c, w, xad.value(12));
        }
    });
}
