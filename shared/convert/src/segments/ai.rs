//! AIS, AIG, AIL and AIP: the service, things, places and people an appointment books. They share a layout: who or
//! what first, then start, offset of the start, duration.

use bridge_hl7v2::{Segment, Value};

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cwe, dtm, pl, xcn},
    json::Json,
    messages::siu::Schedule,
    report::Reason,
    segments::sch,
    tables::APPOINTMENT_STATUS,
};

/// The field of the start in each segment; the offset and its unit, the duration and its unit follow.
fn start_field(segment: Segment<'_>) -> u32 {
    match segment.name().as_str() {
        "AIS" => 4,
        "AIG" => 8,
        _ => 6,
    }
}

/// Start and minutes of a resource that has a start.
pub(crate) fn time<'m>(
    c: &mut Conversion<'m>,
    segment: Segment<'m>,
) -> Option<(Option<Value<'m>>, Option<i64>)> {
    let n = start_field(segment);
    let start = c.one(segment, n, "Appointment.start")?;
    Some((Some(start), sch::minutes(c, segment, n + 3, n + 4)))
}

/// `serviceType`: each AIS.
pub(crate) fn service_types<'m>(c: &mut Conversion<'m>, w: &mut Json, schedule: &Schedule<'m>) {
    w.array("serviceType", |w| {
        for ais in c.children(schedule.sch, &["AIS"]) {
            // AIS-2 says what is done to the segment, which every message carries whole.
            c.skip(ais, &[1, 2]);
            let services = c.each(ais, 3, "Appointment.serviceType");
            cwe::items(c, w, services, None);
        }
    });
}

/// Elements of `participant` for AIG, AIL and AIP.
pub(crate) fn participants<'m>(c: &mut Conversion<'m>, w: &mut Json, schedule: &Schedule<'m>) {
    for segment in c.children(schedule.sch, &["AIS", "AIG", "AIL", "AIP"]) {
        c.skip(segment, &[1, 2]);
        match segment.name().as_str() {
            "AIS" => service(c, w, segment, schedule),
            "AIG" => thing(c, w, segment),
            "AIL" => {
                for place in c.each(segment, 3, "Appointment.participant") {
                    let location = pl::location(c, place, |_, _| {});
                    participant(c, w, segment, location, 4, 12);
                }
            }
            _ => {
                for person in c.each(segment, 3, "Appointment.participant") {
                    let practitioner = xcn::practitioner(c, person);
                    participant(c, w, segment, practitioner, 4, 12);
                }
            }
        }
    }
}

/// The patients, at the time of the first service: a service has no actor of its own.
pub(crate) fn patients<'m>(c: &mut Conversion<'m>, w: &mut Json, schedule: &Schedule<'m>) {
    let first = c.children(schedule.sch, &["AIS"]).find(|ais| c.valued(*ais, 4));
    for patient in &schedule.patients {
        w.item(|w| {
            patient.write(w, "actor");
            w.code("status", "accepted");
            if let Some(ais) = first {
                period(c, w, "period", ais);
            }
        });
    }
}

/// The times of a further service, where they are others, and its status, which the Appointment's is not.
fn service<'m>(c: &mut Conversion<'m>, w: &mut Json, ais: Segment<'m>, schedule: &Schedule<'m>) {
    if let Some(status) = c.one(ais, 10, "Appointment.status")
        && APPOINTMENT_STATUS.code(status.part(1).raw()).is_none()
    {
        c.note(status, Reason::NoCode);
    }
    let first = c.children(schedule.sch, &["AIS"]).find(|ais| c.valued(*ais, 4));
    let same =
        first.is_some_and(|first| [4, 7, 8].iter().all(|n| first.field(*n).raw() == ais.field(*n).raw()));
    let Some(patient) = schedule.patients.first().filter(|_| !same && c.valued(ais, 4)) else { return };
    w.item(|w| {
        patient.write(w, "actor");
        w.code("status", "accepted");
        period(c, w, "period", ais);
    });
}

