//! OBR, an order and the report on it: ServiceRequest, DiagnosticReport, and the specimen where there is no SPM.

mod report;
mod specimen;

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, cx, dtm, ei, eip, tq::TimingQuantity, xcn},
    json::Json,
    messages::order::Order,
    report::Reason,
    segments::{orc, tq1},
    tables::REQUEST_PRIORITY,
};

pub(crate) use report::{Around, diagnostic_report, unknown_code};
pub(crate) use specimen::{SPECIMEN, specimen};

/// The ServiceRequest an order's results answer.
pub(crate) fn service_request<'m>(
    c: &mut Conversion<'m>,
    order: &Order<'m>,
    id: uuid::Uuid,
    [patient, encounter]: [Option<Ref>; 2],
) -> Ref {
    let requester = requester(c, order);
    c.resource("ServiceRequest", id, |c, w| {
        orc::security(c, w, order.orc);
        w.array("extension", |w| {
            orc::request_extensions(c, w, order);
            if let Some(obr) = order.obr {
                supporting_info(c, w, obr);
                orc::callback_numbers(c, w, obr, 17);
            }
        });
        w.array("identifier", |w| {
            orc::order_numbers(c, w, order);
            orc::group_numbers(c, w, order.orc, false);
            other_numbers(c, w, order);
        });
        based_on(c, w, order.obr);
        orc::requisition(c, w, order.orc);
        orc::request_status(c, w, order.orc);
        w.code("intent", intent(order.obr));
        priority(c, w, order);
        if let Some(obr) = order.obr {
            let code = c.one(obr, 4, "ServiceRequest.code");
            cwe::member(c, w, "code", code, None);
            w.array("orderDetail", |w| {
                for n in [46, 47] {
                    let details = c.each(obr, n, "ServiceRequest.orderDetail");
                    cwe::items(c, w, details, None);
                }
            });
        }
        timing(c, w, order);
        match patient {
            Some(patient) => patient.write(w, "subject"),
            // A sample may be of no one; a request must be for someone.
            None => {
                w.object("subject", |w| {
                    w.one_extension("http://hl7.org/fhir/StructureDefinition/data-absent-reason", |w| {
                        w.code("valueCode", "unknown");
                    });
                });
            }
        }
        if let Some(encounter) = encounter {
            encounter.write(w, "encounter");
        }
        orc::authored(c, w, order.orc);
        if let Some(requester) = requester {
            requester.write(w, "requester");
        }
        orc::location_code(c, w, order.orc);
        if let Some(obr) = order.obr {
            w.array("reasonCode", |w| {
                let reasons = c.each(obr, 31, "ServiceRequest.reasonCode");
                cwe::items(c, w, reasons, None);
            });
        }
        w.array("note", |w| {
            tq1::notes(c, w, order);
            if let Some(quantity) = old_timing(c, order) {
                quantity.note(w);
            }
        });
    })
}

/// OBR-16 where ORC-12 says nobody.
fn requester<'m>(c: &mut Conversion<'m>, order: &Order<'m>) -> Option<Ref> {
    if let Some(requester) = order.orc.and_then(|orc| orc::requester(c, orc)) {
        // The same person again, as the standard has it.
        if let Some(obr) = order.obr {
            c.field(obr, 16);
        }
        return Some(requester);
    }
    let provider = order.obr.and_then(|obr| c.one(obr, 16, "ServiceRequest.requester"))?;
    xcn::practitioner(c, provider)
}

/// OBR-13, where the profile does not say that it tells fasting.
fn supporting_info<'m>(c: &mut Conversion<'m>, w: &mut Json, obr: Segment<'m>) {
    if c.profile.clinical_information_is_fasting {
        return;
    }
    for value in c.each(obr, 13, "ServiceRequest.extension") {
        w.extension(
            "http://hl7.org/fhir/5.0/StructureDefinition/extension-ServiceRequest.supportingInfo",
            |w| {
                w.one_extension("concept", |w| {
                    cwe::member(c, w, "valueCodeableConcept", Some(value), None);
                });
            },
        );
    }
}

