//! RPT, a repeat pattern (TQ1-3), and the pattern codes it shares with RI.

use bridge_hl7v2::Value;

use crate::{
    conversion::Conversion,
    datatypes::{cq, cwe, nm},
    json::Json,
    parts::Parts,
    report::Reason,
    tables::{EVENT_RELATED_PERIOD, REPEAT_PATTERN},
};

/// `Timing.code`: a pattern code of table 0335. Codes with a number in them (`Q4H`) are in the table by their form.
pub(crate) fn code<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    if value.content().is_none() {
        return;
    }
    w.object("code", |w| {
        let text = value.part(1).content().unwrap_or_default();
        if numbered(&text) && value.part(3).is_empty() {
            w.one("coding", |w| {
                w.text("system", REPEAT_PATTERN.own_system());
                w.text("code", &text);
            });
        } else {
            cwe::codeable_concept(c, w, value, Some(&REPEAT_PATTERN));
        }
    });
}

/// `Q<integer>S|M|H|D|W|L`, `Q<integer>J<day>`.
fn numbered(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('Q') else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && matches!(rest.as_bytes().get(digits), Some(b'S' | b'M' | b'H' | b'D' | b'W' | b'L' | b'J'))
}

/// The members of `Timing.repeat` that RPT-3 to -9 give.
pub(crate) fn repeat<'m>(c: &mut Conversion<'m>, w: &mut Json, value: Value<'m>) {
    let rpt = Parts::<11>::of(c, value, &[1, 2, 3, 4, 5, 6, 8, 9, 10]);
    if rpt.raw(2) == "DW" {
        days(c, w, &rpt);
    } else {
        for n in [2, 3, 4].into_iter().filter(|n| rpt.has(*n)) {
            c.note(rpt.value(n), Reason::NotMapped);
        }
    }
    // tim-2: a period needs a unit.
    match (rpt.has(5), cq::time_unit(rpt.value(6).part(1).raw())) {
        (true, Some(unit)) => {
            nm::decimal_member(c, w, "period", rpt.value(5));
            w.code("periodUnit", unit);
        }
        (true, None) => c.note(rpt.value(5), Reason::Lacks("its unit")),
        (false, _) if rpt.has(6) => c.note(rpt.value(6), Reason::Lacks("its number")),
        (false, _) => {}
    }
    if let Some(event) = rpt.text(8) {
        match EVENT_RELATED_PERIOD.code(&event) {
            Some(code) => {
                w.array("when", |w| w.element(code));
            }
            None => c.note(rpt.value(8), Reason::NoCode),
        }
    }
    offset(c, w, &rpt);
}

/// The days of the week from RPT-3 to RPT-4, Monday being 1.
fn days<'m>(c: &mut Conversion<'m>, w: &mut Json, rpt: &Parts<'m, 11>) {
    const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let day = |n: u32| rpt.text(n).and_then(|t| t.parse::<usize>().ok()).filter(|d| (1..=7).contains(d));
    match (day(3), day(4)) {
        (None, _) => c.note(rpt.value(3), Reason::NotANumber),
        (Some(first), last) => {
            let last = last.filter(|last| *last >= first).unwrap_or(first);
            w.array("dayOfWeek", |w| DAYS[first - 1..last].iter().for_each(|day| w.element(day)));
        }
    }
}

/// Minutes before or after the event of RPT-8; without an event they mean nothing (tim-9).
fn offset<'m>(c: &mut Conversion<'m>, w: &mut Json, rpt: &Parts<'m, 11>) {
    let Some(number) = rpt.text(9) else { return };
    if !rpt.has(8) {
        return c.note(rpt.value(9), Reason::Lacks("the event it is counted from"));
    }
    let unit = rpt.value(10).part(1).raw();
    match number.parse().ok().and_then(|number| cq::minutes(number, unit)).filter(|n| *n >= 0.0) {
        Some(minutes) => w.literal("offset", &format!("{minutes:.0}")),
        None => c.note(rpt.value(9), Reason::NotANumber),
    }
}