/// AIG-3 names a thing by code: a Device known by it, or a place where AIG-4 says so.
fn thing<'m>(c: &mut Conversion<'m>, w: &mut Json, aig: Segment<'m>) {
    let resource = c.one(aig, 3, "Appointment.participant");
    let kind = if is_place(aig) { "Location" } else { "Device" };
    let actor = resource.and_then(|value| {
        let Some(code) = value.part(1).content() else {
            c.note(value, Reason::Lacks("a code"));
            return None;
        };
        let id = c.id(kind, &["AIG:", value.part(3).raw()], &[code.trim()]);
        Some(c.resource(kind, id, |c, w| {
            w.array("identifier", |w| cwe::identifier_items(c, w, value));
            let Some(name) = cwe::string(value) else { return };
            if kind == "Location" {
                w.text("name", &name);
            } else {
                w.one("deviceName", |w| {
                    w.text("name", &name);
                    w.code("type", "user-friendly-name");
                });
            }
        }))
    });
    participant(c, w, aig, actor, 4, 14);
}

fn is_place(aig: Segment<'_>) -> bool {
    let kind = aig.field(4).first();
    [1, 2].iter().any(|n| {
        let text = kind.part(*n).raw().to_ascii_lowercase();
        ["location", "room", "loc", "chair", "operatory"].contains(&text.as_str())
    })
}

/// A participant with its type, its own status and its own time. app-1 asks for a type or an actor.
fn participant<'m>(
    c: &mut Conversion<'m>,
    w: &mut Json,
    segment: Segment<'m>,
    actor: Option<Ref>,
    kind: u32,
    status: u32,
) {
    w.item(|w| {
        let before = w.mark();
        let kind = c.one(segment, kind, "Appointment.participant.type");
        if let Some(kind) = kind {
            w.one("type", |w| cwe::codeable_concept(c, w, kind, None));
        }
        if let Some(actor) = actor {
            actor.write(w, "actor");
        }
        if !w.since(before) {
            return;
        }
        let sent = c.one(segment, status, "Appointment.participant.status");
        w.code("status", sent.map_or("accepted", |sent| participant_status(c, sent)));
        period(c, w, "period", segment);
    });
}

/// Table 0278 as a participation's status.
fn participant_status<'m>(c: &mut Conversion<'m>, value: Value<'m>) -> &'static str {
    match APPOINTMENT_STATUS.code(value.part(1).raw()) {
        Some("pending" | "waitlist" | "proposed") => "tentative",
        Some("cancelled" | "noshow" | "entered-in-error") => "declined",
        Some(_) => "accepted",
        None => {
            c.note(value, Reason::NoCode);
            "needs-action"
        }
    }
}

/// A Period from the start for the duration.
fn period<'m>(c: &mut Conversion<'m>, w: &mut Json, key: &str, segment: Segment<'m>) {
    let n = start_field(segment);
    let Some(start) = c.one(segment, n, "Appointment.participant.period") else {
        return;
    };
    let minutes = sch::minutes(c, segment, n + 3, n + 4);
    let end = dtm::read(c, start).and_then(|at| sch::later(c, at, minutes?));
    w.object(key, |w| {
        dtm::date_time(c, w, "start", start);
        if let Some(end) = end {
            dtm::computed(c, w, "end", end);
        }
    });
}

/// Elements of ServiceRequest.identifier: what AIS-3, -11 and -12 call the service.
pub(crate) fn request_identifiers<'m>(c: &mut Conversion<'m>, w: &mut Json, schedule: Segment<'m>) {
    for ais in c.children(schedule, &["AIS"]) {
        for n in [3, 11, 12] {
            for code in c.each(ais, n, "ServiceRequest.identifier") {
                cwe::identifier_items(c, w, code);
            }
        }
    }
}

/// ServiceRequest.code: the first service.
pub(crate) fn request_code<'m>(c: &mut Conversion<'m>, w: &mut Json, schedule: Segment<'m>) {
    if let Some(ais) = c.child(schedule, &["AIS"]) {
        let code = c.one(ais, 3, "ServiceRequest.code");
        cwe::member(c, w, "code", code, None);
    }
}

/// ServiceRequest.occurrence: the first service's time.
pub(crate) fn request_occurrence<'m>(c: &mut Conversion<'m>, w: &mut Json, schedule: Segment<'m>) {
    if let Some(ais) = c.child(schedule, &["AIS"]) {
        period(c, w, "occurrencePeriod", ais);
    }
}
