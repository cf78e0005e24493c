//! TQ1, timing and quantity of an order.

use bridge_hl7v2::Segment;

use crate::{
    conversion::Conversion,
    datatypes::{cq, cwe, dtm, nm, rpt},
    json::Json,
    messages::order::Order,
    report::Reason,
    tables::REQUEST_PRIORITY,
};

fn first<'m>(c: &mut Conversion<'m>, order: &Order<'m>) -> Option<Segment<'m>> {
    let tq1 = order.timing?;
    c.skip(tq1, &[1]);
    Some(tq1)
}

/// `priority` of the request.
pub(crate) fn priority<'m>(c: &mut Conversion<'m>, order: &Order<'m>) -> Option<&'static str> {
    let tq1 = first(c, order)?;
    let value = c.one(tq1, 9, "ServiceRequest.priority")?;
    cwe::code(c, value, &REQUEST_PRIORITY)
}

/// `quantityQuantity`; tells whether there was one.
pub(crate) fn quantity<'m>(c: &mut Conversion<'m>, w: &mut Json, order: &Order<'m>) -> bool {
    let quantity = first(c, order).and_then(|tq1| c.one(tq1, 2, "ServiceRequest.quantity"));
    quantity.is_some_and(|quantity| w.object("quantityQuantity", |w| cq::quantity(c, w, quantity)))
}

/// Elements of `note`: conditions in words.
pub(crate) fn notes<'m>(c: &mut Conversion<'m>, w: &mut Json, order: &Order<'m>) {
    if let Some(tq1) = first(c, order)
        && let Some(text) = c.text(tq1, 11, "ServiceRequest.note")
    {
        w.item(|w| w.text("text", &text));
    }
}

/// `occurrenceTiming`; tells whether there was one.
pub(crate) fn timing<'m>(c: &mut Conversion<'m>, w: &mut Json, order: &Order<'m>) -> bool {
    let Some(tq1) = first(c, order) else { return false };
    let pattern = c.one(tq1, 3, "ServiceRequest.occurrence");
    w.object("occurrenceTiming", |w| {
        w.object("repeat", |w| {
            bounds(c, w, tq1);
            if let Some(count) = c.one(tq1, 14, "ServiceRequest.occurrence") {
                // tim-8: a maximum needs a count, which is then the same.
                if let Some(number) = nm::integer(c, count).filter(|n| *n > 0) {
                    w.literal("count", &number.to_string());
                    w.literal("countMax", &number.to_string());
                }
            }
            if let Some(each) = c.one(tq1, 13, "ServiceRequest.occurrence") {
                duration(c, w, each);
            }
            if let Some(pattern) = pattern {
                rpt::repeat(c, w, pattern);
            }
            w.array("timeOfDay", |w| {
                for time in c.each(tq1, 4, "ServiceRequest.occurrence") {
                    let mut one = Json::default();
                    dtm::time(c, &mut one, "t", time);
                    // `"t":"08:00:00"`: the value is the element.
                    if let Some(value) = one.bytes().get(4..) {
                        w.raw_element(value);
                    }
                }
            });
            offset(c, w, tq1, pattern);
        });
        if let Some(pattern) = pattern {
            rpt::code(c, w, pattern.part(1));
        }
    })
}

/// Start and end; or how long it goes on, which makes the one that is missing.
fn bounds<'m>(c: &mut Conversion<'m>, w: &mut Json, tq1: Segment<'m>) {
    let (start, end) =
        (c.one(tq1, 7, "ServiceRequest.occurrence"), c.one(tq1, 8, "ServiceRequest.occurrence"));
    let span = c.one(tq1, 6, "ServiceRequest.occurrence");
    if start.is_none() && end.is_none() {
        if let Some(span) = span {
            w.object("boundsDuration", |w| cq::duration(c, w, span));
        }
        return;
    }
    let minutes = span.and_then(|span| {
        let number = span.part(1).content()?.trim().parse::<f64>().ok()?;
        cq::minutes(number, span.part(2).part(1).raw())
    });
    // A year of seconds fits; more is no order's duration.
    let seconds = minutes
        .filter(|m| (0.0..600_000.0).contains(m))
        .map(|m| jiff::SignedDuration::from_secs_f64(m * 60.0));
    let shifted = |c: &mut Conversion<'m>, from: Option<bridge_hl7v2::Value<'m>>, back: bool| {
        let at = dtm::read(c, from?).and_then(|dtm| dtm::moment(c, dtm))?;
        let by = if back { -seconds? } else { seconds? };
        at.checked_add(by).ok()
    };
    w.object("boundsPeriod", |w| {
        match start {
            Some(start) => dtm::date_time(c, w, "start", start),
            None => {
                if let Some(at) = shifted(c, end, true) {
                    dtm::computed(c, w, "start", at);
                }
            }
        }
        match end {
            Some(end) => dtm::date_time(c, w, "end", end),
            None => {
                if let Some(at) = shifted(c, start, false) {
                    dtm::computed(c, w, "end", at);
                }
            }
        }
    });
    if let Some(span) = span.filter(|_| start.is_some() && end.is_some()) {
        c.note(span, Reason::Superseded("TQ1-7 and TQ1-8"));
    }
}

/// tim-1: a duration needs a unit.
fn duration<'m>(c: &mut Conversion<'m>, w: &mut Json, value: bridge_hl7v2::Value<'m>) {
    match cq::time_unit(value.part(2).part(1).raw()) {
        Some(unit) => {
            nm::decimal_member(c, w, "duration", value.part(1));
            w.code("durationUnit", unit);
        }
        None => c.note(value, Reason::Lacks("its unit")),
    }
}

/// TQ1-5, where the pattern has no offset of its own; tim-9 asks for an event it is counted from.
fn offset<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    tq1: Segment<'m>,
    pattern: Option<bridge_hl7v2::Value<'m>>,
) {
    let Some(value) = c.one(tq1, 5, "ServiceRequest.occurrence") else { return };
    if pattern.is_some_and(|pattern| !pattern.part(9).is_empty()) {
        return c.note(value, Reason::Superseded("TQ1-3.9"));
    }
    if pattern.is_none_or(|pattern| pattern.part(8).is_empty()) {
        return c.note(value, Reason::Lacks("TQ1-3.8"));
    }
    let number = value.part(1).content().and_then(|n| n.trim().parse().ok());
    match number.and_then(|n| cq::minutes(n, value.part(2).part(1).raw())).filter(|n| *n >= 0.0) {
        Some(minutes) => w.literal("offset", &format!("{minutes:.0}")),
        None => c.note(value, Reason::NotANumber),
    }
}
