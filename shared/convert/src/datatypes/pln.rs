//! PLN, a practitioner's license or other number.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::{cwe, dtm},
    json::Json,
    parts::Parts,
    tables::PRACTITIONER_NUMBER_TYPE,
};

/// The members of an Identifier.
pub(crate) fn identifier<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let pln = Parts::<4>::of(c, value, &[1, 2, 4]);
    cwe::member(c, w, "type", Some(pln.value(2)).filter(|_| pln.has(2)), Some(&PRACTITIONER_NUMBER_TYPE));
    if let Some(number) = pln.text(1) {
        w.text("value", &number);
    }
    w.object("period", |w| dtm::date_time(c, w, "end", pln.value(4)));
}
