//! Appointments: slots, bookings, and what becomes of them.

use jiff::{Timestamp, civil::Time};
use serde_json::json;

use super::{Form, State, add_slot, error, feeds::Event, form, queries, records, require, single};
use crate::{
    Answer, Request,
    parts::clinic::{Clinic, Visit},
};

pub(super) fn read(clinic: &Clinic, request: &Request, path: &[&str]) -> Answer {
    match path {
        ["open"] => open(clinic, request),
        ["booked"] => booked(clinic, request, &["departmentid", "startdate", "enddate"]),
        ["booked", "multipledepartment"] => booked(clinic, request, &["startdate", "enddate"]),
        [id] => {
            let visit = id.parse::<u64>().ok().and_then(|id| clinic.visits.get(&id));
            single(visit.map(|visit| records::booked(clinic, visit)), "appointment")
        }
        _ => error(404, "The resource does not exist."),
    }
}

/// Whether a visit is in one of the departments that are asked for, and by its day and provider.
fn fits(clinic: &Clinic, request: &Request, visit: &Visit) -> bool {
    let among = |name: &str, id: u64| {
        let mut wanted = request.parameters(name).flat_map(|ids| ids.split(',')).peekable();
        wanted.peek().is_none() || wanted.any(|wanted| wanted.trim() == id.to_string())
    };
    let day = visit.start.to_zoned(clinic.zone(visit.place)).date();
    let bound = |name: &str| request.parameter(name).and_then(records::read_day);
    among("departmentid", visit.place)
        && among("providerid", visit.practitioner)
        && bound("startdate").is_none_or(|first| first <= day)
        && bound("enddate").is_none_or(|last| day <= last)
}

fn open(clinic: &Clinic, request: &Request) -> Answer {
    let query = Form(request.query.clone());
    if let Err(answer) = require(&query, &["departmentid"]) {
        return answer;
    }
    if query.get("reasonid").is_none() && query.get("appointmenttypeid").is_none() {
        return super::missing(&["reasonid", "appointmenttypeid"]);
    }
    // -1 stands for every reason.
    let kind = query.number("appointmenttypeid");
    let mut found: Vec<_> = clinic
        .visits
        .values()
        .filter(|visit| visit.status == "o" && kind.is_none_or(|kind| kind == visit.kind))
        .filter(|visit| fits(clinic, request, visit))
        .collect();
    found.sort_by_key(|visit| (visit.start, visit.id));
    queries::list(request, "appointments", &found, |visit| records::open(clinic, visit))
}

fn booked(clinic: &Clinic, request: &Request, required: &[&str]) -> Answer {
    let query = Form(request.query.clone());
    if let Err(answer) = require(&query, required) {
        return answer;
    }
    let with_cancelled = query.get("showcancelled") == Some("true");
    let found: Vec<_> = clinic
        .visits
        .values()
        .filter(|visit| visit.patient.is_some() && fits(clinic, request, visit))
        .filter(|visit| with_cancelled || !matches!(visit.status.as_str(), "x" | super::NO_SHOW))
        .filter(|visit| query.number("patientid").is_none_or(|patient| visit.patient == Some(patient)))
        .collect();
    queries::list(request, "appointments", &found, |visit| records::booked(clinic, visit))
}

pub(super) fn write(state: &mut State, request: &Request, path: &[&str], now: Timestamp) -> Answer {
    let form = form(request);
    let id = |text: &str| text.parse::<u64>().unwrap_or_default();
    let done = match (request.method.as_str(), path) {
        ("POST", ["open"]) => new_slot(state, &form, now),
        ("PUT", ["booked", at]) => edit(state, id(at), &form, now),
        ("PUT", [at]) => book(state, id(at), &form, now),
        ("PUT", [at, "reschedule"]) => reschedule(state, id(at), &form, now),
        ("PUT", [at, "cancel"]) => cancel(state, id(at), &form, now),
        ("PUT", [at, "freeze"]) => freeze(state, id(at), &form, now),
        ("POST", [at, step @ ("startcheckin" | "checkin" | "cancelcheckin" | "checkout")]) => {
            check(state, id(at), step, now)
        }
        _ => Err(error(404, "The resource does not exist.")),
    };
    done.unwrap_or_else(|answer| answer)
}

