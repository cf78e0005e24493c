//! ORC, what is common to an order, for the ServiceRequest and the DiagnosticReport it shares with OBR.

use bridge_hl7v2::Segment;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, cx::Kind, dtm, ei, eip, xad, xcn, xon, xtn},
    json::Json,
    messages::order::Order,
    report::Reason,
    tables::{CONFIDENTIALITY, ORDER_CONTROL_STATUS, ORDER_STATUS, ORDER_TYPE},
};

/// `meta.security`: ORC-28.
pub(crate) fn security<'m>(c: &mut Conversion<'m>, w: &mut Json, orc: Option<Segment<'m>>) {
    let Some(value) = orc.and_then(|orc| c.one(orc, 28, "ServiceRequest.meta.security")) else { return };
    w.object("meta", |w| {
        w.one("security", |w| cwe::coding(c, w, value, Some(&CONFIDENTIALITY)));
    });
}

/// Elements of ServiceRequest.extension: the control code with its time, the callback number, the reason of the status.
pub(crate) fn request_extensions<'m>(c: &mut Conversion<'m>, w: &mut Json, order: &Order<'m>) {
    let Some(orc) = order.orc else { return };
    if let Some(control) = c.text(orc, 1, "ServiceRequest.extension") {
        business_event(w, |w| {
            w.extension("value", |w| {
                w.object("valueCodeableConcept", |w| {
                    w.one("coding", |w| {
                        w.text("system", ORDER_CONTROL_STATUS.own_system());
                        w.text("code", &control);
                    });
                });
            });
        });
    }
    if let Some(at) = c.one(orc, 9, "ServiceRequest.extension") {
        business_event(w, |w| {
            w.extension("date", |w| dtm::date_time(c, w, "valueDateTime", at));
        });
    }
    if order.obr.is_some_and(|obr| c.valued(obr, 17)) {
        c.superseded(orc, 14, "OBR-17");
    } else {
        callback_numbers(c, w, orc, 14);
    }
    if c.valued(orc, 5) {
        return;
    }
    if let Some(reason) = c.one(orc, 16, "ServiceRequest.extension") {
        w.extension("http://hl7.org/fhir/StructureDefinition/request-statusReason", |w| {
            cwe::member(c, w, "valueCodeableConcept", Some(reason), None);
        });
    }
}

fn business_event(w: &mut Json, parts: impl FnOnce(&mut Json)) {
    w.extension("http://hl7.org/fhir/StructureDefinition/businessEvent", |w| {
        w.array("extension", parts);
    });
}

/// Elements of `extension` with telephone numbers to call back.
pub(crate) fn callback_numbers<'m>(c: &mut Conversion<'m>, w: &mut Json, segment: Segment<'m>, n: u32) {
    for number in c.each(segment, n, "ServiceRequest.extension") {
        w.extension(
            "http://hl7.org/fhir/StructureDefinition/servicerequest-order-callback-phone-number",
            |w| {
                w.object("valueContactPoint", |w| xtn::contact_point(c, w, number, ""));
            },
        );
    }
}

/// Elements of `identifier`: placer and filler number, from OBR where it has them, else from ORC.
pub(crate) fn order_numbers<'m>(c: &mut Conversion<'m>, w: &mut Json, order: &Order<'m>) {
    for (n, kind) in [(2, Kind::PLACER), (3, Kind::FILLER)] {
        let segments = [order.obr, order.orc];
        let number =
            segments.into_iter().flatten().find_map(|segment| c.one(segment, n, "ServiceRequest.identifier"));
        if let Some(number) = number {
            w.item(|w| ei::identifier(c, w, number, Some(kind)));
        }
        same_number(c, order, n);
    }
}

/// Notes an ORC that gives another number than its OBR; the same number again says nothing new.
fn same_number<'m>(c: &mut Conversion<'m>, order: &Order<'m>, n: u32) {
    let (Some(orc), Some(obr)) = (order.orc, order.obr) else { return };
    let [of_orc, of_obr] = [orc, obr].map(|segment| segment.field(n).raw());
    c.skip(orc, &[n]);
    if !of_orc.is_empty() && !of_obr.is_empty() && of_orc != of_obr {
        c.note_field(orc, n, Reason::Superseded(if n == 2 { "OBR-2" } else { "OBR-3" }));
    }
}

/// ORC-4, whose type was EI, then EIP, then EI: in an EIP the numbers hold subcomponents or there are two of them.
fn is_pair(value: bridge_hl7v2::Value<'_>) -> bool {
    value.part(1).parts().nth(1).is_some() || (value.part(3).is_empty() && !value.part(2).part(1).is_empty())
}

/// `requisition`: the placer's group number.
pub(crate) fn requisition<'m>(c: &mut Conversion<'m>, w: &mut Json, orc: Option<Segment<'m>>) {
    let Some(value) = orc.and_then(|orc| c.one(orc, 4, "ServiceRequest.requisition")) else { return };
    let placer = if is_pair(value) { value.part(1) } else { value };
    if placer.part(1).content().is_some() {
        w.object("requisition", |w| ei::identifier(c, w, placer, Some(Kind::PLACER_GROUP)));
    }
}

