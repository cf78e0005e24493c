//! Appointments: the older list with its many texts, and the newer operations with members of their own.

use jiff::{SignedDuration, Timestamp};

use super::{
    No, PRACTICE, is_same, is_within, rows,
    state::{Appointment, State},
    times,
    xml::{Node, element},
};

const STATUSES: [&str; 13] = [
    "Unknown",
    "Scheduled",
    "ReminderSent",
    "Confirmed",
    "CheckedIn",
    "Roomed",
    "CheckedOut",
    "NeedsReschedule",
    "ReadyToBeSeen",
    "NoShow",
    "Cancelled",
    "Rescheduled",
    "Tentative",
];

pub(super) fn list(state: &State, request: &Node, longest: Option<i32>) -> Result<String, No> {
    let end = |name: &str| match request.text(&format!("Filter/{name}")) {
        None => Ok(None),
        Some(text) => {
            times::read(text).map(Some).ok_or_else(|| No::new(format!("{name} is not a valid date")))
        }
    };
    let (from, to) = (end("StartDate")?, end("EndDate")?);
    if let (Some(longest), Some(from), Some(to)) = (longest, from, to)
        && to.duration_since(from) > SignedDuration::from_hours(i64::from(longest) * 24)
    {
        return Err(No::new("The date range is too long"));
    }
    let mut found = Vec::new();
    for appointment in state.appointments.values() {
        let row = &appointment.row;
        if from.is_none_or(|from| from <= appointment.start)
            && to.is_none_or(|to| appointment.start <= to)
            && is_within(request, "LastModifiedDate", Some(row.modified))?
            && is_within(request, "CreatedDate", Some(row.created))?
            && is_same(request, "PatientID", row, "PatientID")
            && is_same(request, "PracticeName", row, "PracticeName")
            && is_same(request, "ResourceName", row, "ResourceName1")
            && is_same(request, "ServiceLocationName", row, "ServiceLocationName")
            && is_same(request, "ConfirmationStatus", row, "ConfirmationStatus")
        {
            found.push(row);
        }
    }
    Ok(rows("Appointments", "AppointmentData", request, found.into_iter()))
}

pub(super) fn one(state: &State, request: &Node) -> Result<String, No> {
    let id = known(state, request)?;
    let appointment = state.appointments.get(&id).ok_or_else(not_found)?;
    Ok(format!("<Appointment>{}</Appointment>", shown(appointment)))
}

pub(super) fn create(state: &mut State, request: &Node, now: Timestamp) -> Result<String, No> {
    let wanted = request.child("Appointment").ok_or_else(|| No::new("Appointment is missing"))?;
    if wanted.text("PracticeId") != Some(PRACTICE) {
        return Err(No::new("PracticeId is missing or not authorized"));
    }
    let patient = row(&state.patients, wanted.text("PatientSummary/PatientId"), "PatientId")?;
    let provider = row(&state.providers, wanted.text("ProviderId"), "ProviderId")?;
    let location = row(&state.locations, wanted.text("ServiceLocationId"), "ServiceLocationId")?;
    let time = time(wanted, None)?;
    let status = status_of(wanted)?.unwrap_or("Scheduled");
    let id = state.book_at(time, &[patient, provider, location], status, now);
    if let Some(notes) = wanted.text("Notes") {
        state.change(id, now, |appointment| appointment.row.set("Notes", notes));
    }
    Ok(element("AppointmentId", &id.to_string()))
}