fn visit(state: &mut State, id: u64) -> Result<&mut Visit, Answer> {
    state.clinic.visits.get_mut(&id).ok_or_else(|| error(404, "The appointment does not exist."))
}

/// An appointment of this patient that has not begun.
fn future(state: &State, id: u64, form: &Form) -> Result<Visit, Answer> {
    require(form, &["patientid"])?;
    let visit = state.clinic.visits.get(&id).ok_or_else(|| error(404, "The appointment does not exist."))?;
    if visit.patient != form.number("patientid") {
        return Err(error(400, "The appointment is not one of this patient."));
    }
    match visit.status.as_str() {
        "f" => Ok(visit.clone()),
        _ => Err(error(409, "The appointment is not in a status in which this can be done.")),
    }
}

fn known_patient(state: &State, form: &Form) -> Result<u64, Answer> {
    let patient = form.number("patientid").filter(|id| state.clinic.patients.contains_key(id));
    patient.ok_or_else(|| error(404, "The patient does not exist."))
}

fn take(state: &mut State, id: u64, patient: u64, form: &Form, now: Timestamp) -> Result<(), Answer> {
    let visit = visit(state, id)?;
    if visit.status != "o" {
        return Err(error(409, "The appointment time is not open any more."));
    }
    visit.patient = Some(patient);
    visit.status = "f".to_owned();
    visit.note = form.get("bookingnote").unwrap_or_default().to_owned();
    visit.stamps = crate::parts::clinic::Stamps::new(now);
    Ok(())
}

fn book(state: &mut State, id: u64, form: &Form, now: Timestamp) -> Result<Answer, Answer> {
    require(form, &["patientid"])?;
    if form.get("reasonid").is_none() && form.get("appointmenttypeid").is_none() {
        return Err(super::missing(&["reasonid", "appointmenttypeid"]));
    }
    let patient = known_patient(state, form)?;
    take(state, id, patient, form, now)?;
    state.note(Event::ScheduleAppointment, id, now);
    let record = state.clinic.visits.get(&id).map(|visit| records::booked(&state.clinic, visit));
    Ok(Answer::json(200, &json!([record])))
}

/// The old one is cancelled; the new one has an id of its own.
fn reschedule(state: &mut State, id: u64, form: &Form, now: Timestamp) -> Result<Answer, Answer> {
    require(form, &["patientid", "newappointmentid"])?;
    let old = future(state, id, form)?;
    let new = form.number("newappointmentid").unwrap_or_default();
    take(state, new, old.patient.unwrap_or_default(), form, now)?;
    end(state, &old, now)?;
    state.note(Event::CancelAppointment, id, now);
    state.note(Event::ScheduleAppointment, new, now);
    let mut record = state.clinic.visits.get(&new).map(|visit| records::booked(&state.clinic, visit));
    if let Some(serde_json::Value::Object(fields)) = &mut record {
        fields.insert("rescheduledappointmentid".to_owned(), json!(id.to_string()));
    }
    Ok(Answer::json(200, &json!([record])))
}

fn cancel(state: &mut State, id: u64, form: &Form, now: Timestamp) -> Result<Answer, Answer> {
    let old = future(state, id, form)?;
    end(state, &old, now)?;
    state.note(Event::CancelAppointment, id, now);
    Ok(Answer::json(200, &json!({"status": "x"})))
}

/// What is cancelled stays; its time is open again, under another id.
fn end(state: &mut State, old: &Visit, now: Timestamp) -> Result<(), Answer> {
    let ended = visit(state, old.id)?;
    ended.status = "x".to_owned();
    ended.stamps.updated = now;
    add_slot(&mut state.clinic, (old.practitioner, old.place, old.kind), old.start, old.minutes, now);
    Ok(())
}

