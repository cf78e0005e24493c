//! EIP, a pair of entity identifiers: the placer's and the filler's.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::{cx::Kind, ei},
    json::Json,
};

/// Elements of an array of Identifiers: the placer's, then the filler's.
pub(crate) fn items<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    for (n, kind) in [(1, Kind::PLACER_GROUP), (2, Kind::FILLER_GROUP)] {
        let part = value.part(n);
        if part.content().is_some() {
            w.item(|w| ei::identifier(c, w, part, Some(kind)));
        }
    }
}
