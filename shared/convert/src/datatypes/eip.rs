//! EIP, a pair of entity identifiers: the placer's and the filler's.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::{cx::Kind, ei},
    json::Json,
    report::Reason,
};

/// Notes what stands behind the pair.
pub(crate) fn two_parts<'m>(c: &mut Conversion<'m>, value: Value<'m>) {
    for further in value.parts().skip(2).filter(|part| part.content().is_some()) {
        c.note(further, Reason::NotMapped);
    }
}

/// Elements of an array of Identifiers: the placer's, then the filler's.
pub(crate) fn items<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    two_parts(c, value);
    for (n, kind) in [(1, Kind::PLACER_GROUP), (2, Kind::FILLER_GROUP)] {
        let part = value.part(n);
        if part.content().is_some() {
            w.item(|w| ei::identifier(c, w, part, Some(kind)));
        }
    }
}