/// Says `1`, or what was wrong, both with 200.
fn edit(state: &mut State, id: u64, form: &Form, now: Timestamp) -> Result<Answer, Answer> {
    let provider = form.get("providerid").map(|id| id.parse().unwrap_or_default());
    if provider.is_some_and(|id: u64| !state.clinic.practitioners.contains_key(&id)) {
        return Ok(Answer::json(200, &json!("Invalid PROVIDERID input")));
    }
    let visit = visit(state, id)?;
    if visit.patient.is_none() {
        return Err(error(404, "The appointment does not exist."));
    }
    visit.practitioner = provider.unwrap_or(visit.practitioner);
    visit.note = form.get("bookingnote").unwrap_or(&visit.note).to_owned();
    visit.stamps.updated = now;
    state.note(Event::UpdateAppointment, id, now);
    Ok(Answer::json(200, &json!(1)))
}

fn freeze(state: &mut State, id: u64, form: &Form, now: Timestamp) -> Result<Answer, Answer> {
    let wants = form.get("freeze") != Some("false");
    let visit = visit(state, id)?;
    let (from, to) = if wants { ("o", "frozen") } else { ("frozen", "o") };
    if visit.status != from {
        let body = json!({"success": false, "errormessage": "Appointment is already frozen."});
        return Ok(Answer::json(200, &body));
    }
    visit.status = to.to_owned();
    visit.stamps.updated = now;
    Ok(Answer::json(200, &json!({"success": true})))
}

fn check(state: &mut State, id: u64, step: &str, now: Timestamp) -> Result<Answer, Answer> {
    let visit = visit(state, id)?;
    let (to, event) = match (step, visit.status.as_str()) {
        ("startcheckin", "f") => ("f", None),
        ("checkin", "f") => ("2", Some(Event::CheckIn)),
        ("cancelcheckin", "2") => ("f", Some(Event::UpdateAppointment)),
        ("checkout", "2") => ("3", Some(Event::CheckOut)),
        _ => {
            let body =
                json!({"success": false, "errormessage": "The appointment is not in the right status."});
            return Ok(Answer::json(200, &body));
        }
    };
    visit.status = to.to_owned();
    visit.stamps.updated = now;
    if let Some(event) = event {
        state.note(event, id, now);
    }
    // A boolean as text.
    Ok(Answer::json(200, &json!({"success": "true"})))
}

fn new_slot(state: &mut State, form: &Form, now: Timestamp) -> Result<Answer, Answer> {
    require(
        form,
        &["departmentid", "providerid", "appointmentdate", "appointmenttime", "appointmenttypeid"],
    )?;
    let known = form.number("providerid").filter(|id| state.clinic.practitioners.contains_key(id));
    let place = form.number("departmentid").filter(|id| state.clinic.places.contains_key(id));
    let day = form.get("appointmentdate").and_then(records::read_day);
    let (Some(provider), Some(place), Some(day)) = (known, place, day) else {
        return Err(error(400, "PROVIDERID, DEPARTMENTID or APPOINTMENTDATE is not valid."));
    };
    let kind = form.number("appointmenttypeid").unwrap_or(2);
    let mut made = serde_json::Map::new();
    for text in form.get("appointmenttime").unwrap_or_default().split(',') {
        let time =
            Time::strptime("%H:%M", text.trim()).map_err(|_| error(400, "APPOINTMENTTIME is not valid."))?;
        let start = day.to_datetime(time).to_zoned(state.clinic.zone(place));
        let start = start.map_err(|_| error(400, "APPOINTMENTTIME is not valid."))?;
        let id = add_slot(&mut state.clinic, (provider, place, kind), start.timestamp(), 30, now);
        made.insert(id.to_string(), json!(text.trim()));
    }
    Ok(Answer::json(200, &json!({"appointmentids": made})))
}
