//! DLN, a driver's license.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::{cx::Kind, dtm},
    json::Json,
    parts::Parts,
};

/// The members of an Identifier. Who issued it is its assigner; the system is the profile's to know.
pub(crate) fn identifier<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let dln = Parts::<3>::of(c, value, &[1, 2, 3]);
    Kind { code: "DL", text: "" }.member(w);
    if let Some(issuer) = dln.value(2).part(1).content() {
        if let Some(system) = c.profile.authorities.get(issuer.as_ref()) {
            w.text("system", system);
        }
        w.object("assigner", |w| w.text("display", &issuer));
    }
    if let Some(number) = dln.text(1) {
        w.text("value", &number);
    }
    w.object("period", |w| dtm::date_time(c, w, "end", dln.value(3)));
}
