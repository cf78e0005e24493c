//! NR, a numeric range.

use bridge_hl7v2::Value;

use crate::{conversion::Conversion, datatypes::nm, json::Json};

/// The members of a Range; `unit` writes the unit of either end.
pub(crate) fn range<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    [low, high]: [Value<'m>; 2],
    unit: impl Fn(&mut Conversion<'m>, &mut Json),
) {
    for (key, end) in [("low", low), ("high", high)] {
        w.object(key, |w| {
            let at = w.mark();
            nm::decimal_member(c, w, "value", end);
            if w.since(at) {
                unit(c, w);
            }
        });
    }
}
