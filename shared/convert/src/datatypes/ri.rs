//! RI, a repeat interval: a pattern, and times of the day.

use bridge_hl7v2::Value;

use crate::{conversion::Conversion, datatypes::rpt, json::Json, report::Reason};

/// Writes `repeat.timeOfDay` from RI-2 (`HHMM,HHMM`).
pub(crate) fn times<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let Some(list) = value.part(2).content() else { return };
    let times: Option<Vec<String>> = list.split(',').map(clock).collect();
    match times {
        Some(times) => {
            w.array("timeOfDay", |w| times.iter().for_each(|time| w.element(time)));
        }
        None => c.note(value.part(2), Reason::NotMapped),
    }
}

fn clock(text: &str) -> Option<String> {
    let text = text.trim();
    let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    (digits && &text[..2] < "24" && &text[2..] < "60").then(|| format!("{}:{}:00", &text[..2], &text[2..]))
}

/// The pattern as `Timing.code`.
pub(crate) fn code<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    rpt::code(c, w, value.part(1));
}