/// Elements of `identifier`: the filler's group number, of ORC-38 or ORC-4, and for a report both of ORC-4.
pub(crate) fn group_numbers<'m>(c: &mut Conversion<'m>, w: &mut Json, orc: Option<Segment<'m>>, both: bool) {
    let Some(orc) = orc else { return };
    let pair = c.one(orc, 4, "ServiceRequest.identifier");
    if let Some(value) = pair.filter(|_| both) {
        let placer = if is_pair(value) { value.part(1) } else { value };
        if placer.part(1).content().is_some() {
            w.item(|w| ei::identifier(c, w, placer, Some(Kind::PLACER_GROUP)));
        }
    }
    if let Some(pair) = pair.filter(|value| is_pair(*value) || value.part(1).content().is_none()) {
        eip::two_parts(c, pair);
    }
    let filler = pair.filter(|value| is_pair(*value)).map(|value| value.part(2));
    let own = c.one(orc, 38, "ServiceRequest.identifier");
    if let Some(number) = own.or(filler) {
        if number.part(1).content().is_some() {
            w.item(|w| ei::identifier(c, w, number, Some(Kind::FILLER_GROUP)));
        } else {
            c.note(number, Reason::Lacks("an identifier"));
        }
    }
}

/// `status` of the request: the order's (ORC-5), else what the control code (ORC-1) makes of it.
pub(crate) fn request_status<'m>(c: &mut Conversion<'m>, w: &mut Json, orc: Option<Segment<'m>>) {
    let status = orc.and_then(|orc| c.one(orc, 5, "ServiceRequest.status"));
    let of_status = status.and_then(|value| cwe::code(c, value, &ORDER_STATUS));
    let control = orc.map(|orc| orc.field(1).component(1).raw());
    let of_control = || control.and_then(|code| ORDER_CONTROL_STATUS.code(code));
    match of_status.or_else(of_control) {
        Some(status) => w.code("status", status),
        None => w.text("status", &c.profile.defaults.request_status),
    }
}

/// `authoredOn`: when the order was made, which only a new order's time says.
pub(crate) fn authored<'m>(c: &mut Conversion<'m>, w: &mut Json, orc: Option<Segment<'m>>) {
    let Some(orc) = orc.filter(|orc| orc.field(1).component(1).raw() == "NW") else { return };
    if let Some(at) = c.one(orc, 9, "ServiceRequest.authoredOn") {
        dtm::date_time(c, w, "authoredOn", at);
    }
}

/// `locationCode`: inpatient or outpatient.
pub(crate) fn location_code<'m>(c: &mut Conversion<'m>, w: &mut Json, orc: Option<Segment<'m>>) {
    if let Some(kind) = orc.and_then(|orc| c.one(orc, 29, "ServiceRequest.locationCode")) {
        w.one("locationCode", |w| cwe::codeable_concept(c, w, kind, Some(&ORDER_TYPE)));
    }
}

/// The PractitionerRole of the ordering provider (ORC-12) in the ordering facility (ORC-21 to -24).
pub(crate) fn requester<'m>(c: &mut Conversion<'m>, orc: Segment<'m>) -> Option<Ref> {
    let mut providers = c.each(orc, 12, "ServiceRequest.requester");
    let provider = providers.next()?;
    providers.for_each(|further| c.note(further, Reason::ExtraRepetition));
    let practitioner = xcn::practitioner_with(c, provider, |c, w| {
        w.array("address", |w| {
            let addresses = c.each(orc, 24, "Practitioner.address");
            xad::items(c, w, addresses);
        });
    })?;
    let organization = facility(c, orc);
    let parent = organization.map_or_else(String::new, |facility| facility.id.to_string());
    let id = c.id_within("PractitionerRole", practitioner.id, &["ORC-21:", &parent]);
    Some(c.resource("PractitionerRole", id, |_, w| {
        practitioner.write(w, "practitioner");
        if let Some(organization) = organization {
            organization.write(w, "organization");
        }
    }))
}

fn facility<'m>(c: &mut Conversion<'m>, orc: Segment<'m>) -> Option<Ref> {
    let name = c.one(orc, 21, "PractitionerRole.organization")?;
    xon::organization_with(c, name, |c, w| {
        w.array("telecom", |w| {
            let telecoms = c.each(orc, 23, "Organization.telecom");
            xtn::items(c, w, telecoms, "work");
        });
        w.array("address", |w| {
            let addresses = c.each(orc, 22, "Organization.address");
            xad::items(c, w, addresses);
        });
    })
}

/// Elements of DiagnosticReport.extension: the reason of the status.
pub(crate) fn report_extensions<'m>(c: &mut Conversion<'m>, w: &mut Json, orc: Option<Segment<'m>>) {
    if let Some(reason) = orc.and_then(|orc| c.one(orc, 16, "DiagnosticReport.extension")) {
        w.extension("http://hl7.org/fhir/StructureDefinition/event-statusReason", |w| {
            cwe::member(c, w, "valueCodeableConcept", Some(reason), None);
        });
    }
}
