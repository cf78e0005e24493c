//! DR, a range of dates or times.

use bridge_hl7v2::Value;

use crate::{conversion::Conversion, datatypes::period, json::Json};

/// `start` and `end` of a Period. As a component DR has the components of its times as subcomponents.
pub(crate) fn members<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    period::bounds(c, w, Some(value.part(1)), Some(value.part(2)));
}
