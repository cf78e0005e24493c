//! PT, the processing of a message: production, debugging or training; archive or initial load.

use bridge_hl7v2::Value;

use crate::{conversion::Conversion, json::Json, parts::Parts};

/// Elements of `meta.tag`.
pub(crate) fn tags<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let pt = Parts::<2>::of(c, value, &[1, 2]);
    for (n, system) in [
        (1, "http://terminology.hl7.org/CodeSystem/v2-0103"),
        (2, "http://terminology.hl7.org/CodeSystem/v2-0207"),
    ] {
        if let Some(code) = pt.text(n) {
            w.item(|w| {
                w.code("system", system);
                w.text("code", &code);
            });
        }
    }
}
