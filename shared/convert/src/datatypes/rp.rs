//! RP, a pointer to data kept elsewhere.

use bridge_hl7v2::Value;

use crate::{conversion::Conversion, json::Json, parts::Parts};

/// The members of an Attachment.
pub(crate) fn attachment<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let rp = Parts::<4>::of(c, value, &[1, 2, 3, 4]);
    match (rp.text(3), rp.text(4)) {
        (Some(kind), Some(subtype)) => w.joined("contentType", &[&kind, "/", &subtype]),
        (Some(kind), None) => w.text("contentType", &kind),
        _ => {}
    }
    if let Some(pointer) = rp.text(1) {
        w.text("url", &pointer);
    }
    if let Some(application) = rp.value(2).part(1).content() {
        w.text("title", application.trim());
    }
}
