//! OG, the observation grouper of OBX-4: which observations of a message belong together.

use bridge_hl7v2::Value;

use crate::{conversion::Conversion, datatypes::nm, json::Json, parts::Parts, report::Reason};

/// The extension that carries it, as an element of `extension`.
pub(crate) fn extension<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let og = Parts::<4>::of(c, value, &[1, 2, 3, 4]);
    w.extension("http://hl7.org/fhir/StructureDefinition/observation-v2-subid", |w| {
        w.array("extension", |w| {
            for (n, url) in [(1, "original-sub-identifier"), (4, "identifier")] {
                if let Some(text) = og.text(n) {
                    w.extension(url, |w| {
                        w.text("valueString", &text);
                    });
                }
            }
            for (n, url) in [(2, "group"), (3, "sequence")] {
                if let Some(number) = og.text(n).and_then(|text| nm::decimal(&text).map(|n| n.into_owned())) {
                    w.extension(url, |w| {
                        w.literal("valueDecimal", &number);
                    });
                } else if og.has(n) {
                    c.note(og.value(n), Reason::NotANumber);
                }
            }
        });
    });
}