pub(super) fn update(state: &mut State, request: &Node, now: Timestamp) -> Result<String, No> {
    let id = known(state, request)?;
    let wanted = request.child("Appointment").ok_or_else(not_found)?;
    let patient = row(&state.patients, wanted.text("PatientId"), "PatientId")?;
    let location = row(&state.locations, wanted.text("ServiceLocationId"), "ServiceLocationId")?;
    let provider = match wanted.text("ProviderId") {
        None => None,
        given => Some(row(&state.providers, given, "ProviderId")?),
    };
    let before = state.appointments.get(&id).map(|one| (one.start, one.end));
    let time = time(wanted, before)?;
    let status = status_of(wanted)?;
    state.change(id, now, |appointment| {
        (appointment.start, appointment.end) = time;
        appointment.location = location;
        appointment.provider = provider.unwrap_or_else(|| appointment.provider.clone());
        appointment.row.set("PatientID", patient);
        for (column, text) in [("ConfirmationStatus", status), ("Notes", wanted.text("Notes"))] {
            if let Some(text) = text {
                appointment.row.set(column, text);
            }
        }
    });
    Ok(element("AppointmentId", &id.to_string()))
}

pub(super) fn status(state: &mut State, request: &Node, now: Timestamp) -> Result<String, No> {
    let id = known(state, request)?;
    let wanted = request.child("Appointment").ok_or_else(not_found)?;
    let status = status_of(wanted)?.ok_or_else(|| No::new("AppointmentStatus is missing"))?;
    state.change(id, now, |appointment| appointment.row.set("ConfirmationStatus", status));
    Ok(element("AppointmentId", &id.to_string()))
}

/// What is deleted is gone, and nothing says so afterwards.
pub(super) fn delete(state: &mut State, request: &Node) -> Result<String, No> {
    let id = known(state, request)?;
    state.appointments.remove(&id);
    Ok(String::new())
}

fn not_found() -> No {
    No::new("Appointment not found")
}

fn known(state: &State, request: &Node) -> Result<u64, No> {
    let id = request.text("Appointment/AppointmentId").and_then(|id| id.parse().ok());
    id.filter(|id| state.appointments.contains_key(id)).ok_or_else(not_found)
}

fn row(
    rows: &std::collections::BTreeMap<u64, super::Row>,
    id: Option<&str>,
    name: &str,
) -> Result<String, No> {
    let known = id.and_then(|id| id.parse().ok()).filter(|id: &u64| rows.contains_key(id));
    known.map(|id| id.to_string()).ok_or_else(|| No::new(format!("{name} is missing or not valid")))
}

fn status_of(wanted: &Node) -> Result<Option<&'static str>, No> {
    let Some(text) = wanted.text("AppointmentStatus") else { return Ok(None) };
    let known = STATUSES.iter().find(|status| **status == text);
    known.copied().map(Some).ok_or_else(|| No::new("AppointmentStatus is not valid"))
}

fn time(wanted: &Node, before: Option<(Timestamp, Timestamp)>) -> Result<(Timestamp, Timestamp), No> {
    let read = |name: &str, before: Option<Timestamp>| match wanted.text(name) {
        None => before.ok_or_else(|| No::new(format!("{name} is missing"))),
        Some(text) => times::read(text).ok_or_else(|| No::new(format!("{name} is not a valid date"))),
    };
    let start = read("StartTime", before.map(|(start, _)| start))?;
    let end = read("EndTime", before.map(|(_, end)| end))?;
    if start < end { Ok((start, end)) } else { Err(No::new("EndTime must be after StartTime")) }
}

/// As the newer operations show an appointment.
fn shown(appointment: &Appointment) -> String {
    let row = &appointment.row;
    [
        element("AppointmentId", row.text("ID")),
        element("AppointmentStatus", row.text("ConfirmationStatus")),
        element("AppointmentType", row.text("Type")),
        element("EndTime", &times::civil(appointment.end)),
        element("LastModifiedDate", row.text("LastModifiedDate")),
        element("Notes", row.text("Notes")),
        format!("<PatientSummary>{}</PatientSummary>", element("PatientId", row.text("PatientID"))),
        element("PracticeId", PRACTICE),
        element("ProviderId", &appointment.provider),
        element("ServiceLocationId", &appointment.location),
        element("StartTime", &times::civil(appointment.start)),
    ]
    .concat()
}
