//! DR, a range of dates or times.

use bridge_hl7v2::Value;

use crate::{conversion::Conversion, datatypes::dtm, json::Json};

/// `start` and `end` of a Period. As a component DR has the components of its times as subcomponents.
pub(crate) fn members<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    dtm::date_time(c, w, "start", value.part(1));
    dtm::date_time(c, w, "end", value.part(2));
}
