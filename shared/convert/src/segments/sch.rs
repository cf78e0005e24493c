//! SCH, an appointment. What it books is in AIS, AIG, AIL and AIP.

use bridge_hl7v2::{Segment, Value, time::Dtm};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    conversion::{Conversion, Ref},
    datatypes::{cq, cwe, cx::Kind, dtm, ei, msg::Event, tq::TimingQuantity, xcn},
    json::Json,
    messages::siu::Schedule,
    report::Reason,
    segments::{
        ai, nte,
        pid::{agent_type, agent_type_coding},
    },
    tables::{APPOINTMENT_REASON, APPOINTMENT_STATUS, APPOINTMENT_TYPE},
};

/// The Appointment's id: of the filler's number (SCH-2), else the placer's (SCH-1), with the occurrence of a series.
pub(crate) fn id<'m>(c: &mut Conversion<'m>, sch: Segment<'m>) -> Uuid {
    let number = [2, 1].into_iter().find_map(|n| ei::id(c, "Appointment", sch.field(n).first()));
    let occurrence = sch.field(3).raw();
    match number {
        Some(number) if occurrence.is_empty() => number,
        Some(number) => c.id_within("Appointment", number, &["SCH-3:", occurrence]),
        None => {
            c.note_field(sch, 2, Reason::NoIdentifier);
            c.id_in_message("Appointment", &["SCH"])
        }
    }
}

/// When an appointment begins and ends.
struct Time<'m> {
    start: Option<(Value<'m>, Dtm)>,
    end: Option<(Value<'m>, Dtm)>,
    minutes: Option<i64>,
}

/// The Appointment.
pub(crate) fn appointment<'m>(c: &mut Conversion<'m>, schedule: &Schedule<'m>) -> Ref {
    let sch = schedule.sch;
    let time = time(c, schedule);
    c.resource("Appointment", schedule.resource.id, |c, w| {
        w.array("extension", |w| {
            notes(c, w, schedule);
            subjects(w, schedule);
        });
        w.array("identifier", |w| {
            for (n, kind) in [(1, Kind::PLACER), (2, Kind::FILLER)] {
                if let Some(number) = c.one(sch, n, "Appointment.identifier") {
                    w.item(|w| ei::identifier(c, w, number, Some(kind)));
                }
            }
        });
        let status = status(c, schedule, &time);
        w.code("status", status);
        ai::service_types(c, w, schedule);
        kind_and_reason(c, w, schedule, status);
        period(c, w, &time);
        w.array("basedOn", |w| schedule.requests.iter().for_each(|request| request.item(w)));
        w.array("participant", |w| {
            ai::patients(c, w, schedule);
            contacts(c, w, sch);
            ai::participants(c, w, schedule);
        });
    })
}

/// R5's `subject`, as an extension: whom the appointment is for.
fn subjects(w: &mut Json, schedule: &Schedule<'_>) {
    for patient in &schedule.patients {
        w.extension("http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.subject", |w| {
            patient.write(w, "valueReference");
        });
    }
}

/// NTE after SCH and after each resource.
fn notes<'m>(c: &mut Conversion<'m>, w: &mut Json, schedule: &Schedule<'m>) {
    for segment in schedule.segments() {
        for comment in c.children(segment, &["NTE"]) {
            nte::appointment_extension(c, w, comment);
        }
    }
}

/// The trigger says what happened; where it leaves it open, the filler's status (SCH-25) does. app-3 allows a booking
/// without a time only while it is proposed, on a waiting list or cancelled.
fn status<'m>(c: &mut Conversion<'m>, schedule: &Schedule<'m>, time: &Time<'m>) -> &'static str {
    let sent = c.one(schedule.sch, 25, "Appointment.status");
    let of_sch = sent.and_then(|value| {
        let code = cwe::raw_code(value).unwrap_or_default();
        let known = APPOINTMENT_STATUS.code(&code).or_else(|| any_case(&code));
        if known.is_none() {
            c.note(value, Reason::NoCode);
        }
        known
    });
    let event = Event::of(c.message.header().field(9).first());
    let of_event = match event.trigger {
        "S15" | "S16" => Some("cancelled"),
        "S17" => Some("entered-in-error"),
        "S26" => Some("noshow"),
        _ => None,
    };
    let timed = time.start.is_some() && (time.end.is_some() || time.minutes.is_some());
    let status = of_event.or(of_sch).unwrap_or("booked");
    if timed || matches!(status, "proposed" | "cancelled" | "waitlist") {
        return status;
    }
    c.note_field(schedule.sch, 11, Reason::Lacks("a start and an end, so the appointment is proposed"));
    "proposed"
}