/// OBR-53 or ORC-33: alternate placer numbers.
fn other_numbers<'m>(c: &mut Conversion<'m>, w: &mut Json, order: &Order<'m>) {
    let of_obr = order.obr.filter(|obr| c.valued(*obr, 53));
    let (segment, n) = match (of_obr, order.orc) {
        (Some(obr), orc) => {
            if let Some(orc) = orc {
                c.superseded(orc, 33, "OBR-53");
            }
            (obr, 53)
        }
        (None, Some(orc)) => (orc, 33),
        (None, None) => return,
    };
    for number in c.each(segment, n, "ServiceRequest.identifier") {
        w.item(|w| cx::identifier(c, w, number, Some(cx::Kind::PLACER)));
    }
}

/// OBR-29, the parent order.
fn based_on<'m>(c: &mut Conversion<'m>, w: &mut Json, obr: Option<Segment<'m>>) {
    let Some(obr) = obr else { return };
    if c.valued(obr, 50) {
        return c.superseded(obr, 29, "OBR-50");
    }
    let Some(parent) = c.one(obr, 29, "ServiceRequest.basedOn") else { return };
    eip::two_parts(c, parent);
    w.array("basedOn", |w| {
        for (n, kind) in [(1, cx::Kind::PLACER_GROUP), (2, cx::Kind::FILLER_GROUP)] {
            let number = parent.part(n);
            if number.content().is_some() {
                w.item(|w| {
                    w.code("type", "ServiceRequest");
                    w.object("identifier", |w| ei::identifier(c, w, number, Some(kind)));
                });
            }
        }
    });
}

fn intent(obr: Option<Segment<'_>>) -> &'static str {
    match obr.map(|obr| obr.field(11).component(1).raw()) {
        Some("G") => "reflex-order",
        _ => "order",
    }
}

/// TQ1-9, else the sixth component of the old timing, else OBR-5.
fn priority<'m>(c: &mut Conversion<'m>, w: &mut Json, order: &Order<'m>) {
    let mut code = tq1::priority(c, order);
    if let Some(quantity) = old_timing(c, order).filter(|_| code.is_none()) {
        code = quantity.priority(c);
    }
    if let Some(obr) = order.obr {
        // OBR-11 is in the intent.
        c.skip(obr, &[1, 11]);
        if let Some(value) = c.one(obr, 5, "ServiceRequest.priority")
            && code.is_none()
        {
            code = cwe::code(c, value, &REQUEST_PRIORITY);
        }
    }
    if let Some(code) = code {
        w.code("priority", code);
    }
}

/// ORC-7, else OBR-27: as they were before TQ1.
fn old_timing<'m>(c: &mut Conversion<'m>, order: &Order<'m>) -> Option<TimingQuantity<'m>> {
    let of_orc = order.orc.and_then(|orc| c.one(orc, 7, "ServiceRequest.occurrence"));
    let value = match (of_orc, order.obr) {
        (Some(value), obr) => {
            if let Some(obr) = obr {
                c.field(obr, 27);
            }
            value
        }
        (None, obr) => c.one(obr?, 27, "ServiceRequest.occurrence")?,
    };
    Some(TimingQuantity::of(c, value))
}

/// `quantityQuantity` and `occurrence[x]`: of TQ1, else of the old timing, else the time OBR-6 asks for.
fn timing<'m>(c: &mut Conversion<'m>, w: &mut Json, order: &Order<'m>) {
    let old = old_timing(c, order);
    if !tq1::quantity(c, w, order)
        && let Some(old) = &old
    {
        old.quantity(c, w);
    }
    let mut timed = tq1::timing(c, w, order);
    if let Some(old) = old.filter(|_| !timed) {
        timed = w.object("occurrenceTiming", |w| old.timing(c, w));
    }
    let requested = order.obr.and_then(|obr| c.one(obr, 6, "ServiceRequest.occurrence"));
    match requested {
        Some(requested) if timed => c.note(requested, Reason::Superseded("the order's timing")),
        Some(requested) => dtm::date_time(c, w, "occurrenceDateTime", requested),
        None => {}
    }
}

/// OBR-7 alone is a time, with OBR-8 a period.
fn effective<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    obr: Segment<'m>,
    [at, period]: [&str; 2],
    path: &'static str,
) {
    let (start, end) = (c.one(obr, 7, path), c.one(obr, 8, path));
    match (start, end) {
        (Some(start), None) => dtm::date_time(c, w, at, start),
        (None, None) => {}
        (start, Some(end)) => {
            w.object(period, |w| {
                if let Some(start) = start {
                    dtm::date_time(c, w, "start", start);
                }
                dtm::date_time(c, w, "end", end);
            });
        }
    }
}
