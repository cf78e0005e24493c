//! A Period: two times, of which the second does not lie before the first (per-1).

use bridge_hl7v2::{Segment, Value};

use crate::{conversion::Conversion, datatypes::dtm, json::Json, report::Reason};

/// The member `period` of two fields of a segment.
pub(crate) fn member<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    segment: Segment<'m>,
    fields: [u32; 2],
    path: &'static str,
) {
    let [start, end] = fields.map(|n| c.one(segment, n, path));
    w.object("period", |w| bounds(c, w, start, end));
}

/// `start` and `end`. An end before the start is left out, with a note: no reader takes the two together.
pub(crate) fn bounds<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    start: Option<Value<'m>>,
    end: Option<Value<'m>>,
) {
    let starts = start.and_then(|start| dtm::read(c, start));
    if let Some(starts) = starts {
        dtm::write(c, w, "start", starts);
    }
    let Some(value) = end else { return };
    match dtm::read(c, value) {
        Some(ends) if starts.is_some_and(|starts| dtm::is_before(c, ends, starts)) => {
            c.note(value, Reason::BeforeItsStart);
        }
        Some(ends) => dtm::write(c, w, "end", ends),
        None => {}
    }
}