/// Senders write the words of table 0278 in any case, and the double l of `Canceled` as they please.
fn any_case(code: &str) -> Option<&'static str> {
    const WORDS: [&str; 11] = [
        "Pending",
        "Waitlist",
        "Booked",
        "Started",
        "Complete",
        "Cancelled",
        "Deleted",
        "Noshow",
        "Canceled",
        "Completed",
        "No-Show",
    ];
    let word = WORDS.into_iter().find(|word| word.eq_ignore_ascii_case(code))?;
    match word {
        "Canceled" => Some("cancelled"),
        "Completed" => Some("fulfilled"),
        "No-Show" => Some("noshow"),
        word => APPOINTMENT_STATUS.code(word),
    }
}

/// SCH-7 and SCH-8. The guide tells reason from type by the table a code names: both fields have held either.
fn kind_and_reason<'m>(c: &mut Conversion<'m>, w: &mut Json, schedule: &Schedule<'m>, status: &str) {
    let sch = schedule.sch;
    let reason = c.one(sch, 7, "Appointment.reasonCode");
    let kind = c.one(sch, 8, "Appointment.appointmentType");
    let names_type = |value: &Value<'m>| value.part(3).raw() == "HL70277";
    let appointment_type = reason.filter(names_type).or(kind);
    cwe::member(c, w, "appointmentType", appointment_type, Some(&APPOINTMENT_TYPE));
    if let Some(kind) = kind.filter(|_| reason.is_some_and(|reason| names_type(&reason))) {
        c.note(kind, Reason::Superseded("SCH-7"));
    }
    if let Some(reason) = reason.filter(|reason| !names_type(reason)) {
        w.one("reasonCode", |w| cwe::codeable_concept(c, w, reason, Some(&APPOINTMENT_REASON)));
    }
    // SCH-6 is why the event happened: of a cancellation, its reason.
    if status == "cancelled"
        && let Some(reason) = c.one(sch, 6, "Appointment.cancelationReason")
    {
        w.object("cancelationReason", |w| cwe::codeable_concept(c, w, reason, None));
    }
}

/// SCH-11, else the first resource with a start; the end by a duration where none is given.
fn time<'m>(c: &mut Conversion<'m>, schedule: &Schedule<'m>) -> Time<'m> {
    let sch = schedule.sch;
    let timing = c.one(sch, 11, "Appointment.start").map(|value| TimingQuantity::of_appointment(c, value));
    let of_sch = minutes(c, sch, 9, 10);
    let of_timing = timing.as_ref().and_then(|timing| timing.minutes(c));
    let of_resource = schedule.resources().find_map(|resource| ai::time(c, resource));
    let read = |c: &mut Conversion<'m>, value: Option<Value<'m>>| Some((value?, dtm::read(c, value?)?));
    let start = timing.as_ref().and_then(TimingQuantity::start);
    let start = read(c, start).or_else(|| read(c, of_resource?.0));
    let end = timing.as_ref().and_then(TimingQuantity::end);
    let end = read(c, end);
    // An instant needs a time of day.
    let exact = |at: &(Value<'m>, Dtm)| at.1.precision() >= bridge_hl7v2::time::Precision::Hour;
    let minutes = of_sch.or(of_timing).or(of_resource.and_then(|found| found.1));
    for (value, _) in [&start, &end].into_iter().flatten().filter(|at| !exact(at)) {
        c.note(*value, Reason::TooCoarse("an instant"));
    }
    Time { start: start.filter(exact), end: end.filter(exact), minutes }
}

/// A number in one field and its unit in another, in minutes.
pub(crate) fn minutes<'m>(
    c: &mut Conversion<'m>,
    segment: Segment<'m>,
    number: u32,
    unit: u32,
) -> Option<i64> {
    let value = c.one(segment, number, "Appointment.minutesDuration");
    let unit = c.one(segment, unit, "Appointment.minutesDuration");
    let Some(value) = value else {
        if let Some(unit) = unit {
            c.note(unit, Reason::Lacks("its number"));
        }
        return None;
    };
    let number = value.content().and_then(|n| n.trim().parse::<f64>().ok());
    let minutes = number.and_then(|n| cq::minutes(n, unit.map_or("", |unit| unit.part(1).raw())));
    // No appointment lasts longer than a year.
    let minutes =
        minutes.filter(|m| (1.0..=527_040.0).contains(m)).and_then(|m| format!("{m:.0}").parse().ok());
    if minutes.is_none() {
        c.note(value, Reason::NotANumber);
    }
    minutes
}

/// The moment after so many minutes.
pub(crate) fn later(c: &mut Conversion<'_>, at: Dtm, minutes: i64) -> Option<Timestamp> {
    dtm::moment(c, at)?.checked_add(SignedDuration::from_mins(minutes)).ok()
}

fn period<'m>(c: &mut Conversion<'m>, w: &mut Json, time: &Time<'m>) {
    let Some((start, at)) = time.start else {
        // app-2: start and end come together.
        if let Some((end, _)) = time.end {
            c.note(end, Reason::Lacks("a start"));
        }
        return;
    };
    let end = match (time.end, time.minutes) {
        (Some((end, _)), _) => Some(Ok(end)),
        (None, Some(minutes)) => later(c, at, minutes).map(Err),
        (None, None) => None,
    };
    let Some(end) = end else {
        c.note(start, Reason::Lacks("an end or a duration"));
        return;
    };
    dtm::date_time(c, w, "start", start);
    match end {
        Ok(end) => dtm::date_time(c, w, "end", end),
        Err(end) => dtm::computed(c, w, "end", end),
    }
    if let Some(minutes) = time.minutes {
        w.literal("minutesDuration", &minutes.to_string());
    }
}

/// Who asked for it, who keeps it, who entered it. The guide leaves the codes of the first two open.
fn contacts<'m>(c: &mut Conversion<'m>, w: &mut Json, sch: Segment<'m>) {
    for (n, kind) in [(12, "placer contact"), (16, "filler contact"), (20, "enterer")] {
        for value in c.each(sch, n, "Appointment.participant") {
            let Some(practitioner) = xcn::practitioner(c, value) else { continue };
            w.item(|w| {
                if n == 20 {
                    w.array("type", |w| {
                        w.item(|w| agent_type_coding(w, kind));
                    });
                } else {
                    w.one("type", |w| w.code("text", kind));
                }
                practitioner.write(w, "actor");
                w.code("status", "accepted");
            });
        }
    }
}

/// The ServiceRequests an appointment fulfils (SCH-26 and SCH-27, pair by pair).
pub(crate) fn requests<'m>(c: &mut Conversion<'m>, sch: Segment<'m>, patient: Option<Ref>) -> Vec<Ref> {
    let placers: Vec<_> = c.each(sch, 26, "Appointment.basedOn").collect();
    let fillers: Vec<_> = c.each(sch, 27, "Appointment.basedOn").collect();
    let Some(patient) = patient else { return Vec::new() };
    let pairs =
        (0..placers.len().max(fillers.len())).map(|n| [placers.get(n).copied(), fillers.get(n).copied()]);
    pairs.filter_map(|pair| request(c, sch, pair, patient)).collect()
}

fn request<'m>(
    c: &mut Conversion<'m>,
    sch: Segment<'m>,
    pair: [Option<Value<'m>>; 2],
    patient: Ref,
) -> Option<Ref> {
    let id = pair.into_iter().flatten().find_map(|number| ei::needed_id(c, "ServiceRequest", number))?;
    Some(c.resource("ServiceRequest", id, |c, w| {
        w.array("identifier", |w| {
            for (number, kind) in pair.into_iter().zip([Kind::PLACER, Kind::FILLER]) {
                if let Some(number) = number {
                    w.item(|w| ei::identifier(c, w, number, Some(kind)));
                }
            }
            ai::request_identifiers(c, w, sch);
        });
        w.text("status", request_status(sch).unwrap_or(&c.profile.defaults.request_status));
        w.code("intent", "order");
        ai::request_code(c, w, sch);
        patient.write(w, "subject");
        ai::request_occurrence(c, w, sch);
    }))
}

/// SCH-25 in request statuses: the guide takes the appointment's, which a ServiceRequest does not know.
fn request_status(sch: Segment<'_>) -> Option<&'static str> {
    let code = sch.field(25).component(1).raw();
    match APPOINTMENT_STATUS.code(code)? {
        "fulfilled" => Some("completed"),
        "cancelled" => Some("revoked"),
        "entered-in-error" => Some("entered-in-error"),
        "waitlist" => Some("on-hold"),
        _ => Some("active"),
    }
}

/// The Provenance of who entered the appointment (SCH-20).
pub(crate) fn provenance<'m>(c: &mut Conversion<'m>, schedule: &Schedule<'m>) {
    let enterers = c.each(schedule.sch, 20, "Provenance.agent");
    let enterers: Vec<_> = enterers.filter_map(|xcn| xcn::practitioner(c, xcn)).collect();
    if enterers.is_empty() {
        return;
    }
    let id = c.id_in_message("Provenance", &["SCH"]);
    c.resource("Provenance", id, |c, w| {
        w.array("target", |w| schedule.resource.item(w));
        dtm::own_instant(w, "recorded", c.received);
        w.array("agent", |w| {
            for enterer in &enterers {
                w.item(|w| {
                    agent_type(w, "enterer");
                    enterer.write(w, "who");
                });
            }
        });
    });
}
